#!/bin/sh
# Ends every process of the job `job_id`: TERM, up to `grace` seconds, then KILL; for a job that is over, the
# processes that it left behind. At the end, standard error has the output of `report`, after a line `survivor` with
# number and name for each process that still exists, and a line `unadopted` if a process with an empty environment
# and a session of its own may have been missed.
: "${job_id?}" "${grace?}"

job=$HOME/.vp/jobs/$job_id
. ./alive.sh
. ./job-report.sh
[ -d "$job" ] || {
    echo 'vp-job absent' >&2
    exit 0
}
. ./processes.sh
[ -s "$job/status" ] || echo "$grace" >"$job/cancelled"
terminate "$grace"
for process in $(own); do
    name=''
    { read -r name <"/proc/$process/comm"; } 2>/dev/null
    echo "vp-job survivor $process $name" >&2
done
# A minute: the supervisor of a machine under load takes its time to write its line.
tries=600
while [ $tries -gt 0 ] && [ ! -s "$job/status" ] && alive "$job"; do
    sleep 0.1
    tries=$((tries - 1))
done
[ -s "$job/waiter" ] || [ ! -s "$job/pid" ] || echo 'vp-job unadopted' >&2
report ''
