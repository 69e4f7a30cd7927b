#!/bin/sh
# Starts the job `job_id` unless it was started before. Its folder then contains `command`, `environment`, and the
# texts `supervise`, `waiter.pl`, `loader` and `start-up`, which are passed in the variables named after them, and
# `watch`, if `job_watch` is not empty. The other variables are the supervisor's arguments; `input` names a file of
# `input_bytes` bytes that is the command's input, or is empty.
#
# The script uses builtins wherever they suffice: each process that it starts delays the command. The shell reads an
# `if` whole before it runs any of it, so that a connection that breaks during the transfer of the script leaves
# either no job or a started one.
: "${job_id?}" "${job_command?}" "${job_environment?}" "${job_supervise?}" "${job_waiter?}" "${job_loader?}"
: "${job_start_up?}" "${root?}" "${folder?}" "${after?}" "${manner?}" "${limit?}" "${linger?}"
: "${input?}" "${input_bytes?}" "${job_watch?}"

umask 077
job=$HOME/.vp/jobs/$job_id
fail() {
    echo "vp-job failed $1" >&2
    exit 91
}
[ -d "$HOME/.vp/jobs" ] || mkdir -p "$HOME/.vp/jobs" || fail 'cannot write to the home folder'
[ -d "$root" ] || (umask 022 && mkdir -p "$root") || fail 'cannot make the workspace'
if mkdir "$job" 2>/dev/null; then
    undo() {
        rm -rf "$job"
        fail "$1"
    }
    write() { printf '%s' "$2" >"$job/$1" || undo 'cannot write the job'; }
    write command "$job_command"
    write environment "$job_environment"
    write log ''
    [ "$manner" != split ] || write errors ''
    write supervise "$job_supervise"
    write waiter.pl "$job_waiter"
    write loader "$job_loader"
    write start-up "$job_start_up"
    [ -z "$job_watch" ] || write watch "$job_watch"
    if [ -n "$input" ]; then
        [ "$(($(wc -c <"$HOME/.vp/$input")))" -eq "$input_bytes" ] || undo 'the standard input did not arrive whole'
        mv "$HOME/.vp/$input" "$job/input" || undo 'cannot write the job'
    fi
    setsid sh "$job/supervise" "$job" "$folder" "$after" "$manner" "$limit" "$linger" "$root" \
        </dev/null >/dev/null 2>&1 &
fi
