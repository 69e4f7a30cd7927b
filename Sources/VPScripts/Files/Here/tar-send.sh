#!/bin/sh
# Reads a list of NUL-terminated paths below the folder `$1`, and pipes the files to the command in the rest of
# `$@`. `mode` is tar's mode option, `checkpoint` what tar prints every megabyte.
#
# Times have whole seconds, in the oldest of the formats with long names: busybox reads no newer one, and times that
# differ in the fraction alone are treated as equal.
: "${mode?}" "${checkpoint?}"

root=$1
shift
tar --create --format=gnu --hard-dereference --no-recursion --mode="$mode" \
    --directory="$root" --null --verbatim-files-from --files-from=- \
    --checkpoint=100 --checkpoint-action="echo=$checkpoint" | "$@"
