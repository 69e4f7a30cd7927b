#!/bin/sh
# Shows VariousPlug at work on the loopback cloud: no account, no cost, nothing left behind.
# On a terminal it opens the dashboard; without one, or with --headless, `vp demo` walks through the main use.
set -eu
cd "$(dirname "$0")/.."

headless=no
[ -t 0 ] && [ -t 1 ] || headless=yes
if [ "${1:-}" = --headless ]; then
    headless=yes
    shift
fi

scripts/install.sh run
if [ "$headless" = yes ]; then
    swift build --product vp
else
    swift build --product vp
    swift build --product vp-tui
fi
products=$(swift build --show-bin-path)

if [ "$headless" = yes ]; then
    exec "$products/vp" demo "$@"
fi
exec "$products/vp-tui" --demo "$@"
