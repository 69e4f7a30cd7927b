#!/bin/sh
# Reports on standard error the state of each of the jobs `$@`: a line `about` with its id, then the output of
# `report`.

job=''
. ./alive.sh
. ./job-report.sh
for id; do
    echo "vp-job about $id" >&2
    job=$HOME/.vp/jobs/$id
    if [ -d "$job" ]; then report ''; else echo 'vp-job absent' >&2; fi
done
