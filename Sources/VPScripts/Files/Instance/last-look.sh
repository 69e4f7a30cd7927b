#!/bin/sh
# Prints what a listing of the workspace `root` does not show and an end would lose all the same, in records
# of words that end with NUL each. `folders` are folders in which jobs worked, as words of shell text; `depth`
# is how far a link behind a link is followed. `$@` has find meet folders that can be made again. `sort`,
# `remade` and `repository` are the texts of last-look-links.sh, last-look-remade.sh and
# last-look-repository.sh.
: "${root?}" "${folders?}" "${depth?}" "${sort?}" "${remade?}" "${repository?}"

export LC_ALL=C
[ -e "$root" ] || {
    printf 'end\0'
    exit
}
cd "$root" || exit 3
since=$HOME/.vp/since
# Where nobody knows since when, everything counts.
[ -e "$since" ] || { mkdir -p "$HOME/.vp" && touch -t 197001020000 "$since"; }
root=$(pwd -P)
home=$(cd "$HOME" && pwd -P)
# Each of them may hold others, for which the same script is there; find takes but one `{}`.
export sort remade
# shellcheck disable=SC2016
find . -mindepth 1 \( -type d \( -name .git -o -name .vp-sync -o -name .vp-projects \) \) -prune \
    -o -type l -exec sh -c 'eval "$sort"' sh "$root" "$home" "$depth" ./ '' {} + 2>/dev/null
(
    eval "set -- $folders"
    for folder; do
        folder=$(cd "$folder" 2>/dev/null && pwd -P) || continue
        case ${folder%/}/ in
        "$root"/* | / | /proc/* | /sys/* | /dev/* | /run/*) ;;
        *) printf 'folder\0%s\0' "$folder" ;;
        esac
    done
)
# shellcheck disable=SC2016
find . \( "$@" \) -prune -exec sh -c 'eval "$remade"' sh {} + 2>/dev/null
# shellcheck disable=SC2016
find . \( "$@" \) -prune -o -type f -name CACHEDIR.TAG ! -path ./CACHEDIR.TAG \
    -exec sh -c 'eval "$remade"' sh {} + 2>/dev/null
find . \( -name .vp-sync -o -name .vp-projects \) -prune -o -name .git -prune -exec sh -c "$repository" sh "$since" {} \; 2>/dev/null
printf 'end\0'
