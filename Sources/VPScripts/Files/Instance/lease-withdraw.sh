#!/bin/sh
# Takes an order to the watchdog back.

rm -f "$HOME/.vp/lease/order"
exit 0
