#!/bin/sh
# Prints one line for each file below `root`: its digest, or `lost` if it cannot be read. `many PATH…` and `one
# PATH` read whole files, `beginning BYTES PATH` reads the first bytes of one. Calls follow this text, both here and
# on the instance.
#
# Forking for every file would take minutes for a large workspace, hence batches; a batch with a wrong number of
# lines is read one by one.
: "${root?}"

export LC_ALL=C
cd "$root" || exit 3
one() {
    if [ -f "$1" ] && [ ! -L "$1" ]; then sha256sum <"$1" || echo lost; else echo lost; fi
}
many() {
    whole=1
    for path; do if [ -L "$path" ] || [ ! -f "$path" ]; then whole=''; fi; done
    if [ "$whole" ] && sums=$(sha256sum -- "$@" 2>/dev/null); then
        echo "$sums"
    else
        for path; do one "$path"; done
    fi
}
beginning() { { [ ! -L "$2" ] && head -c "$1" <"$2" || echo; } | sha256sum; }
