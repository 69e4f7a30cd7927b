#!/bin/sh
# The script that a rental carries along: it ends the instance if nobody ever installs the watchdog there. It runs
# in a shell of its own. `$id_variable` is the variable with the container's id; `$look_start`, id and `$look_end`
# make the address of the instance, and `$stop_path` is added to it for a stop. `$seconds` after the container's
# start the script carries out `$ending`, but stops the instance if `$kept` is not empty and that folder has a new
# file: files of somebody who came by ssh and not by vp are results as well.
: "${platform_call?}" "${variable?}" "${id_variable?}" "${look_start?}" "${look_end?}" "${stop_method?}" "${stop_path?}"
: "${stop_body?}" "${seconds?}" "${ending?}" "${kept?}"

# Put here by vp: ends this instance if nobody comes. See `vp lease`.
trap '' HUP
umask 077
lease=${HOME:-/root}/.vp/lease
# shellcheck disable=SC2034
agent=variousplug-boot-guard
look=''
eval "look=\$look_start\$$id_variable\$look_end"
. ./platform-orders.sh
[ ! -s "$lease/settings" ] || exit
mkdir -p "$lease" || exit
[ -e "$lease/boot" ] || : >"$lease/boot"
sleep "$seconds"
while [ ! -s "$lease/settings" ]; do
    how=$ending
    [ -z "$kept" ] || [ -z "$(find "$kept" ! -type d -newer "$lease/boot" 2>/dev/null | head -n 1)" ] || how=stop
    if [ "$how" = destroy ]; then
        answer=$(call DELETE "$look" '{}')
    else
        answer=$(call "$stop_method" "$look$stop_path" "$stop_body")
    fi
    rest "$answer" 60
done
