#!/bin/sh
# Prints archives of files below `root`: `archive PATH…`, or `names PATH…` again and again into `archive_named`, since no
# command may have more than some words. Calls follow this text.
: "${root?}"

export LC_ALL=C
cd "$root" || exit 3
archive() { tar -cf - -- "$@"; }
names() { printf '%s\0' "$@"; }
archive_named() { tar -cf - --null --verbatim-files-from -T -; }
