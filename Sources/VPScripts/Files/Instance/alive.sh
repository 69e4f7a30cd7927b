#!/bin/sh
# Sets `alive`, which succeeds if the supervisor of the job in folder `$1` is running.
#
# A process number alone would not suffice: containers count their processes from 1 at every start, so that another
# process may later have the same number. Number and start time together identify one process for good.

alive() {
    alive_pid='' alive_born='' alive_stat=''
    [ ! -s "$1/supervisor" ] || read -r alive_pid alive_born <"$1/supervisor"
    [ -n "$alive_pid" ] && [ -r "/proc/$alive_pid/stat" ] || return 1
    { read -r alive_stat <"/proc/$alive_pid/stat"; } 2>/dev/null || return 1
    # shellcheck disable=SC2086
    set -- ${alive_stat##*) }
    [ "${1:-Z}" != Z ] && [ "${20:-}" = "$alive_born" ]
}
