#!/usr/bin/env python3
"""Finds dependencies between folders and files of Sources/VPEngine. Called by floors.sh, which describes the output."""

import collections
import pathlib
import re
import sys

ENGINE = pathlib.Path(__file__).resolve().parent.parent / "Sources" / "VPEngine"
# From the ground up. A file may use types of its own floor and of those below.
FLOORS = [
    "Model", "System", "Training", "Configuration", "Store", "SSH", "Platforms", "Context", "Sync", "Money", "Jobs",
    "Instances", "Facade",
]
LARGEST_CIRCLE = 3

DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))?\s+)*(?P<modifiers>(?:(?:public|package|internal|private|fileprivate|final|indirect)\s+)*)"
    r"(?:struct|class|enum|actor|protocol|typealias)\s+(?P<name>\w+)", re.M)
INTERPOLATION = re.compile(r"\\\(([^()]*(?:\([^()]*\)[^()]*)*)\)")


def code(text):
    """Returns the text without comments, and with only the interpolations of its strings."""
    kept = lambda match: " ".join(INTERPOLATION.findall(match.group(0)))
    text = re.sub(r'"""(?:.|\n)*?"""', kept, text)
    text = re.sub(r'"(?:[^"\\\n]|\\.)*"', kept, text)
    return re.sub(r"//.*", "", text)


def floor(path):
    return path.relative_to(ENGINE).parts[0]


def circles(graph):
    """Returns the strongly connected components of more than one file, largest first (Tarjan, without recursion)."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, rest = work[-1]
            for other in rest:
                if other not in index:
                    index[other] = low[other] = len(index)
                    stack.append(other)
                    on_stack.add(other)
                    work.append((other, iter(graph[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    if len(part) > 1:
                        found.append(sorted(part))
    return sorted(found, key=len, reverse=True)


def main():
    texts = {path: code(path.read_text()) for path in sorted(ENGINE.rglob("*.swift"))}
    homes = collections.defaultdict(set)
    for path, text in texts.items():
        for match in DECLARATION.finditer(text):
            if not re.search(r"\b(?:private|fileprivate)\b", match["modifiers"]):
                homes[match["name"]].add(path)
    graph = {path: set() for path in texts}
    names = collections.defaultdict(set)
    for path, text in texts.items():
        for word in set(re.findall(r"(?<![\w.])([A-Z]\w*)", text)):
            if len(homes.get(word, ())) == 1 and (home := next(iter(homes[word]))) != path:
                graph[path].add(home)
                names[path, home].add(word)

    homeless = [path for path in texts if floor(path) not in FLOORS]
    arrows = [(path, home) for path in graph for home in graph[path] if floor(path) != floor(home)]
    housed = [arrow for arrow in arrows if not {*arrow} & {*homeless}]
    upward = [arrow for arrow in housed if FLOORS.index(floor(arrow[1])) > FLOORS.index(floor(arrow[0]))]
    between = collections.Counter((floor(path), floor(home)) for path, home in arrows)
    for name in FLOORS:
        files = [path for path in texts if floor(path) == name]
        knows = ", ".join(f"{other} {between[name, other]}" for other in FLOORS if between[name, other])
        print(f"{name:<14}{len(files):>4} files   {'knows ' + knows if knows else 'knows nothing'}")
    for path in homeless:
        print(f"on no floor: {path.relative_to(ENGINE)}")
    for path, home in sorted(upward):
        print(f"upward: {path.relative_to(ENGINE)} names {', '.join(sorted(names[path, home]))} "
              f"of {home.relative_to(ENGINE)}")
    parts = circles(graph)
    for part in parts:
        print(f"circle of {len(part)}: {', '.join(path.stem for path in part)}")
    largest = len(parts[0]) if parts else 0
    print(f"{len(texts)} files, {len(arrows)} arrows between floors, {len(upward)} upward, "
          f"largest circle {largest} files")
    return 1 if homeless or upward or largest > LARGEST_CIRCLE else 0


sys.exit(main())
