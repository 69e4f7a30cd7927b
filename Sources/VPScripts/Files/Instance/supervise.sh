#!/bin/sh
# Stays with a job from its start to its end, and records how the command ended. It runs in a session of its own,
# without input. The command runs in another session, so that ending the command's session cannot end the record of
# it.
#
# `$1` is the job's folder, `$2` the folder to work in, `$3` a job to wait for or empty, `$4` `plain`, `split`
# (standard error has a file of its own) or the `rows:columns` of a terminal, `$5` how many seconds the command may
# take, 0 for no limit, `$6` how many seconds background work may be idle before it is left behind, `$7` the
# workspace.
#
# The last step is to write `status`: words of the form `key=value` on one line. Sizes are part of it because a
# process that the command left behind may continue to write, and its later output is not part of what was promised.
# Setting the log to its current size wakes a `tail` that waits for it.

job=$1 folder=$2 after=$3 manner=$4 limit=$5 linger=$6 root=$7
umask 022
read -r stat <"/proc/$$/stat"
# shellcheck disable=SC2086
set -- ${stat##*) }
echo "$$ ${20}" >"$job/supervisor"
. ./alive.sh
now() {
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
}
# How often the kernel has ended a process of this container because memory ran out.
ooms() {
    ooms=0
    for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r "$file" ] || continue
        while read -r key value; do [ "$key" != oom_kill ] || ooms=$value; done <"$file"
        break
    done
}
finish() {
    # A limiter at work still has to end children that outlived the command.
    if [ -e "$job/limit-reached" ]; then wait "$limiter"; else [ -z "$limiter" ] || kill "$limiter" 2>/dev/null; fi
    if [ -e "$job/stopped" ]; then wait "$watcher"; else [ -z "$watcher" ] || kill "$watcher" 2>/dev/null; fi
    # Values of variables are kept nowhere, even if the command never came to read them.
    : >"$job/environment"
    [ ! -e "$job/input" ] || rm -f "$job/input"
    # The removal makes room for this line if the command has filled the disk.
    echo "$1" 2>/dev/null >"$job/status" || rm -f "$job/command" "$job/environment"
    until [ -s "$job/status" ]; do
        echo "$1" 2>/dev/null >"$job/status" || sleep 5
    done
    for file in "$job/log" "$job/errors"; do [ ! -e "$file" ] || truncate -s +0 "$file" 2>/dev/null; done
    exit 0
}
# Ends the job when the command has used up its time, `$limit` seconds: TERM, then KILL. It runs here and not where
# the job was started, so that the limit holds when nobody is there. Its sleep is a process that would stay for the
# rest of that time, so it is killed with its shell.
end_in_time() {
    trap 'kill "$pause" 2>/dev/null; exit' TERM
    sleep "$limit" &
    pause=$!
    wait "$pause"
    trap - TERM
    if [ ! -s "$job/end" ]; then
        : >"$job/limit-reached"
        printf '\nvp: the cost limit of this run is reached; this job is being ended.\n' >>"$job/log"
        terminate 10
    fi
}
# Adds to `end` what is wrong with a script that could not be executed: its line ends, or its interpreter.
check_interpreter() {
    set -f
    ending=$(printf '\r')
    words=''
    quotes="'\""
    read -r words <"$job/command"
    for word in $words; do
        word=${word#["$quotes"]}
        word=${word%;}
        word=${word%["$quotes"]}
        if [ ! -f "$word" ] || [ ! -r "$word" ]; then continue; fi
        line=$(head -c 256 "$word" 2>/dev/null | tr -d '\000' | head -n 1)
        case $line in '#!'*) ;; *) continue ;; esac
        case $line in
        *"$ending")
            end="$end script=crlf"
            line=${line%"$ending"}
            ;;
        esac
        # shellcheck disable=SC2086
        set -- ${line#??}
        interpreter=${1:-}
        case $interpreter in
        */env)
            shift
            [ "${1:-}" != -S ] || shift
            interpreter=${1:-}
            ;;
        esac
        command -v "$interpreter" >/dev/null 2>&1 || end="$end missing=$interpreter"
        break
    done
    set +f
}
limiter='' watcher=''
if [ -n "$after" ]; then
    : >"$job/queued"
    while [ ! -s "${job%/*}/$after/status" ] && alive "${job%/*}/$after" && [ ! -e "$job/cancelled" ]; do
        sleep 0.5
    done
