#!/bin/sh
# Reads the job's variables and becomes the command: no other code runs in this shell, so that none of the variables
# can be confused with ours. `$1` is a process that has to sleep first, or empty, `$2` the file of the variables,
# and the rest the command. A level of 1 means a login shell, for which bash would read its start-up files by
# itself, with their output.

if [ -n "$1" ]; then
    until read -r stat <"/proc/$1/stat" && [ "${stat##*) S}" != "$stat" ]; do
        [ -e "/proc/$1" ] || exit 125
    done
fi
shift
# shellcheck source=/dev/null
. "$1"
: >"$1"
[ -z "${BASH_ENV+x}" ] || export VP_BASH_ENV="$BASH_ENV"
export BASH_ENV="${1%/*}/start-up" SHLVL=2
shift
exec "$@"
