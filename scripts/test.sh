#!/bin/sh
# Installs what is missing, builds everything and runs all tests. Arguments go to `swift test`:
#   scripts/test.sh --filter VPEngineTests
# The last line is the summary of `swift test`.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
swift build --build-tests
exec swift test --skip-build "$@"
