#!/bin/sh
# Builds vp and vp-tui for use, into .build-release/release: scripts/build.sh [vp] [vp-tui]
#
# Four things shorten each start of `vp`, the first three from 13.6 ms to 6.6 on the machine that measured it:
# - The Swift libraries are part of the program.
# - libcurl is loaded by the first request (Sources/CCurl). An empty archive stands in for it here, or the linker would
#   have the system load it, and some thirty libraries behind it, at every start.
# - The program has a fixed address, so that its hundred thousand pointers need not be adjusted.
# - Generic types are made by calls and not by their mangled names. For each name the runtime searches all eight thousand
#   conformances of the program, which was half of what `vp sync` had to do where nothing had changed.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh run
stand_ins=$PWD/.build-release/stand-ins
mkdir -p "$stand_ins"
rm -f "$stand_ins/libcurl.a"
ar rc "$stand_ins/libcurl.a"

[ $# -gt 0 ] || set -- vp vp-tui
for name; do
    swift build -c release --scratch-path .build-release --static-swift-stdlib --product "$name" \
        -Xswiftc -L"$stand_ins" -Xswiftc -Xclang-linker -Xswiftc -no-pie \
        -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
done
