#!/bin/sh
# Is run by find in last-look.sh: prints the repository of the `.git` in `$2` if its history contains commits that
# no remote of it has. `$1` is the file whose time is the start.

since=$1 git=$2
[ -d "$git" ] || exit 0
repository=${git%/.git}
name=${repository#.}
name=${name#/}
own() {
    git -c safe.directory="*" -c core.fsmonitor=false -c core.hooksPath=/dev/null -C "$repository" "$@" 2>/dev/null
}
if ! command -v git >/dev/null 2>&1; then
    . ./changed.sh
    changed "$since"
    found=$(find "$git" -type f \( -path "*/objects/*" -o -path "*/refs/*" \) "$change" "$than" 2>/dev/null | head -n 1)
    [ -e "$since" ] && [ -z "$found" ] || printf "git\0%s\0raw\0\0" "$name"
    exit 0
fi
head=$(own rev-parse -q --verify HEAD)
stashes=$(own rev-list -g refs/stash)
# shellcheck disable=SC2086
count=$(own rev-list --count --all $head $stashes --not --remotes) || count=unknown
case $count in
0) exit 0 ;;
unknown)
    # The repository is damaged, or this git cannot read it.
    printf "git\0%s\0raw\0\0" "$name"
    exit 0
    ;;
esac
kind=bundle
[ ! -e "$git/shallow" ] || kind=raw
[ -z "$(find "$git/lfs/objects" -type f 2>/dev/null | head -n 1)" ] || kind=raw
tips=$({
    own for-each-ref --format="%(objectname)" refs/heads refs/tags
    echo "$head"
    echo "$stashes"
} |
    sort -u | head -n 1000 | tr "\n" " ")
printf "git\0%s\0%s\0%s\0" "$name" "$kind" "$tips"
