#!/usr/bin/env python3
"""Writes the man pages: scripts/man.py PROGRAMS FOLDER

vp.1, a page for each command of `vp` and vp-tui.1 come from the descriptions that the parsers of `vp` and `vp-tui` in the
folder PROGRAMS give of themselves; vp-config.5 and what several pages share (exit statuses, files, variables) come from
docs/. Nothing is written twice, so that a page cannot say something else than `--help`.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Wide enough that no line of a usage is broken.
WIDE = {**os.environ, "COLUMNS": "100000"}


# Text


def escaped(text):
    """`text` as roff shows it: no character of it is a command."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    text = re.sub(r"[“”]", '"', text).replace("‘", "'").replace("’", "'").replace("·", "\\(bu").replace("→", "->")
    # A word as long as a line may be broken behind a comma.
    text = re.sub(r"\S{60,}", lambda word: word[0].replace(",", ",\\:"), text)
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def inline(text):
    """A line of Markdown: `code` and **strong** become bold, of a link its words stay."""
    parts = []
    for index, part in enumerate(re.split(r"`([^`]*)`", text)):
        if index % 2:
            parts.append(f"\\fB{escaped(part)}\\fR")
        else:
            part = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", part)
            for at, words in enumerate(re.split(r"\*\*([^*]+)\*\*", part)):
                parts.append(f"\\fB{escaped(words)}\\fR" if at % 2 else escaped(words))
    line = "".join(parts)
    return "\\&" + line if line.startswith((".", "'")) else line


def rows(lines):
    """The cells of a Markdown table's rows, without its rule."""
    for line in lines:
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            yield cells


def table(lines):
    """A list: the first cell is the term; a short mark between it and the text stands in brackets."""
    found = list(rows(lines))
    for cells in found[1:]:
        marks = "".join(f" [{inline(cell)}]" for cell in cells[1:-1] if cell)
        yield from [".TP", inline(cells[0]) + marks, inline(cells[-1]) or "\\&"]
    yield ".PP"


def markdown(lines, level=2):
    """Roff lines for Markdown; headings of `level` are sections."""
    index = 0
    while index < len(lines):
        line = lines[index]
        if match := re.match(r"```", line):
            end = next(at for at in range(index + 1, len(lines)) if lines[at].startswith("```"))
            yield from [".PP", ".RS 4", ".nf"]
            yield from (escaped(code) or "\\&" for code in lines[index + 1:end])
            yield from [".fi", ".RE", ".PP"]
            index = end + 1
            continue
        if match := re.match(r"(#+) (.*)", line):
            yield (".SH " if len(match[1]) <= level else ".SS ") + f'"{escaped(match[2].replace("`", "")).upper()}"'
            index += 1
            continue
        end = index + 1
        if line.startswith("|"):
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            yield from table(lines[index:end])
        elif match := re.match(r"(-|\d+\.) +(.*)", line):
            while end < len(lines) and lines[end].startswith("  "):
                end += 1
            mark = "\\(bu" if match[1] == "-" else match[1]
            yield from [f".IP {mark} 4", inline(" ".join([match[2]] + [each.strip() for each in lines[index + 1:end]]))]
        elif line.strip():
            while end < len(lines) and lines[end].strip() and not re.match(r"\||#+ |```|- |\d+\. ", lines[end]):
                end += 1
            yield from [".PP", inline(" ".join(lines[index:end]))]
        index = end


def section(document, title):
    """The lines of a section of a document in docs/, without its heading."""
    lines = (ROOT / "docs" / document).read_text().splitlines()
    start = lines.index(f"## {title}") + 1
    end = next((at for at in range(start, len(lines)) if lines[at].startswith("## ")), len(lines))
    return lines[start:end]


# The parsers' descriptions


def output(program, *arguments):
    return subprocess.run([program, *arguments], env=WIDE, check=True, capture_output=True, text=True).stdout


def usage(program, words):
    """The lines of a usage, as `--help` has them."""
    lines = output(program, *words, "--help").splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith("USAGE: "))
    found = [lines[start][len("USAGE: "):]]
    for line in lines[start + 1:]:
        if not line.strip():
            break
        found.append(line.strip())
    for line in found:
        yield from [".PP", escaped(re.sub(r" {2,}.*", "", line))]


def discussion(text):
    """Paragraphs; one whose lines are laid out in columns stays as it is."""
    for paragraph in re.split(r"\n\s*\n", text or ""):
        lines = [line for line in paragraph.splitlines() if line.strip()]
        if any(re.search(r"\S {2,}\S", line) for line in lines):
            yield from [".PP", ".nf"] + [escaped(line) for line in lines] + [".fi"]
        elif lines:
            yield from [".PP", inline(" ".join(lines))]


def arguments(command):
    """Sections of arguments and options, by the titles that the parser has."""
    shown = [each for each in command.get("arguments", []) if each.get("shouldDisplay", True)]
    titles = list(dict.fromkeys(
        each.get("sectionTitle") or ("Arguments" if each["kind"] == "positional" else "Options") for each in shown))
    titles.sort(key=lambda title: ["Arguments", "Options"].index(title) if title in ("Arguments", "Options") else 2)
    for title in titles:
        yield f'.SH "{escaped(title).upper()}"'
        for each in shown:
            own = each.get("sectionTitle") or ("Arguments" if each["kind"] == "positional" else "Options")
            if own != title:
                continue
            yield ".TP"
            value = f" \\fI{escaped(each['valueName'])}\\fR"
            if each["kind"] == "positional":
                yield value.strip()
            else:
                names = sorted(each["names"], key=lambda name: name["kind"] != "short")
                spelled = ["\\fB" + escaped(("-" if name["kind"] == "short" else "--") + name["name"]) + "\\fR" for name in names]
                yield ", ".join(spelled) + (value if each["kind"] == "option" else "")
            words = inline(each.get("abstract", "")) or "\\&"
            extra = []
            if each.get("allValues") and each["kind"] == "option":
                extra.append("values: " + ", ".join(each["allValues"]))
            if each.get("defaultValue"):
                extra.append("default: " + each["defaultValue"])
            yield words + (f" ({escaped('; '.join(extra))})" if extra else "")


