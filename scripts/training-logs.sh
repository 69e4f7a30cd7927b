#!/bin/sh
# Prints how `vp metrics --json` reads the logs of training programs in Tests/VPEngineTests/Training/corpus: a row for each
# log with what is wrong or missing, then the sums. Takes the program's path; without one, the debug build's.
set -eu
cd "$(dirname "$0")/.."
exec python3 scripts/training_logs.py "${1:-.build/debug/vp}"
