#!/bin/sh
# Prints the part of the log `stream` of a job after byte `offset`, and reports the state of the job.
: "${stream?}" "${offset?}"

. ./job-open.sh
[ ! -e "$job/$stream" ] || tail -c +$((offset + 1)) "$job/$stream"
report "$stream"
