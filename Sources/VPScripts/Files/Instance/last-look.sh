#!/bin/sh
# Prints results that a listing of the workspace `root` does not show and that would be lost with the instance, in
# records of NUL-terminated words. `folders` are folders in which jobs ran, as words of shell text; `depth` is how
# many links in a row are followed. `$@` are find options that match folders that can be recreated. `sort`, `remade`
# and `repository` are the texts of last-look-links.sh, last-look-remade.sh and last-look-repository.sh.
: "${root?}" "${folders?}" "${depth?}" "${sort?}" "${remade?}" "${repository?}"

export LC_ALL=C
[ -e "$root" ] || {
    printf 'end\0'
    exit
}
cd "$root" || exit 3
since=$HOME/.vp/since
# If the start time is unknown, everything counts.
[ -e "$since" ] || { mkdir -p "$HOME/.vp" && touch -t 197001020000 "$since"; }
root=$(pwd -P)
home=$(cd "$HOME" && pwd -P)
# Each of them may contain more links, which the same script handles; find accepts only one `{}`.
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
