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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default=os.path.join(ROOT, ".build-release", "release"))
    parser.add_argument("--runs", type=int, default=31)
    arguments = parser.parse_args()
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-builds-")
    try:
        with contextlib.ExitStack() as stack:
            builds = [
                Build(binaries, os.path.join(folder, name), stack)
                for name, binaries in (("after", arguments.after), ("before", arguments.before))
            ]
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
                after, before = in_turn(builds, lambda build: build.time(words(build)), arguments.runs, pause)
                table.add(what, after, "ms", "the build before", before)
            after, before = in_turn(builds, first_frame, arguments.runs)
            table.add("first frame", after, "ms", "the build before", before)
            after, before = key_latencies(builds)
            for what, of in (("median", statistics.median), ("p99", lambda samples: percentile(samples, 0.99))):
                table.add(f"key to first byte, {what}", of(after), "ms", "the build before", of(before))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
