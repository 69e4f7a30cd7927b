#!/bin/sh
# Saves the variables from the rental again, for a container whose disk was wiped: its first process still has them,
# and `names_variable` is the one that lists their names. A newline within a value becomes another character on its
# way through line-based tools.
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
