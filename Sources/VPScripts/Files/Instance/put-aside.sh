#!/bin/sh
# Moves files that were deleted locally aside in the workspace `root`, where they are judged: `drop PATH`, for
# everything but folders. Calls follow this text.
: "${root?}" "${aside?}"

cd "$root" || exit 3
drop() {
    if [ -d "$1" ] && [ ! -L "$1" ]; then return; fi
    if [ -e "$1" ] || [ -L "$1" ]; then mkdir -p "$aside/${1%/*}" && mv -f -- "$1" "$aside/$1"; fi
}
