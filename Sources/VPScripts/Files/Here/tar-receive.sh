#!/bin/sh
# Unpacks the output of the command in `$@` after `$1` with tar into the folder `$1`, up to `limit` bytes. Prints
# the command's exit status on standard error, after `mark`; `checkpoint` is what tar prints every megabyte.
: "${limit?}" "${mark?}" "${checkpoint?}"

root=$1
shift
{
    "$@"
    echo "${mark}ssh $?" >&2
} | head -c "$limit" |
    tar --extract --ignore-zeros --no-same-owner --no-same-permissions --delay-directory-restore \
        --no-overwrite-dir --directory="$root" --file=- --checkpoint=100 --checkpoint-action="echo=$checkpoint"
