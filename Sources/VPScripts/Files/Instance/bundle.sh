#!/bin/sh
# Prints a bundle of the commits that no remote of the repository in the folder `$1` of the workspace `root` has, if
# it is not larger than `limit` bytes. Prints its size on standard error.
: "${root?}" "${limit?}"

export LC_ALL=C
cd "$root" && cd "$1" || exit 3
own() { git -c safe.directory='*' -c core.fsmonitor=false -c core.hooksPath=/dev/null "$@"; }
umask 077
file=$HOME/.vp/bundle.$$
trap 'rm -f "$file"' EXIT
# Only the newest stash has a name, and a bundle contains names.
stashes=$(own rev-list -g refs/stash 2>/dev/null | head -n 1001)
# Each name takes a program. With so many, the whole repository is kept as it is.
[ "$(echo "$stashes" | wc -l)" -le 1000 ] || exit 4
number=0
for stash in $stashes; do
    own update-ref "refs/vp-stash/$number" "$stash"
    number=$((number + 1))
done
head=$(own rev-parse -q --verify HEAD >/dev/null && echo HEAD)
# shellcheck disable=SC2086
own bundle create "$file" --all $head --not --remotes >/dev/null || exit 4
size=$(($(wc -c <"$file")))
[ "$size" -le "$limit" ] || {
    echo "it is $size bytes" >&2
    exit 5
}
echo "vp-size $size" >&2
cat "$file"
