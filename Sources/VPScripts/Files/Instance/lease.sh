#!/bin/sh
# The common part of the lease scripts. `renew` needs the variables of `settings`.
# shellcheck disable=SC2154

lease=$HOME/.vp/lease
# The watchdog writes `cap` once for each start of the container.
renew() {
    end=$(($(date +%s) + seconds)) cap=none
    [ ! -s "$lease/cap" ] || read -r cap <"$lease/cap"
    if [ "$cap" != none ] && [ "$end" -gt "$cap" ]; then end=$cap; fi
    echo "$end" >"$lease/end.new" && mv "$lease/end.new" "$lease/end"
}
launch() {
    pid=''
    [ ! -s "$lease/pid" ] || read -r pid <"$lease/pid"
    if ! kill -0 "${pid:-x}" 2>/dev/null; then
        setsid sh "$lease/watchdog" "$lease" </dev/null >/dev/null 2>&1 &
        echo $! >"$lease/pid"
    fi
}
# Prints `state NOW END CAP USE IDLE GPU-IDLE`, `guard instance` or `guard none REASON`.
report() {
    tries=0
    while [ ! -s "$lease/state" ] && [ $tries -lt 500 ]; do
        tries=$((tries + 1))
        sleep 0.02
    done
    end=none cap=none use='unknown 0' pid=''
    [ ! -s "$lease/end" ] || read -r end <"$lease/end"
    [ ! -s "$lease/cap" ] || read -r cap <"$lease/cap"
    [ ! -s "$lease/state" ] || read -r use <"$lease/state"
    [ ! -s "$lease/pid" ] || read -r pid <"$lease/pid"
    echo "vp-lease state $(date +%s) $end $cap $use" >&2
    if [ ! -s "$lease/guard" ]; then
        echo 'vp-lease guard none it was never tried' >&2
    elif ! kill -0 "${pid:-x}" 2>/dev/null; then
        echo 'vp-lease guard none the watchdog does not run' >&2
    else
        read -r guard <"$lease/guard"
        echo "vp-lease guard $guard" >&2
    fi
}
