#!/bin/sh
# Moves what is gone here to where it is judged, in the workspace `root`: `drop PATH`, for all but folders.
# Calls follow this text.
: "${root?}" "${aside?}"

cd "$root" || exit 3
drop() {
    if [ -d "$1" ] && [ ! -L "$1" ]; then return; fi
    if [ -e "$1" ] || [ -L "$1" ]; then mkdir -p "$aside/${1%/*}" && mv -f -- "$1" "$aside/$1"; fi
}
