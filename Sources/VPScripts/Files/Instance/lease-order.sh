#!/bin/sh
# Tells the instance to destroy itself, with everything that is on it now, and to repeat that until it is gone.
# `order` is `destroy`, or `discard` to ignore results that are nowhere else.
#
# It begins after a moment, in which the caller has usually had the platform do it.
: "${lease_watchdog?}" "${order?}"

umask 077
lease=$HOME/.vp/lease
[ -s "$lease/settings" ] || exit 0
printf '%s' "$lease_watchdog" >"$lease/watchdog.new"
mv "$lease/watchdog.new" "$lease/watchdog"
[ "$order" = discard ] || touch "$lease/safe"
echo "$order" >"$lease/order.new"
mv "$lease/order.new" "$lease/order"
setsid sh "$lease/watchdog" "$lease" order </dev/null >/dev/null 2>&1 &
exit 0
