#!/bin/sh
# Waits until the job `job_id` can be reported on, and sets `job` to its folder. A supervisor that was just started
# needs a few milliseconds to announce itself, and on an overloaded machine a few seconds.
: "${job_id?}"

job=$HOME/.vp/jobs/$job_id
. ./alive.sh
. ./job-report.sh
[ -d "$job" ] || {
    echo 'vp-job absent' >&2
    exit 0
}
tries=0
while [ ! -s "$job/supervisor" ] && [ $tries -lt 5000 ]; do
    tries=$((tries + 1))
    sleep 0.002
done
while [ ! -s "$job/pid" ] && [ ! -s "$job/status" ] && [ ! -e "$job/queued" ] && alive "$job"; do
    sleep 0.002
done
