#!/bin/sh
# Tidies up in the workspace `root` after an upload: `rescue FILE NAME` gives a version that was put aside a
# name among the files, `discard` removes what the upload needed (`own`), `leave FOLDER` a folder that is
# empty now. Calls follow this text.
: "${root?}" "${own?}"

cd "$root" || exit 3
rescue() {
    name=$2
    while [ -e "$name" ] || [ -L "$name" ]; do name=$name+; done
    mkdir -p "${name%/*}" && mv -- "$1" "$name" || exit 4
}
discard() { rm -rf "$own"; }
leave() { rmdir -- "$1" 2>/dev/null; }
