#!/bin/sh
# Creates the workspace `root` and installs rsync if it is missing. The last line of stderr describes a failure.
: "${root?}"

. ./since.sh
mkdir -p "$root" && [ -w "$root" ] || {
    echo "the workspace cannot be written: $root" >&2
    exit 3
}
command -v rsync >/dev/null && exit 0
export DEBIAN_FRONTEND=noninteractive
if command -v apt-get >/dev/null; then
    apt-get update -qq && apt-get install -y -qq rsync
elif command -v apk >/dev/null; then
    apk add -q rsync
elif command -v dnf >/dev/null; then
    dnf install -y -q rsync
elif command -v yum >/dev/null; then
    yum install -y -q rsync
fi >/dev/null
command -v rsync >/dev/null || command -v tar >/dev/null || {
    echo 'rsync is missing and could not be installed, and there is no tar' >&2
    exit 4
}
