#!/bin/sh
# Installs missing packages, builds everything and runs all tests. Arguments go to `swift test`:
#   scripts/test.sh --filter VPEngineTests
# --long makes randomized tests search longer: hours instead of minutes.
# Four tests run at a time. On two cores a whole run took 17 minutes with three, 12 with six and 41 one by one (`--serial`);
# with more, clouds and terminals make each other miss their deadlines.
# The last line is the summary of `swift test`; the failures are listed once more above it, so that the end of a long output
# is enough.
set -eu
cd "$(dirname "$0")/.."

scripts/install.sh test
swift build --build-tests
order=
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4
for argument; do
    shift
    case $argument in
    --serial) order=--no-parallel ;;
    --long)
        export VP_FUZZ_ROUNDS=100000 VP_FUZZ_STEPS=1000000
        export VP_TORTURE_ROUNDS=1000 VP_TORTURE_SEEDS=40 VP_IGNORE_TREES=20000
        export VP_ADVERSARY_ROUNDS=1250 VP_HOSTILE_API_ROUNDS=200
        export VP_FAULT_SECONDS=20 VP_FAULT_CASES=all VP_SIGNAL_CASES=all
        export VP_INPUT_SEQUENCES=1000000
        ;;
    *) set -- "$@" "$argument" ;;
    esac
done

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
{
    # shellcheck disable=SC2086
    swift test --skip-build $order --xunit-output "$results/tests.xml" "$@" || echo $? >"$results/status"
} 2>&1 | tee "$results/output"
status=0
if [ -s "$results/status" ]; then status=$(cat "$results/status"); fi
# In CI all requirements of tests are installed: a skipped test has tested nothing.
if [ -n "${CI:-}" ] && [ "$status" = 0 ] && grep -q '<skipped' "$results"/*.xml; then status=1; fi
if [ "$status" = 0 ]; then exit 0; fi

echo 'Failed:'
# `swift test` writes the results of Swift Testing beside the requested file.
cat "$results"/*.xml | awk -v skips="${CI:-}" '
  /<testcase/ { test = $0; sub(/.*classname="/, "", test); sub(/" name="/, ".", test); sub(/" (time=|>).*/, "", test) }
  /<failure/ { why = $0; sub(/.*message="/, "", why); sub(/" *\/?>.*/, "", why); print "  " test ": " why }
  /<skipped/ && skips { why = $0; gsub(/ *<[^>]*>/, "", why); print "  " test ": skipped, " why }' |
    sed 's/&lt;/</g; s/&gt;/>/g; s/&quot;/"/g; s/&#8594;/→/g; s/&#10;/ /g; s/&amp;/\&/g'
grep 'Test run with' "$results/output" | tail -n 1
exit "$status"
