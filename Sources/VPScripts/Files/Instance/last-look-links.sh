#!/bin/sh
# Is run by find in last-look.sh, and by itself for links behind links: `$1` is the workspace, `$2` the home, `$3`
# how deep links are still followed, `$4` the folder that contains the links and `$5` its name; then links. `$sort`
# is this text.
# shellcheck disable=SC2154

root=$1 home=$2 depth=$3 base=$4 prefix=$5
shift 5
for link; do
    target=$(readlink -f "$link" 2>/dev/null) && [ -e "$target" ] || continue
    case $target/ in
    "$root"/* | "$base"* | /proc/* | /sys/* | /dev/* | /run/* | "$home"/.vp/*) continue ;;
    esac
    # A folder that contains the workspace or the home is no folder of results.
    case $root/ in "${target%/}/"*) continue ;; esac
    case $home/ in "${target%/}/"*) continue ;; esac
    name=$prefix${link#"$base"}
    if [ -d "$target" ]; then
        printf "link\0%s\0%s\0d\0" "$name" "$target"
        [ "$depth" -eq 0 ] || find "$target" -type l \
            -exec sh -c "eval \"\$sort\"" sh "$root" "$home" $((depth - 1)) "$target/" "$name/" {} +
    elif [ -f "$target" ]; then
        printf "link\0%s\0%s\0f\0" "$name" "$target"
    fi
done
