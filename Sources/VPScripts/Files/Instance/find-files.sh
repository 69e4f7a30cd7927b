#!/bin/sh
# Sets `list DETAIL WORDS…`, which prints the files, links and folders below the current folder, and `digest`, which
# prints a digest of that list. `names` reads no metadata of files, which makes it the fastest look there is;
# `versions` prints the same as a listing. The words are find options that skip folders. If `$newer` is not empty,
# only files that changed since the instance came up are listed, and no folders.
# shellcheck disable=SC2154

list() {
    case $1 in
    names) link='l %P\0' other='%y %P\0' ;;
    *) link='l %P\0%l\0' other='%y %s %T@,%C@ %m %P\0' ;;
    esac
    shift
    if [ -n "$newer" ]; then
        find . -ignore_readdir_race -mindepth 1 "$@" -type l -cnewer "$HOME/.vp/since" -printf "$link" \
            -o -type f -cnewer "$HOME/.vp/since" -printf "$other"
    else
        find . -ignore_readdir_race -mindepth 1 "$@" -type l -printf "$link" \
            -o \( -type f -o -type d \) -printf "$other"
    fi
}
# Without its last word, the output of a find that failed halfway would have a digest like any other.
digest() { { list "$@" 2>/dev/null && printf 'end'; } | sha256sum; }
