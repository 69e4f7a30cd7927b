#!/bin/sh
# Takes what tar prints by the words after `$1` into the folder `$1`, up to `limit` bytes. Says on standard
# error how those words ended, after `mark`; `checkpoint` is what tar says every megabyte.
: "${limit?}" "${mark?}" "${checkpoint?}"

root=$1
shift
{
    "$@"
    echo "${mark}ssh $?" >&2
} | head -c "$limit" |
    tar --extract --ignore-zeros --no-same-owner --no-same-permissions --delay-directory-restore \
        --no-overwrite-dir --directory="$root" --file=- --checkpoint=100 --checkpoint-action="echo=$checkpoint"
