#!/bin/sh
# Checks the programs that are not Swift: those of Sources/VPScripts, which run on instances, and those of this repository.
# Shell scripts are checked by the shells of instances, shellcheck and shfmt (`shfmt -w FILE` fixes the layout), perl and
# Python files by their interpreters. Also lists scripts that nothing uses, and programs in literals of Swift.
# Ends with 1 for any finding; the last line is the summary.
set -eu
cd "$(dirname "$0")/.."

folders='.ci scripts screenshots bench Sources'
failed=''
count=0
fail() {
    echo "$1" >&2
    failed=1
}
# File names here contain no blanks.
# shellcheck disable=SC2086
shell_files="$(find $folders -name '*.sh' | sort) .ci/run"
for file in $shell_files; do
    count=$((count + 1))
    for shell in dash 'bash --posix' 'busybox sh'; do
        # shellcheck disable=SC2086
        $shell -n "$file" || fail "$file: $shell does not read it"
    done
done
# shellcheck disable=SC2086
shellcheck $shell_files || fail 'shellcheck has found something'
# shellcheck disable=SC2086
shfmt -d $shell_files || fail 'shfmt would lay out something in another way'
# shellcheck disable=SC2086
for file in $(find $folders -name '*.pl' | sort); do
    count=$((count + 1))
    perl -c "$file" 2>/dev/null || {
        perl -c "$file" || :
        fail "$file: perl does not read it"
    }
done
python3 scripts/shell.py || fail 'scripts/shell.py has found something'
if [ -n "$failed" ]; then
    echo "shell.sh: there are findings above" >&2
    exit 1
fi
echo "shell.sh: $count scripts of shell and perl, and all of Python: nothing found"
