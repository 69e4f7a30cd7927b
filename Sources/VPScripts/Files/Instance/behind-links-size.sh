#!/bin/sh
# Is run by find in behind-links.sh: `$1` is the workspace, `$2` the home, `$3` the file whose time is the start;
# then links.

root=$1 home=$2 since=$3
shift 3
. ./changed.sh
changed "$since"
for link; do
    target=$(readlink -f "$link" 2>/dev/null) && [ -e "$target" ] || continue
    case $target/ in "$root"/* | /proc/* | /sys/* | /dev/* | /run/* | "$home"/.vp/*) continue ;; esac
    case $root/ in "${target%/}/"*) continue ;; esac
    case $home/ in "${target%/}/"*) continue ;; esac
    sum=0
    for size in $(find "$target" -type f "$change" "$than" -exec du -k {} + 2>/dev/null | cut -f 1); do
        case $size in *[!0-9]*) continue ;; esac
        sum=$((sum + size))
    done
    printf 'behind\0%s\0%s\0' "${link#./}" "$sum"
done
