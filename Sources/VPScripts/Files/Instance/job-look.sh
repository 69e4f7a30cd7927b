#!/bin/sh
# Says on standard error how each of the jobs `$@` stands: a line `about` with its id, then what `report`
# says.

job=''
. ./alive.sh
. ./job-report.sh
for id; do
    echo "vp-job about $id" >&2
    job=$HOME/.vp/jobs/$id
    if [ -d "$job" ]; then report ''; else echo 'vp-job absent' >&2; fi
done