def see_also(*names):
    yield from ['.SH "SEE ALSO"', ",\n".join(f"\\fB{escaped(name)}\\fR({number})" for name, number in names)]


def page(name, number, abstract, version, *parts):
    """A whole page. `abstract` is one line without a full stop, as the index of all pages has it."""
    head = [
        '.\\" Made by scripts/man.py from the description that the program gives of itself.',
        f'.TH "{escaped(name).upper()}" "{number}" "" "VariousPlug {version}" "VariousPlug"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{escaped(name)} \\- {inline(abstract.rstrip('.'))}",
    ]
    lines = head + [line for part in parts for line in part]
    # A paragraph that is empty is none.
    text = re.sub(r"(?:\.PP\n)+(?=\.(?:PP|SH|SS|TP|IP)\b)", "", "\n".join(lines) + "\n")
    return re.sub(r"(?:\.PP\n)+$", "", re.sub(r"(\.S[HS] .*\n)\.PP\n", r"\1", text))


def pages(programs):
    """The names of the pages' files, each with its text."""
    vp, tui = str(programs / "vp"), str(programs / "vp-tui")
    version = output(vp, "--version").strip()
    root = json.loads(output(vp, "--experimental-dump-help"))["command"]
    verbs = []
    for verb in root["subcommands"]:
        if verb["commandName"] not in ("help", "tui"):
            verbs += [(verb, [verb["commandName"]])]
            verbs += [(child, [verb["commandName"], child["commandName"]]) for child in verb.get("subcommands", [])
                      if child["commandName"] != "help"]

    def list_of_verbs():
        yield '.SH "COMMANDS"'
        for verb, words in verbs:
            yield from [".TP", f"\\fB{escaped('vp-' + '-'.join(words))}\\fR(1)", inline(verb["abstract"])]
        yield from [".TP", "\\fBvp\\-tui\\fR(1)", "Opens the dashboard; \\fBvp tui\\fR does the same."]

    shared = [
        ['.SH "EXIT STATUS"'], markdown(section("json.md", "Exit statuses")),
        ['.SH "ENVIRONMENT"'], markdown(section("configuration.md", "Environment")),
        ['.SH "FILES"'], markdown(section("configuration.md", "Files")),
    ]
    yield "vp.1", page(
        "vp", 1, root["abstract"], version, ['.SH "SYNOPSIS"'], usage(vp, []), ['.SH "DESCRIPTION"'],
        discussion(root.get("discussion")), list_of_verbs(), arguments(root), *shared,
        see_also(("vp-run", 1), ("vp-tui", 1), ("vp-config", 5), ("ssh", 1), ("rsync", 1)))
    for verb, words in verbs:
        name = "vp-" + "-".join(words)
        describes = ['.SH "DESCRIPTION"', ".PP", inline(verb["abstract"])]
        children = [(f"{name}-{child['commandName']}", 1) for child in verb.get("subcommands", [])
                    if child["commandName"] != "help"]
        yield f"{name}.1", page(
            name, 1, verb["abstract"], version, ['.SH "SYNOPSIS"'], usage(vp, words), describes,
            discussion(verb.get("discussion")), arguments(verb),
            ['.SH "EXIT STATUS"', "The job's own, or one of those that \\fBvp\\fR(1) lists."],
            see_also(("vp", 1), *children, ("vp-config", 5)))
        for alias in verb.get("aliases", []):
            yield f"vp-{alias}.1", f".so man1/{name}.1\n"

    board = json.loads(output(tui, "--experimental-dump-help"))["command"]
    keys = (ROOT / "docs/keys.md").read_text().splitlines()
    keys = keys[next(at for at, line in enumerate(keys) if line.startswith("## ")):]
    # The last column is for dashboard.yaml; a key's term is the key alone.
    keys = [re.sub(r"^(\|.*\|.*)\|[^|]*\|$", r"\1|", line) if line.count("|") - line.count("`|`") == 4 else line
            for line in keys]
    keys = [re.sub(r" \(`[a-zA-Z]+`\)$", "", line) if line.startswith("## ") else line for line in keys]
    yield "vp-tui.1", page(
        "vp-tui", 1, board["abstract"], version, ['.SH "SYNOPSIS"'], usage(tui, []), ['.SH "DESCRIPTION"'],
        discussion(board.get("discussion")), arguments(board), ['.SH "KEYS"'], markdown(keys, level=1),
        see_also(("vp", 1), ("vp-config", 5)))

    configuration = (ROOT / "docs/configuration.md").read_text().splitlines()
    yield "vp-config.5", page(
        "vp-config", 5, "files, settings and variables of vp and vp-tui", version,
        ['.SH "DESCRIPTION"'], markdown(configuration[1:]), see_also(("vp", 1), ("vp-config-set", 1), ("vp-tui", 1)))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    folder = pathlib.Path(sys.argv[2])
    for name, text in pages(pathlib.Path(sys.argv[1])):
        place = folder / ("man" + name[-1])
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)


main()
