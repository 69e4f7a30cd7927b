#!/bin/sh
# Renames the file at PATH in the workspace `root`, or the one that is in its way, to a name beside it, with
# `suffix`: `beside PATH`. Calls follow this text.
: "${root?}" "${suffix?}"

cd "$root" || exit 3
there() { [ -e "$1" ] || [ -L "$1" ]; }
beside() {
    rest=${1#./}
    path=.
    while [ -n "$rest" ]; do
        path=$path/${rest%%/*}
        case $rest in
        */*) rest=${rest#*/} ;;
        *) rest= ;;
        esac
        # The first component that is not a real folder is the one in the way.
        if [ ! -d "$path" ] || [ -L "$path" ]; then break; fi
    done
    there "$path" || return 0
    name=$path.$suffix
    while there "$name"; do name=$name+; done
    mv -- "$path" "$name" || exit 4
}
