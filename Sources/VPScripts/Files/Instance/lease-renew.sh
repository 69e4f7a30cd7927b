#!/bin/sh
# Renews the lease, if there is one, and reports its state.

. ./lease.sh
[ -s "$lease/settings" ] || {
    echo 'vp-lease absent' >&2
    exit 0
}
# shellcheck source=/dev/null
. "$lease/settings"
read -r end <"$lease/end"
[ "$end" = none ] || renew
launch
report
