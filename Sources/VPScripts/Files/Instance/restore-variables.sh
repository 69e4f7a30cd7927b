#!/bin/sh
# Keeps the variables again that were given at the rental, of a container whose disk was wiped: its first
# process has them still, and `names_variable` is the one that names them. A newline within a value is another
# character on the way through the tools of lines.
: "${names_variable?}"

umask 077
[ ! -r "$HOME/.vp/environment" ] || exit 0
first() { tr '\000\n' '\n\001' </proc/1/environ | sed -n "s/^$1=//p" | head -n 1; }
names=$(first "$names_variable")
[ -n "$names" ] || exit 0
mkdir -p "$HOME/.vp" || exit 3
for name in $names; do
    case $name in [0-9]* | *[!A-Za-z0-9_]*) continue ;; esac
    printf "export %s='%s'\n" "$name" "$(first "$name" | sed "s/'/'\\\\''/g")" | tr '\001' '\n'
done >"$HOME/.vp/environment.new" && mv "$HOME/.vp/environment.new" "$HOME/.vp/environment" || exit 3
. ./read-first.sh
exit 0
