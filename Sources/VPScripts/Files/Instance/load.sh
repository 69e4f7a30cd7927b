#!/bin/sh
# Reports the load of the instance every `interval` seconds, and the disk that contains `root`. Each report is one
# write, so that it wakes its reader once. The loop ends with the connection: its next report then has no reader.
: "${root?}" "${interval?}"

[ -d "$root" ] || root=/

report() {
    nvidia-smi --query-gpu=utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw \
        --format=csv,noheader,nounits 2>/dev/null | sed 's/^/gpu,/'
    sed -n 's/^cpu  */cpu /p' /proc/stat
    read -r load _ </proc/loadavg && echo "load $load"
    sed -n 's/^\(MemTotal\|MemAvailable\): *\([0-9]*\).*/\1 \2/p' /proc/meminfo
    df -Pk "$root" 2>/dev/null |
        sed -n '2s/^.* \([0-9][0-9]*\)  *\([0-9][0-9]*\)  *[0-9][0-9]*  *[0-9]*%.*/disk \1 \2/p'
    sed -n 's/^ *\([^:]*\): */net \1 /p' /proc/net/dev
    echo end
}

while :; do
    report=$(report)
    # bash's own `echo` and `printf` write line by line.
    cat <<end || exit
$report
end
    sleep "$interval"
done
