#!/bin/sh
# Prints a line for each job that runs or waits here, up to `limit` lines: the mark, its running time in seconds or
# `-`, and its name.
: "${limit?}"

. ./alive.sh
now=$(date +%s)
count=0
for job in "$HOME"/.vp/jobs/*/; do
    job=${job%/}
    [ -d "$job" ] && [ ! -s "$job/status" ] && alive "$job" || continue
    start=''
    [ ! -s "$job/pid" ] || read -r _ start <"$job/pid"
    case $start in '' | *[!0-9]*) age=- ;; *) age=$((now - start)) ;; esac
    echo "vp-live $age ${job##*/}"
    count=$((count + 1))
    [ "$count" -lt "$limit" ] || break
done
exit 0
