#!/bin/sh
# A stand-in for `loopback_python`. A relocated interpreter finds its library by its own place, but its shared
# object only by the path that it was built for: `loopback_library`, or empty.
: "${loopback_python?}" "${loopback_library?}"

[ -z "$loopback_library" ] || export LD_LIBRARY_PATH="$loopback_library"
exec "$loopback_python" "$@"
