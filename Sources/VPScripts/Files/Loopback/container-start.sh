#!/bin/sh
# The program of the container. `loopback_control` contains our files, `loopback_home` is the folder that it starts
# in; a container with its own command runs `loopback_command`, all others run `onstart.sh` with `loopback_shell`;
# then sshd follows. `$1` is the delay of sshd in seconds.
: "${loopback_control?}" "${loopback_home?}" "${loopback_command?}" "${loopback_shell?}"

# shellcheck source=/dev/null
. "$loopback_control/environment"
cd "$loopback_home" || exit 1
if [ -z "$loopback_command" ]; then
    # shellcheck disable=SC2154
    echo "$(date '+%Y-%m-%d %H:%M:%S') container $VAST_CONTAINERLABEL started, $GPU_COUNT GPU"
    if [ -s onstart.sh ]; then
        echo "running onstart.sh"
        "$loopback_shell" onstart.sh </dev/null &
    fi
fi
[ "$1" = 0.0 ] || sleep "$1"
[ -z "$loopback_command" ] || eval "$loopback_command"
[ -n "$loopback_command" ] || echo "starting sshd"
. ./sshd.sh
