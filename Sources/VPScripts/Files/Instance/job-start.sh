#!/bin/sh
# Starts the job `job_id` unless it was started before. Below its folder stand then `command`, `environment`,
# and the texts `supervise`, `waiter.pl`, `loader` and `start-up`, which come in the variables that are called
# after them. The other variables are the supervisor's arguments; `input` names a file of `input_bytes` bytes
# for the command to read, or nothing.
#
# Builtins wherever they serve: each process that is started here is time before the command runs. The shell
# reads an `if` whole before it runs any of it, so that a connection that breaks while the script is on its
# way leaves either no job or a started one.
: "${job_id?}" "${job_command?}" "${job_environment?}" "${job_supervise?}" "${job_waiter?}" "${job_loader?}"
: "${job_start_up?}" "${root?}" "${folder?}" "${after?}" "${manner?}" "${limit?}" "${linger?}"
: "${input?}" "${input_bytes?}"

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
    if [ -n "$input" ]; then
        [ "$(($(wc -c <"$HOME/.vp/$input")))" -eq "$input_bytes" ] || undo 'the standard input did not arrive whole'
        mv "$HOME/.vp/$input" "$job/input" || undo 'cannot write the job'
    fi
    setsid sh "$job/supervise" "$job" "$folder" "$after" "$manner" "$limit" "$linger" "$root" \
        </dev/null >/dev/null 2>&1 &
fi
