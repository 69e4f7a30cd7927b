#!/bin/sh
# The first process of the container. Whoever logs in later finds the variables of the container in its
# environment, as on the platforms, and nowhere else; and as the first process it reaps what others leave
# behind. `loopback_control` holds our files; `$1` is how many seconds sshd is late, `$2` not empty once the
# variables are read.
: "${loopback_control?}"

if [ -z "$2" ]; then
    # shellcheck source=/dev/null
    . "$loopback_control/environment"
    exec /bin/sh "$0" "$1" again
fi
/bin/sh "$loopback_control/start" "$1" &
wait $!
