#!/bin/sh
# Runs the sandbox `$2…` and ends it with everything in it at the end of its input. `$1` is the file in which
# bubblewrap writes the process id of the init of the namespace: when that process is killed, the kernel kills all
# others, and bubblewrap ends only after them, so the end of this script means that nothing is left.

info=$1
shift
exec 3<&0
"$@" 3<&- 4>"$info" </dev/null &
sandbox=$!
{
    read -r _ <&3
    # If it were killed before it has written the id, bubblewrap would leave an inner process that nobody knows.
    tries=0
    while [ $tries -lt 100 ] && ! grep -q child-pid "$info" && kill -0 $sandbox; do
        sleep 0.01
        tries=$((tries + 1))
    done
    inner=
    while read -r key value _; do
        case $key in '"child-pid":') inner=${value%,} ;; esac
    done <"$info"
    # shellcheck disable=SC2086
    kill -9 $inner
    kill -9 $sandbox
} >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait $sandbox
status=$?
kill $watcher
wait $watcher
exit $status
