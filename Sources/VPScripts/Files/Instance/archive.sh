#!/bin/sh
# Prints archives of files below `root`: `archive PATH…`, or repeated `names PATH…` piped into `archive_named`,
# since the length of a command line is limited. Calls follow this text.
: "${root?}"

export LC_ALL=C
cd "$root" || exit 3
archive() { tar -cf - -- "$@"; }
names() { printf '%s\0' "$@"; }
archive_named() { tar -cf - --null --verbatim-files-from -T -; }
