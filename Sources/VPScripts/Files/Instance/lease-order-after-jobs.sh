#!/bin/sh
# Tells the instance to destroy itself as soon as no job runs there and all files are known to be stored elsewhere.

umask 077
lease=$HOME/.vp/lease
[ -s "$lease/settings" ] || exit 0
echo after-jobs >"$lease/order.new"
mv "$lease/order.new" "$lease/order"
exit 0
