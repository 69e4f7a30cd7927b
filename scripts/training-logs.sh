#!/bin/sh
# Prints how `vp metrics --json` reads the logs of training programs in Tests/VPEngineTests/Training/corpus: a row for each
# log with its wrong or missing figures, then the sums. Takes the program's path; the default is the debug build.
set -eu
cd "$(dirname "$0")/.."
exec python3 scripts/training_logs.py "${1:-.build/debug/vp}"
