#!/bin/sh
# Shows the floors of the engine: its folders, the arrows between them, and circles of files. See docs/ARCHITECTURE.md.
# A file depends on another if it names one of its top-level types. Ends with 1 for an arrow upward, a circle of more
# than three files, or a file on no floor; the last line is the summary.
set -eu
cd "$(dirname "$0")/.."
exec python3 scripts/floors.py "$@"
