#!/bin/sh
# Gives what is at PATH in the workspace `root`, or stands in its way, another name beside it, with `suffix`:
# `beside PATH`. Calls follow this text.
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
        # The first that is no folder of its own is what stands in the way.
        if [ ! -d "$path" ] || [ -L "$path" ]; then break; fi
    done
    there "$path" || return 0
    name=$path.$suffix
    while there "$name"; do name=$name+; done
    mv -- "$path" "$name" || exit 4
}