fi
[ ! -e "$job/cancelled" ] || finish 'unstarted=1'
if ! cd "$folder" 2>>"$job/log"; then
    echo "vp: the working folder $folder cannot be entered" >>"$job/log"
    finish "code=126 start=$(date +%s) lasted=0 bytes=$(($(wc -c <"$job/log")))"
fi
# Only the first process of a RunPod container has its variables; the platform's own shells read them here.
# shellcheck disable=SC1091
[ ! -r /etc/rp_environment ] || ! (. /etc/rp_environment) >/dev/null 2>&1 || . /etc/rp_environment
# shellcheck disable=SC1091
[ ! -r "$HOME/.vp/environment" ] || . "$HOME/.vp/environment"
export PYTHONUNBUFFERED=1
# The driver's version: the kernel tells it to most containers; in others nvidia-smi is asked once.
driver=${job%/jobs/*}/driver
if [ ! -e "$driver" ]; then
    if [ -r /proc/driver/nvidia/version ]; then
        read -r _ _ _ _ _ _ _ version _ </proc/driver/nvidia/version
        echo "$version" >"$driver"
    elif command -v nvidia-smi >/dev/null 2>&1; then
        nvidia-smi --query-gpu=driver_version --format=csv,noheader >"$driver" 2>/dev/null &
    fi
fi
exec >>"$job/log"
if [ "$manner" = split ]; then exec 2>>"$job/errors"; else exec 2>&1; fi
ooms
ooms_before=$ooms
. ./processes.sh
. ./plain-waiter.sh
if [ "$limit" -gt 0 ]; then
    end_in_time </dev/null >/dev/null 2>&1 &
    limiter=$!
fi
if [ -s "$job/watch" ]; then
    # shellcheck source=/dev/null
    (. "$job/watch" && watch_losses) </dev/null >/dev/null 2>&1 &
    watcher=$!
fi
if command -v bash >/dev/null 2>&1; then
    shell=bash
else
    case ${SHELL:-} in
    '' | */nologin | */false) shell='sh' ;;
    *) if [ -x "$SHELL" ]; then shell=$SHELL; else shell='sh'; fi ;;
    esac
fi
input=/dev/null
[ ! -e "$job/input" ] || input=$job/input
code=3
if command -v perl >/dev/null 2>&1; then
    # The waiter sends this signal when it stays, as the parent of processes left behind.
    trap : USR1
    VP_WAITER=1 perl "$job/waiter.pl" "$job" "$manner" "$linger" "$root" "$shell" <"$input" &
    waiter=$!
    wait "$waiter"
    code=$?
    while [ $code -gt 128 ] && [ ! -s "$job/end" ] && kill -0 "$waiter" 2>/dev/null; do
        wait "$waiter"
        code=$?
    done
    trap - USR1
fi
if [ $code -ne 3 ]; then
    :
elif [ "${manner#*:}" != "$manner" ]; then
    echo 'vp: a terminal for a job (-t) needs perl on the instance' >&2
    echo "code=126 start=$(date +%s) lasted=0 bytes=$(($(wc -c <"$job/log")))" >"$job/end"
else
    wait_plainly
fi
end=waiter=gone
[ ! -s "$job/end" ] || read -r end <"$job/end"
case $end in
code=0\ *) ;;
*)
    ooms
    [ "$ooms" -le "$ooms_before" ] || end="$end oom=1"
    for room in $(df -Pk "$job" . 2>/dev/null | while read -r _ _ _ free _; do echo "$free"; done); do
        case $room in *[!0-9]*) ;; *) [ "$room" -ge 512 ] || end="$end full=1" ;; esac
    done
    ;;
esac
case $end in
code=126\ * | code=127\ *)
    check_interpreter
    ;;
esac
[ ! -s "$driver" ] || { read -r version <"$driver" && end="$end driver=$version"; }
[ ! -e "$job/lease-ended" ] || end="$end lease=1"
[ ! -e "$job/limit-reached" ] || end="$end limit=1"
[ ! -s "$job/stopped" ] || { read -r words <"$job/stopped" && end="$end stop=$words"; }
finish "$end"
