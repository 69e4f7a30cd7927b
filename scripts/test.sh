#!/bin/sh
# Installs what is missing, builds everything and runs all tests. Arguments go to `swift test`:
#   scripts/test.sh --filter VPEngineTests
# One test at a time: side by side, on two cores, clouds and terminals keep each other from their deadlines. That takes
# some twenty minutes; `--parallel` takes eight, and fails now and then.
# The last line is the summary of `swift test`.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
swift build --build-tests
order=--no-parallel
for argument; do [ "$argument" != --parallel ] || order=; done
# shellcheck disable=SC2086
exec swift test --skip-build $order "$@"
