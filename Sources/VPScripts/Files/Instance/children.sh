#!/bin/sh
# Sets `children`, which says on standard error what is known of each process of the job in folder `$job` that
# outlived the command: a line `child` with how it stands, its number, for how many seconds it was seen at
# work since, and its command.
#
# One that was left behind may have ended since, and how is then known to nobody.
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
