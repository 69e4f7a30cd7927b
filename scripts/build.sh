#!/bin/sh
# Builds vp and vp-tui for use, into .build-release/release: scripts/build.sh [vp] [vp-tui]
#
# Four things shorten each start of `vp`, the first three from 13.6 ms to 6.6 on the machine that measured it:
# - The Swift libraries are linked into the program.
# - The first request loads libcurl, and some thirty libraries behind it (Sources/CCurl). FlyingFox depends on
#   FoundationNetworking for a proxy that nobody here uses, and that would link libcurl: an empty archive replaces it, with
#   an object whose functions, hidden from libcurl itself, end the program. The last lines check that nothing is linked.
# - The program has a fixed address, so that its hundred thousand pointers need not be adjusted.
# - Generic types are created by calls and not by their mangled names. For each name the runtime searches all eight thousand
#   conformances of the program, which was half of the time of a `vp sync` without changes.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh run
stand_ins=$PWD/.build-release/stand-ins
tools=$(dirname "$(readlink -f "$(command -v swift)")")
mkdir -p "$stand_ins"
rm -f "$stand_ins/libcurl.a"
nm "$tools"/../lib/swift_static/linux/lib_CFURLSessionInterface.a |
    sed -n 's/.* U \(curl_[a-z_]*\)$/__attribute__((visibility("hidden"))) void \1(void) { __builtin_trap(); }/p' | sort -u |
    "$tools/clang" -c -x c - -o "$stand_ins/curl.o"
ar rc "$stand_ins/libcurl.a"

[ $# -gt 0 ] || set -- vp vp-tui
for name; do
    swift build -c release --scratch-path .build-release --static-swift-stdlib --product "$name" \
        -Xswiftc -L"$stand_ins" -Xlinker "$stand_ins/curl.o" -Xswiftc -Xclang-linker -Xswiftc -no-pie \
        -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
    if readelf -d ".build-release/release/$name" | grep -q 'NEEDED.*libcurl'; then
        echo "build.sh: $name would load libcurl at every start" >&2
        exit 1
    fi
done
