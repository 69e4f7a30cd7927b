#!/bin/sh
# Runs the engine's tests under the thread sanitizer: scripts/sanitize.sh [arguments of the test program]
# It is built in a folder of its own. What is known of other packages stands in scripts/tsan.txt, each with its reason.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
swift build --build-tests --sanitize thread --scratch-path .build-tsan
# Everything is some ten times as slow and larger: what measures memory and what has deadlines of its own is left out.
TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.txt halt_on_error=0 exitcode=66"
SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4
export TSAN_OPTIONS SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH
exec "$(swift build --show-bin-path --scratch-path .build-tsan)/VariousPlugPackageTests.xctest" \
    --testing-library swift-testing --filter VPEngineTests "$@"
