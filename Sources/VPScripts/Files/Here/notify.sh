#!/bin/sh
# Runs the user's `notify.command`, which is `$1` and so no part of this text, in the background: a slow webhook delays
# nobody. A command that hangs is ended after a minute, if this machine has `timeout`.

{
    if command -v timeout; then timeout -k 5 60 sh -c "$1"; else sh -c "$1"; fi
} </dev/null >/dev/null 2>&1 &
