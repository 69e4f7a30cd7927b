#!/bin/sh
# What the container runs. `loopback_control` holds our files, `loopback_home` is the folder it begins in;
# `loopback_command` is run by a container that has one of its own, `loopback_shell` runs `onstart.sh` for all
# others; then comes sshd. `$1` is how many seconds that is late.
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
