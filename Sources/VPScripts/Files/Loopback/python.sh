#!/bin/sh
# Stands for `loopback_python`. An interpreter from elsewhere finds its library by its own place, but its shared object
# only by the path it was built for: `loopback_library`, or empty.
: "${loopback_python?}" "${loopback_library?}"

[ -z "$loopback_library" ] || export LD_LIBRARY_PATH="$loopback_library"
exec "$loopback_python" "$@"
