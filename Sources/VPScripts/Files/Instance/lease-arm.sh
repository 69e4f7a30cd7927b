#!/bin/sh
# Installs the watchdog with its settings, renews the lease and reports its state. `endless` is not empty for a
# lease without end, for which the watchdog only watches the use, and `survives` if the platform runs
# `/root/onstart.sh` at every start of the container, so that the watchdog survives a stop.
: "${lease_settings?}" "${lease_watchdog?}" "${endless?}" "${survives?}"

umask 077
. ./lease.sh
mkdir -p "$lease" || {
    echo 'vp-lease failed cannot write to the home folder' >&2
    exit 0
}
printf '%s' "$lease_settings" >"$lease/settings.new"
mv "$lease/settings.new" "$lease/settings"
printf '%s' "$lease_watchdog" >"$lease/watchdog.new"
mv "$lease/watchdog.new" "$lease/watchdog"
[ -e "$lease/safe" ] || : >"$lease/safe"
. ./since.sh
kept=''
# shellcheck source=/dev/null
. "$lease/settings"
# Records of jobs that a stop would have wiped are copied back.
[ ! -e "${kept:-/nowhere}/since" ] || cp -p "$kept/since" "$HOME/.vp/since"
for job in "${kept:-/nowhere}"/jobs/*/; do
    [ -d "$job" ] || continue
    job=${job%/}
    [ -e "$HOME/.vp/jobs/${job##*/}" ] || { mkdir -p "$HOME/.vp/jobs" && cp -R "$job" "$HOME/.vp/jobs/"; }
done
if [ -n "$endless" ]; then echo none >"$lease/end"; else renew; fi
if [ -n "$survives" ] && ! grep -qs '\.vp/lease/watchdog' /root/onstart.sh; then
    line="setsid sh $lease/watchdog $lease start </dev/null >/dev/null 2>&1 &"
    [ -s /root/onstart.sh ] || echo '#!/bin/sh' >/root/onstart.sh
    echo "$line" >>/root/onstart.sh && chmod +x /root/onstart.sh
fi 2>/dev/null
launch
sh "$lease/watchdog" "$lease" probe
report
