#!/bin/sh
# Reads a list of paths below the folder `$1`, each ended by NUL, and hands the files to the rest of `$@`.
# `mode` is what tar makes of their modes, `checkpoint` what it says every megabyte.
#
# Whole seconds in the oldest of formats with long names: busybox reads no newer one, and times that differ in
# the fraction alone are known to be equal.
: "${mode?}" "${checkpoint?}"

root=$1
shift
tar --create --format=gnu --hard-dereference --no-recursion --mode="$mode" \
    --directory="$root" --null --verbatim-files-from --files-from=- \
    --checkpoint=100 --checkpoint-action="echo=$checkpoint" | "$@"
