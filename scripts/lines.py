#!/usr/bin/env python3
"""Holds the length of lines and files where `swift format` does not look.

    scripts/lines.py          names comments over 110 columns, and Swift files over 400 lines; ends with 1 where there are any
    scripts/lines.py --wrap   breaks such comments of Swift files, and names the rest

Code is broken by `swift format`; what it leaves over 110 columns is a literal, which stays in one piece. Documents have a
sentence or a table's row in a line where that reads better, and are left out.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COLUMNS = 110
LINES = 400
COMMENT = re.compile(r"^(\s*)(///?)( ?)(.*)$")
# These begin a paragraph of their own.
OWN = re.compile(r"^(?:- |\d+\. |\| |```|MARK|#| {2,}|$)")


def files():
    return subprocess.run(
        ["git", "ls-files", "*.swift"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def comments(lines):
    """The line and, of a comment outside of literals, its parts."""
    in_literal = False
    for line in lines:
        yield line, None if in_literal else COMMENT.match(line)
        if line.count('"""') % 2:
            in_literal = not in_literal


def is_too_long(line, comment):
    return bool(comment) and len(line) > COLUMNS and " " in comment[4]


def wrap(lines):
    """`lines` with each comment that is too long broken at a blank; what is over goes on in the same paragraph."""
    result = []
    rest = None  # how a line begins, and what the one before had too much
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
                # Better than a word or two alone: where a sentence or a part of it ends.
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
            # What a line hands on may make the next one too long.
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
