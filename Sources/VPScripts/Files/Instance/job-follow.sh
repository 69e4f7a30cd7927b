#!/bin/sh
# Follows the log `stream` of a job that was started before, from byte `offset` on.
#
# The log is copied to standard output unchanged. Standard error has `queued` while the job waits for another,
# `following` with its start time once it runs, and at the end the output of `report`.
#
# If the reader goes away, nothing may stay behind for as long as the job runs. A shell notices that only by
# writing, so in long pauses the last line is repeated now and then.
: "${stream?}" "${offset?}"

. ./job-open.sh
log=$job/$stream pid=''
if [ ! -s "$job/pid" ] && [ ! -s "$job/status" ] && alive "$job"; then
    echo 'vp-job queued' >&2
    beats=0
    while [ ! -s "$job/pid" ] && [ ! -s "$job/status" ] && alive "$job"; do
        sleep 0.2
        beats=$((beats + 1))
        [ $((beats % 25)) -ne 0 ] || echo 'vp-job queued' >&2 || exit 92
    done
fi
start=0
[ ! -s "$job/pid" ] || read -r pid start <"$job/pid"
[ ! -s "$job/watched" ] || read -r pid <"$job/watched"
told=0
# Reports changes in the number of processes that still work after the command has ended.
tell() {
    count=0
    if [ -s "$job/background" ]; then
        while read -r state _; do [ "$state" != running ] || count=$((count + 1)); done <"$job/background"
    fi
    [ $count -ne $told ] || return 0
    told=$count
    [ -s "$job/status" ] || echo "vp-job background $count" >&2
}
echo "vp-job following $start" >&2
# Other versions of tail do not know --pid. The answer is saved, because asking costs a process.
if [ ! -f "$HOME/.vp/tail-knows-pid" ] && tail --pid=$$ -c 0 /dev/null 2>/dev/null; then
    : >"$HOME/.vp/tail-knows-pid"
fi
if [ ! -e "$log" ]; then
    :
elif [ -s "$job/status" ] || [ -z "$pid" ]; then
    tail -c +$((offset + 1)) "$log"
elif [ -f "$HOME/.vp/tail-knows-pid" ]; then
    tail -s 0.05 --pid="$pid" -c +$((offset + 1)) -f "$log" &
    tail=$!
    # If the supervisor was killed, nobody may be left to collect the command, and to tail a dead process that was
    # not collected still lives.
    while kill -0 "$tail" 2>/dev/null; do
        tell
        if ! alive "$job"; then
            sleep 1 2>/dev/null
            [ -s "$job/status" ] || kill "$tail" 2>/dev/null
            break
        fi
        sleep 1 2>/dev/null
    done >/dev/null &
    watch=$!
    # If the job is still running, it was the reader that ended tail.
    wait "$tail" 2>/dev/null || [ -s "$job/status" ] || ! alive "$job" || {
        kill "$watch" 2>/dev/null
        exit 92
    }
    kill "$watch" 2>/dev/null
else
    beats=0
    while :; do
        over=''
        if [ -s "$job/status" ] || ! alive "$job"; then over=1; fi
        size=$(($(wc -c <"$log")))
        if [ "$size" -gt "$offset" ]; then
            tail -c +$((offset + 1)) "$log" | head -c $((size - offset)) || exit 92
            offset=$size
        fi
        [ -z "$over" ] || break
        tell
        sleep 0.2
        beats=$((beats + 1))
        [ $((beats % 25)) -ne 0 ] || echo "vp-job following $start" >&2 || exit 92
    done
fi
while [ ! -s "$job/status" ] && alive "$job"; do sleep 0.005; done
report "$stream"
