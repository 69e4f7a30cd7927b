#!/bin/sh
# Records when the instance first came up, unless that was recorded before or jobs have run there already: later
# changes were made there.

mkdir -p "$HOME/.vp" && { [ -e "$HOME/.vp/since" ] || [ -d "$HOME/.vp/jobs" ] || : >"$HOME/.vp/since"; } 2>/dev/null
