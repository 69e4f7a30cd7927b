#!/bin/sh
# Moves the files that have arrived in `temporary` into place in the workspace `root`: `merge`. A folder that is new
# there is moved as a whole. Deleted and replaced files are moved to `aside`: `drop PATH`. Calls follow this text.
: "${root?}" "${temporary?}" "${aside?}"

cd "$root" || exit 3
there() { [ -e "$1" ] || [ -L "$1" ]; }
folder() { [ -d "$1" ] && [ ! -L "$1" ]; }
drop() {
    there "$1" || return 0
    mkdir -p "$aside/${1%/*}" && mv -f -- "$1" "$aside/$1"
}
merge() {
    here=$1
    set --
    for name in "$temporary/$here"* "$temporary/$here".[!.]* "$temporary/$here"..?*; do
        there "$name" && ! there "$here${name##*/}" || continue
        set -- "$@" "$name"
        if [ $# -ge 100 ]; then
            mv -f -- "$@" "./$here"
            set --
        fi
    done
    [ $# -eq 0 ] || mv -f -- "$@" "./$here"
    for name in "$temporary/$here"* "$temporary/$here".[!.]* "$temporary/$here"..?*; do
        there "$name" || continue
        to=./$here${name##*/}
        if folder "$name" && folder "$to"; then
            (merge "$here${name##*/}/")
            continue
        fi
        if folder "$to"; then rmdir -- "$to"; else drop "$to"; fi && mv -f -- "$name" "$to"
    done
}
