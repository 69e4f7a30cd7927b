#!/bin/sh
# Sets `report [STREAM]`, which says how the job in folder `$job` stands: what is known of processes that
# outlived the command, then `ended` (or `cancelled`) with what the supervisor wrote; `queued`, or `following`
# with the start, while it is there; `lost` where it is gone without a word. Of a log (`log` or `errors`) that
# is over, also the checksum: of the bytes that were promised, and as POSIX has it, because that program is on
# nearly every machine.
# shellcheck disable=SC2154

. ./children.sh
report() {
    children
    if [ -s "$job/status" ]; then
        ended=ended
        [ ! -f "$job/cancelled" ] || ended=cancelled
        read -r status <"$job/status"
        key=bytes size=''
        [ "${1:-}" != errors ] || key=errors
        for word in $status; do
            case $word in "$key"=*) size=${word#*=} ;; esac
        done
        if [ -n "${1:-}" ] && [ "${size:-0}" -gt 0 ]; then
            sum=$(head -c "$size" "$job/$1" | cksum 2>/dev/null)
            [ -z "$sum" ] || status="$status sum=${sum%% *}"
        fi
        echo "vp-job $ended $status" >&2
    elif alive "$job"; then
        if [ -s "$job/pid" ]; then
            read -r _ start <"$job/pid"
            echo "vp-job following $start" >&2
        else
            echo 'vp-job queued' >&2
        fi
    else
        echo 'vp-job lost' >&2
    fi
}
