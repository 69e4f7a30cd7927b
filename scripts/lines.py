#!/usr/bin/env python3
"""Checks lengths of lines and files that `swift format` does not check.

    scripts/lines.py          lists comments over 110 columns, and Swift files over 400 lines; ends with 1 if there are any
    scripts/lines.py --wrap   wraps such comments of Swift files, and lists the rest

`swift format` breaks code; the lines that it leaves over 110 columns are literals, which stay in one piece. Documents are
left out: they may have a sentence or a row of a table on one line where that reads better.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = 110
LINES = 400
COMMENT = re.compile(r"^(\s*)(///?)( ?)(.*)$")
# These begin a new paragraph.
OWN = re.compile(r"^(?:- |\d+\. |\| |```|MARK|#| {2,}|$)")


def files():
    return subprocess.run(
        ["git", "ls-files", "*.swift"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def comments(lines):
    """Yields each line with the parts of its comment, or None for code and within literals."""
    in_literal = False
    for line in lines:
        yield line, None if in_literal else COMMENT.match(line)
        if line.count('"""') % 2:
            in_literal = not in_literal


def is_too_long(line, comment):
    return bool(comment) and len(line) > COLUMNS and " " in comment[4]


def wrap(lines):
    """Returns `lines` with each long comment broken at a blank; the rest continues the same paragraph."""
    result = []
    rest = None  # the prefix of a line, and the rest of the one before
    for line, comment in comments(lines):
        if rest:
            begin, words = rest
            rest = None
            if comment and comment[1] + comment[2] == begin.rstrip() and comment[4] and not OWN.match(comment[4]):
                line = begin + words + " " + comment[4]
                comment = COMMENT.match(line)
            else:
                result.append(begin + words)
        if is_too_long(line, comment):
            begin = comment[1] + comment[2] + " "
            indent = " " * (len(re.match(r"(?:- |\d+\. )?", comment[4])[0]))
            cut = line.rfind(" ", len(begin), COLUMNS + 1)
            if len(line) - cut < 20:
                # A break at the end of a clause is better than one or two words alone on a line.
                ends = [match.end() - 1 for match in re.finditer(r"[.:;,)] ", line[:cut])]
                cut = next((end for end in reversed(ends) if end > COLUMNS // 2), cut)
            if cut > len(begin):
                rest = (begin + indent, line[cut + 1:])
                line = line[:cut]
        result.append(line)
    if rest:
        result.append(rest[0] + rest[1])
    return result


def main():
    problems = []
    for name in files():
        path = ROOT / name
        lines = path.read_text().split("\n")
        if sys.argv[1:] == ["--wrap"]:
            # The rest of a line may make the next one too long.
            while (again := wrap(lines)) != lines:
                lines = again
            path.write_text("\n".join(lines))
        problems += [
            f"{name}:{number}: a comment over {COLUMNS} columns"
            for number, (line, comment) in enumerate(comments(lines), 1) if is_too_long(line, comment)]
        if len(lines) - 1 > LINES:
            problems.append(f"{name}: {len(lines) - 1} lines, more than {LINES}: which second subject does it have?")
    print("\n".join(problems + [f"lines.py: {len(problems)} too long"]))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
