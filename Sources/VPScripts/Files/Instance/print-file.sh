#!/bin/sh
# Prints the file `$1`, a path from the root, if it is not larger than `limit` bytes, after printing its size on
# standard error.
: "${limit?}"

cd / || exit 3
size=$(($(wc -c <"$1"))) || exit 3
[ "$size" -le "$limit" ] || {
    echo "it is $size bytes" >&2
    exit 5
}
echo "vp-size $size" >&2
cat "$1"
