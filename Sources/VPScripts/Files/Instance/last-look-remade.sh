#!/bin/sh
# Is run by find in last-look.sh: prints folders that can be recreated, and their sizes.

for folder; do
    folder=${folder%/CACHEDIR.TAG}
    size=$(du -sk "$folder" 2>/dev/null | cut -f 1)
    printf 'remade\0%s\0%s\0' "${folder#./}" "${size:-0}"
done
