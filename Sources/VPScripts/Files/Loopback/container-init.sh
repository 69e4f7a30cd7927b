#!/bin/sh
# The first process of the container. Later logins find the container's variables in the environment of this
# process, as on the platforms, and nowhere else; and as the first process it reaps orphans. `loopback_control`
# contains our files; `$1` is the delay of sshd in seconds, `$2` is not empty once the variables have been read.
: "${loopback_control?}"

if [ -z "$2" ]; then
    # shellcheck source=/dev/null
    . "$loopback_control/environment"
    exec /bin/sh "$0" "$1" again
fi
/bin/sh "$loopback_control/start" "$1" &
wait $!
