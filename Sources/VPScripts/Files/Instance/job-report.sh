#!/bin/sh
# Sets `report [STREAM]`, which prints the state of the job in folder `$job`: the known processes that outlived the
# command, then `ended` (or `cancelled`) with the line of the supervisor; `queued`, or `following` with the start
# time, while it exists; `lost` if it is gone without a result. For a finished log (`log` or `errors`) it also
# prints the checksum of the promised bytes, the one of POSIX, because cksum is on nearly every machine.
# shellcheck disable=SC2154

. ./children.sh
report() {
    children
    # The supervisor may write its line and be gone between two looks: its line is read after the look at it.
    supervised=''
    [ -s "$job/status" ] || ! alive "$job" || supervised=1
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
    elif [ -n "$supervised" ]; then
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
