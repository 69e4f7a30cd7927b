#!/bin/sh
# Prints a digest of the current files of the workspace `root`; `detail` and `$@` are those of `list`.
: "${root?}" "${detail?}" "${newer?}"

export LC_ALL=C
. ./find-files.sh
cd "$root" || exit 3
digest "$detail" "$@"
