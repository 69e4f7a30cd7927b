#!/bin/sh
# Notes when the instance first came up, unless it was noted, or jobs have been there before: what changed
# later was written there.

mkdir -p "$HOME/.vp" && { [ -e "$HOME/.vp/since" ] || [ -d "$HOME/.vp/jobs" ] || : >"$HOME/.vp/since"; } 2>/dev/null
