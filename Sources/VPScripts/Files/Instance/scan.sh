#!/bin/sh
# Lists the workspace `root`; the find options in `$@` skip folders. `makes_root` is not empty if the folder must be
# created, and the free space there reported; `temporary` and `own` are folders of a finished upload to remove, or
# empty. If the digest of the current files is `known`, only that is printed. A root that is created gets the line
# `mark` in `mark_file`, if it has none and `mark` is not empty; its earlier mark is printed at the end, after the
# free space.
: "${root?}" "${makes_root?}" "${temporary?}" "${own?}" "${known?}" "${newer?}" "${mark?}" "${mark_file?}"

export LC_ALL=C
. ./find-files.sh
if [ -n "$makes_root" ]; then
    mkdir -p "$root" || exit 4
elif [ ! -e "$root" ]; then
    printf 'end \0'
    exit
fi
# A root that exists and cannot be entered is not an empty one.
cd "$root" || exit 3
had=
if [ -n "$makes_root" ] && [ -n "$mark" ]; then
    if [ -f "$mark_file" ]; then read -r had <"$mark_file"; else echo "$mark" >"$mark_file"; fi
fi
if [ -n "$temporary" ]; then
    rm -rf "$temporary"
    rmdir "$own" 2>/dev/null
fi
if [ -n "$known" ] && [ "$(digest versions "$@")" = "$known  -" ]; then
    printf 'known \0'
    exit
fi
if find . -maxdepth 0 -ignore_readdir_race -printf '' 2>/dev/null; then
    list versions "$@" || exit 3
else
    printf 'stat\0'
    exec 3>&1
    if [ -n "$newer" ]; then
        . ./changed.sh
        changed "$HOME/.vp/since"
        problems=$(find . -mindepth 1 "$@" -type f "$change" "$than" \
            -exec stat -c '%f %s %Y %y %Z|%n' {} + 2>&1 >&3)
        set -- "$@" -type l "$change" "$than"
    else
        problems=$(find . -mindepth 1 "$@" \( -type f -o -type d \) -exec stat -c '%f %s %Y %y %Z|%n' {} + 2>&1 >&3)
        set -- "$@" -type l
    fi
    exec 3>&-
    printf '\0'
    # shellcheck disable=SC2016
    find . -mindepth 1 "$@" -exec sh -c \
        'for link; do printf "l %s\0" "${link#./}"; readlink "$link"; printf "\0"; done' sh {} + 2>/dev/null
    # A file that vanished meanwhile is no problem; a folder that cannot be read is not an empty one.
    case $problems in
    *denied*)
        echo "$problems" >&2
        exit 3
        ;;
    esac
fi
set --
if [ -n "$makes_root" ]; then
    room=$(df -Pk . 2>/dev/null | tail -n 1)
    set -f
    # shellcheck disable=SC2086
    set -- $room
fi
printf 'end %s %s\0' "${4:-}" "$had"
