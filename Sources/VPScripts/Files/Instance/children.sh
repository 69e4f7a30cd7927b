#!/bin/sh
# Sets `children`, which prints on standard error one line for each process of the job in folder `$job` that
# outlived the command: `child` with its state, its number, for how many seconds it has been seen at work since, and
# its command.
#
# A process that was left behind may have ended since; how it ended is then unknown.
# shellcheck disable=SC2154

children() {
    [ -s "$job/background" ] || return 0
    while read -r state number active since words; do
        if [ "$state" = left ] || [ "$state" = running ]; then
            stat=''
            { read -r stat <"/proc/$number/stat"; } 2>/dev/null
            # shellcheck disable=SC2086
            set -- ${stat##*) }
            [ "${1:-Z}" != Z ] && [ "${20:-}" = "$since" ] || state=gone
        fi
        printf '%s\n' "vp-job child $state $number $active $words" >&2
    done <"$job/background"
}
