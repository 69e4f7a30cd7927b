#!/bin/sh
# Cleans up in the workspace `root` after an upload: `rescue FILE NAME` gives a version that was moved aside a name
# among the files, `discard` removes the folder that the upload needed (`own`), `leave FOLDER` removes a folder that
# is empty now. Calls follow this text.
: "${root?}" "${own?}"

cd "$root" || exit 3
rescue() {
    name=$2
    while [ -e "$name" ] || [ -L "$name" ]; do name=$name+; done
    mkdir -p "${name%/*}" && mv -- "$1" "$name" || exit 4
}
discard() { rm -rf "$own"; }
leave() { rmdir -- "$1" 2>/dev/null; }
