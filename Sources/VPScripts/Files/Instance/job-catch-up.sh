#!/bin/sh
# Brings what the log `stream` of a job holds beyond byte `offset` now, and says how the job stands.
: "${stream?}" "${offset?}"

. ./job-open.sh
[ ! -e "$job/$stream" ] || tail -c +$((offset + 1)) "$job/$stream"
report "$stream"
