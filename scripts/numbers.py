#!/usr/bin/env python3
"""Lists conversions to numbers from text or other kinds of numbers, and uses of C formats.

Text from a platform, an instance or a stored file becomes a number through `NumberRange`, and numbers become text
through `Figures`. In the files that read such text every other conversion is listed in `scripts/numbers.allow` with its
reason:

    PATH or *  |  CODE  |  REASON

CODE is the conversion as in the source, without blanks. With `*` as the path an entry applies to all files, and CODE is a
pattern in which `*` matches anything. Fails for a conversion that is not listed, and for an entry that nothing needs.
"""

import fnmatch
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ENGINE = ROOT / "Sources" / "VPEngine"
READERS = [
    "Platforms/**/*.swift", "SSH/**/*.swift", "Store/**/*.swift", "Money/**/*.swift", "Model/**/*.swift",
    "Jobs/**/*.swift", "Instances/**/*.swift", "System/**/*.swift",
    "Sync/TreeRecords.swift", "Sync/RemoteScan.swift", "Sync/ManifestStore.swift", "Sync/SettledState.swift",
    "Sync/RsyncTransfer.swift", "Sync/TarTransfer.swift", "Sync/LastLook.swift", "Sync/VerifiedMark.swift",
]
CONVERSION = re.compile(r"(?<![\w.])(?:U?Int(?:8|16|32|64)?|Double|Float)\(")
# These labels define what happens to a number that does not fit, or take none from outside.
SAFE = re.compile(r"\((?:saturating|exactly|clamping|truncatingIfNeeded|ascii|bitPattern|bigEndian):")
FORMAT = re.compile(r"String\(\s*format:|NSString\(\s*format:|withVaList")


def call(text, start):
    """Returns the call that begins at `start`, up to its closing bracket, without blanks."""
    depth = 0
    for index in range(text.index("(", start), len(text)):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return re.sub(r"\s+", "", text[start:index + 1])
    return re.sub(r"\s+", "", text[start:])


def source(path):
    """Returns the file without its comments, with unchanged line numbers."""
    return re.sub(r"(?m)^\s*//.*$|(?<=[\s;{}])// .*$", "", path.read_text())


def findings():
    readers = sorted({path for pattern in READERS for path in ENGINE.glob(pattern)})
    for path in readers:
        text = source(path)
        for match in CONVERSION.finditer(text):
            code = call(text, match.start())
            if not SAFE.match(code[code.index("("):]):
                yield path, text.count("\n", 0, match.start()) + 1, code
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        if "LoopbackCloud" in path.parts:
            continue
        text = source(path)
        for match in FORMAT.finditer(text):
            yield path, text.count("\n", 0, match.start()) + 1, call(text, match.start())


def main():
    allowed = {}
    listing = ROOT / "scripts" / "numbers.allow"
    for number, line in enumerate(listing.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != 3 or not all(parts):
            sys.exit(f"scripts/numbers.allow:{number}: PATH | CODE | REASON is wanted")
        allowed[(parts[0], parts[1])] = number
    used = set()
    problems = []
    for path, line, code in findings():
        name = str(path.relative_to(ROOT / "Sources"))
        keys = [key for key in [(name, code)] if key in allowed]
        keys += [key for key in allowed if key[0] == "*" and fnmatch.fnmatchcase(code, key[1])]
        used.update(keys)
        if not keys:
            problems.append(f"Sources/{name}:{line}: {code}")
    for key in sorted(set(allowed) - used, key=allowed.get):
        problems.append(f"scripts/numbers.allow:{allowed[key]}: nothing needs this entry: {key[0]} | {key[1]}")
    if problems:
        print("numbers.py: read figures from outside by NumberRange, write them by Figures, or give a reason:")
        print("\n".join(problems))
        sys.exit(1)


if __name__ == "__main__":
    main()
