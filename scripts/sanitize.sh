#!/bin/sh
# Runs the engine's tests under the thread sanitizer: scripts/sanitize.sh [arguments of the test program]
# The build has a separate folder. Known reports of other packages are listed in scripts/tsan.txt, each with its reason.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
swift build --build-tests --sanitize thread --scratch-path .build-tsan
# Everything is some ten times slower and larger, so tests that measure memory or have their own deadlines are left out.
TSAN_OPTIONS="suppressions=$PWD/scripts/tsan.txt halt_on_error=0 exitcode=66"
SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4
export TSAN_OPTIONS SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH
exec "$(swift build --show-bin-path --scratch-path .build-tsan)/VariousPlugPackageTests.xctest" \
    --testing-library swift-testing --filter VPEngineTests "$@"
