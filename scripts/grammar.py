#!/usr/bin/env python3
"""Writes Sources/VPCLI/OptionLists.swift from the parser's own description of `vp`.

    scripts/grammar.py [--check] [VP]

VP is the built program; .build/debug/vp by default. With --check nothing is written, and the exit status is 1 if
the file is out of date. `OptionTableTests` holds the same lists against the description.
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "Sources/VPCLI/OptionLists.swift"


def description(program):
    text = subprocess.run([program, "--experimental-dump-help"], check=True, capture_output=True).stdout
    return json.loads(text)["command"]


def texts(argument):
    """The spellings of an option: `--platform`, `-p`."""
    return [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument.get("names") or []]


def options(command):
    return {text for argument in command.get("arguments") or [] for text in texts(argument)}


def commands(command):
    yield command
    for inner in command.get("subcommands") or []:
        yield from commands(inner)


def wrapped(items, indent, width=110):
    """The items as Swift string literals, several to a line."""
    if len(items) == 1:
        return " " * indent + json.dumps(items[0])
    lines, line = [], " " * indent
    for item in items:
        word = json.dumps(item) + ","
        if len(line) + 1 + len(word) > width and line.strip():
            lines.append(line)
            line = " " * indent
        line += (" " if line.strip() else "") + word
    return "\n".join(lines + [line])


def row(names, owning):
    """An entry of `owners`, on one line if it fits."""
    line = "        (" + ", ".join("[" + ", ".join(map(json.dumps, part)) + "]" for part in (names, owning)) + "),"
    if len(line) <= 110:
        return line + "\n"
    parts = ("            [\n" + wrapped(part, 16) + "\n            ]" for part in (names, owning))
    return "        (\n" + ",\n".join(parts) + "\n        ),\n"


def by_name(option):
    return (not option.startswith("--"), option)


def main(arguments):
    checks = "--check" in arguments
    program = next((word for word in arguments if word != "--check"), str(ROOT / ".build/debug/vp"))
    root = description(program)
    valued = {
        text
        for command in commands(root)
        for argument in command.get("arguments") or []
        if argument["kind"] == "option"
        for text in texts(argument)
    }
    verbs = [verb for verb in root["subcommands"] if verb["commandName"] != "help"]
    owners, common = {}, []
    for option in sorted(options(root) - {"--init", "--version", "--help", "-h"}, key=by_name):
        owning = [verb for verb in verbs if option in options(verb)]
        # A few verbs read no configuration; all the others share the options for it.
        if len(owning) * 2 > len(verbs) and len(owning) + 6 > len(verbs):
            common.append(option)
            continue
        names = [name for verb in owning for name in [verb["commandName"]] + (verb.get("aliases") or [])]
        owners.setdefault(tuple(names), []).append(option)
    rows = "".join(
        row(names, owning) for owning, names in sorted(owners.items(), key=lambda item: by_name(item[1][0]))
    )
    text = f"""// Written by scripts/grammar.py from the parser's description. Edit the parser and run the script.

extension OptionTable {{
    /// Options of any verb that are followed by a value of their own.
    static let valued: Set<String> = [
{wrapped(sorted(valued, key=by_name), 8)}
    ]

    /// The options that the root declares for single verbs, with the verbs that take them.
    static let owners: [(options: Set<String>, verbs: [String])] = [
{rows}    ]

    /// The options of every verb that reads the configuration.
    static let common: Set<String> = [
{wrapped(common, 8)}
    ]
}}
"""
    if OUTPUT.exists() and OUTPUT.read_text() == text:
        return 0
    if checks:
        print(f"{OUTPUT.relative_to(ROOT)} is out of date: run scripts/grammar.py")
        return 1
    OUTPUT.write_text(text)
    print(f"wrote {OUTPUT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
