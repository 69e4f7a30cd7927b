#!/usr/bin/env python3
"""Measures one build against another in the same run: bench/builds.py BEFORE [AFTER]

BEFORE and AFTER are folders with `vp` and `vp-tui`; AFTER is `.build-release/release` by default. Every figure is the
median of alternating runs, so that a noisy machine is noisy for both. Each build has a cloud of its own, since the
newer build migrates a project's database, and the older one can then no longer read it.
"""

import argparse
import contextlib
import os
import shutil
import statistics
import tempfile
import time

from bench import ROOT, Table, milliseconds, percentile, rent, served_cloud
from screen import Screen


class Build:
    def __init__(self, binaries, folder, stack):
        self.vp, self.tui = (os.path.join(binaries, name) for name in ("vp", "vp-tui"))
        os.mkdir(folder)
        clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
        served = stack.enter_context(served_cloud(self.vp, clean, folder))
        self.environment = {**clean, **served["env"]}
        self.project = os.path.join(folder, "project")
        os.mkdir(self.project)
        with open(os.path.join(self.project, "a.txt"), "w") as file:
            file.write("x")
        self.instance = str(rent(self.vp, self.environment, self.project)["id"])

    def time(self, words):
        return milliseconds([self.vp, *words], self.environment, self.project)

    def screen(self):
        return Screen([self.tui], self.environment, self.project)


def in_turn(builds, measure, runs, pause=0.0):
    """Medians of `measure` for each build; the first run of each warms caches and connections.

    `pause` seconds before each keep both below the rate limit of an endpoint, whose delay must not be measured.
    """
    samples = [[] for _ in builds]
    for round in range(runs + 1):
        # The first build of a round may find the machine warmer or colder.
        for index in (range(len(builds)) if round % 2 else reversed(range(len(builds)))):
            time.sleep(pause)
            sample = measure(builds[index])
            if round:
                samples[index].append(sample)
    return [statistics.median(values) for values in samples]


def first_frame(build):
    screen = build.screen()
    try:
        return (screen.read_until_quiet() - screen.started) * 1000
    finally:
        screen.close()


def key_latencies(builds, rounds=5, count=100):
    samples = [[] for _ in builds]
    for _ in range(rounds):
        for index, build in enumerate(builds):
            screen = build.screen()
            screen.read_until_quiet(1.0)
            screen.type(b"2")
            screen.drain(0.5)
            samples[index] += screen.key_latencies([b"j", b"j", b"k"], count)
            screen.close()
    return samples


def idle(build, seconds=60.0):
    """Leaves the dashboard alone with one instance in view; returns the processor in percent, the wakeups and the
    bytes of a second, and the resident megabytes."""
    screen = build.screen()
    try:
        # After its start the dashboard assumes for a while that somebody is watching.
        screen.drain(25.0)
        cpu, written = screen.cpu_seconds(), screen.bytes
        wakeups = screen.wakeups(seconds)
        return ((screen.cpu_seconds() - cpu) / seconds * 100, wakeups / seconds,
                (screen.bytes - written) / seconds, screen.resident_megabytes())
    finally:
        screen.close()


# Each makes one line of 1 MB.
LONG_LINES = {"letters": "'x' * 1_000_000", "words": "'loss 0.25 ' * 100_000", "`é`": "'é' * 500_000"}


def long_line(build, text, count=60):
    """Prints one line of 1 MB by a job, and returns the milliseconds of each key on it, wrapped and cut."""
    build.time(["--no-sync", "run", "-i", build.instance, "--", "python3", "-c", f"print({text})"])
    screen = build.screen()
    try:
        screen.read_until_quiet(1.0)
        for keys in (b"3", b"g", b"\r"):
            screen.type(keys)
            screen.drain(0.7)
        return screen.key_latencies([b"k", b"j", b"w"], count)
    finally:
        screen.close()


def compare_commands(builds, table, runs):
    for what, words in (
        ("`vp --version`", lambda build: ["--version"]),
        ("`vp --help`", lambda build: ["--help"]),
        ("`vp status`", lambda build: ["status"]),
        ("`vp ls`", lambda build: ["ls"]),
        ("warm `vp --no-sync run -- true`", lambda build: ["--no-sync", "run", "-i", build.instance, "--", "true"]),
        ("warm `vp run -- true`", lambda build: ["run", "-i", build.instance, "--", "true"]),
    ):
        # The platform allows one list a second; this cloud shortens that to a twentieth.
        pause = 0.1 if what == "`vp ls`" else 0
        after, before = in_turn(builds, lambda build: build.time(words(build)), runs, pause)
        table.add(what, after, "ms", "the build before", before)


def compare_screens(builds, table, runs):
    def add(what, unit, values):
        table.add(what, values[0], unit, "the build before", values[1])

    add("first frame", "ms", in_turn(builds, first_frame, runs))
    samples = key_latencies(builds)
    add("key to first byte, median", "ms", [statistics.median(times) for times in samples])
    add("key to first byte, p99", "ms", [percentile(times, 0.99) for times in samples])
    for name, text in LONG_LINES.items():
        samples = [long_line(build, text) for build in builds]
        add(f"key on a line of 1 MB of {name}, median", "ms", [statistics.median(times) for times in samples])
        add("the same, the worst", "ms", [max(times) for times in samples])
    rests = [idle(build) for build in builds]
    for index, (what, unit) in enumerate((
            ("idle, one instance in view: processor", "%"), ("the same, wakeups of all threads", "/s"),
            ("the same, written", "B/s"), ("the same, resident", "MB"))):
        add(what, unit, [rest[index] for rest in rests])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default=os.path.join(ROOT, ".build-release", "release"))
    parser.add_argument("--runs", type=int, default=31)
    parser.add_argument("--only", choices=["commands", "screen"], nargs="*", default=["commands", "screen"])
    arguments = parser.parse_args()
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-builds-")
    try:
        with contextlib.ExitStack() as stack:
            builds = [
                Build(binaries, os.path.join(folder, name), stack)
                for name, binaries in (("after", arguments.after), ("before", arguments.before))
            ]
            if "commands" in arguments.only:
                compare_commands(builds, table, arguments.runs)
            if "screen" in arguments.only:
                compare_screens(builds, table, arguments.runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
