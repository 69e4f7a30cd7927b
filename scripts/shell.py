#!/usr/bin/env python3
"""Looks for programs that no tool checks. Called by shell.sh, which describes the checks.

Lists Python files that do not compile, files of Sources/VPScripts that nothing uses or whose names become the same Swift
name, and programs of more than one line in a literal of Swift.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ROOT / "Sources"
FILES = SOURCES / "VPScripts" / "Files"
PYTHON = ["scripts", "bench", "screenshots", "Sources/VPScripts"]

LITERAL = re.compile(r'(#*)"""\n(.*?)\n[ ]*"""\1|(#*)"((?:[^"\\\n]|\\.)*)"\3', re.S)
PROGRAM = re.compile("|".join([
    r"^\s*#!/",
    r"(^|;|&&|\|\|)\s*(fi|done|esac)\s*($|;|[<>|&}])",  # shell
    r";\s*(then|do)\s*$",
    r"\|\| (exit|return|continue|break|\{)",
    r"^\s*(export \w+=|umask |trap |exec |set -|cd [\"'$/\\])",
    r"^\s*[a-z_]+\(\) *\{",
    r"^\s*(my [($@%]|use strict|sub \w+ \{)",  # perl
    r"^\s*(import \w+$|from \w+ import |def \w+\(.*\):)",  # Python
]), re.M)


def python_problems():
    for folder in PYTHON:
        for path in sorted((ROOT / folder).rglob("*.py")):
            try:
                compile(path.read_text(encoding="utf-8"), str(path), "exec")
            except SyntaxError as error:
                yield f"{path.relative_to(ROOT)}:{error.lineno}: {error.msg}"


def file_problems(swift):
    """A file is used if a script includes it, or if Swift code names the constant that contains it."""
    files = sorted(path for path in FILES.rglob("*") if path.is_file())
    included = {
        name for path in files if path.suffix == ".sh"
        for name in re.findall(r"^\s*\. \./(\S+)$", path.read_text(encoding="utf-8"), re.M)}
    table = swift[SOURCES / "VPScripts" / "ScriptFile.swift"]
    users = "\n".join(text for path, text in swift.items() if path.parent != SOURCES / "VPScripts")
    constants = dict(
        (resource, constant)
        for constant, resource in re.findall(r"static let (\w+) = ScriptFile\((?:\w+: )?PackageResources\.(\w+)\)", table))
    seen = {}
    for path in files:
        name, where = path.name, path.relative_to(ROOT)
        resource = re.sub(r"\W", "_", name)
        if resource in seen:
            yield f"{where}: has the name of {seen[resource]}"
        seen[resource] = where
        if (name in included) != (f'case "{name}":' in table):
            yield f"{where}: ScriptFile.part has to know it where a script includes it, and only there"
        constant = constants.get(resource)
        if name not in included and (constant is None or not re.search(rf"\.{constant}\b", users)):
            yield f"{where}: nothing uses it"
        if path.suffix == ".sh" and not path.read_text(encoding="utf-8").startswith("#!/bin/sh\n"):
            yield f"{where}:1: does not begin with #!/bin/sh"


def literal_problems(swift):
    for path, text in swift.items():
        # Comments may quote programs.
        text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
        for match in LITERAL.finditer(text):
            body = match.group(2) if match.group(2) is not None else match.group(4)
            if match.group(2) is None:
                if r"\n" not in body.rstrip("\\n"):
                    continue
                body = body.replace(r"\n", "\n")
            found = PROGRAM.search(body)
            if found:
                line = text.count("\n", 0, match.start()) + 1
                yield f"{path.relative_to(ROOT)}:{line}: a program in a literal: {found.group(0).strip()}"


def main():
    swift = {path: path.read_text(encoding="utf-8") for path in sorted(SOURCES.rglob("*.swift"))}
    problems = [*python_problems(), *file_problems(swift), *literal_problems(swift)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
