#!/usr/bin/env python3
"""Measures `vp sync` beside bare `rsync -a` over a warm connection of its own, and prints a table.

Both upload the same folder to the same loopback instance, in turn; the remote side is emptied before each first
upload, for both. Medians. `--peak` adds the memory of a sync of a hundred thousand files.

`--against PATH` measures another build of `vp` in place of rsync: each has a cloud, an instance and a project of its
own, and they take turns, so that a noisy machine is noisy for both. The ratio is ours divided by the other's.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bench import Table, built, milliseconds, peak_megabytes


def make_small(folder, files=10_000, size=4_000):
    for number in range(files):
        path = os.path.join(folder, f"folder-{number % 100}", f"file-{number}.bin")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(os.urandom(size))


def make_large(folder, megabytes=1_000):
    with open(os.path.join(folder, "large.bin"), "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))


class Bench:
    """One build of `vp` with an instance of its own and a project that it syncs there."""

    def __init__(self, vp, environment, folder):
        self.vp, self.environment, self.folder = vp, environment, folder
        anywhere = os.path.join(folder, "project")
        os.mkdir(anywhere)
        self.project = anywhere
        out = subprocess.run(
            [vp, "create-instance", "--json", "--yes"], env=environment, cwd=anywhere, capture_output=True,
            text=True)
        if out.returncode != 0:
            sys.exit(out.stderr)
        ssh = json.loads(out.stdout)["ssh"]
        self.config = os.path.join(folder, "ssh.conf")
        with open(self.config, "w") as file:
            file.write(
                f"Host bare\nHostName {ssh['host']}\nPort {ssh['port']}\nUser {ssh['user']}\n"
                f"IdentityFile {environment['VP_SSH_IDENTITY']}\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
                f"UserKnownHostsFile {folder}/known\nControlMaster auto\nControlPath {folder}/mux\n"
                "ControlPersist 600\nLogLevel ERROR\nCompression no\n")
        self.root = environment.get("VP_WORKSPACE") or "/workspace"
        self.state = environment.get("XDG_STATE_HOME") or os.path.join(folder, ".local/state")
        self.remote("true")

    def remote(self, command):
        subprocess.run(["ssh", "-F", self.config, "bare", command], check=True, env=self.environment)

    def forget(self):
        self.remote(f"rm -rf {self.root}/* {self.root}/.vp* peer; mkdir -p peer")
        shutil.rmtree(os.path.join(self.state, "variousplug", "manifests"), ignore_errors=True)

    def first(self, project, runs):
        ours, theirs = [], []
        bare = ["rsync", "-a", "-e", f"ssh -F {self.config}", project + "/", "bare:peer/"]
        pair = [(ours, [self.vp, "sync"]), (theirs, bare)]
        for _ in range(runs):
            for times, command in pair:
                self.forget()
                times.append(milliseconds(command, self.environment, project))
            # A disk that pauses after a number of writes must not always pause for the same one.
            pair.reverse()
        return statistics.median(ours), statistics.median(theirs)

    def second(self, project, runs):
        ours, theirs = [], []
        bare = ["rsync", "-a", "-e", f"ssh -F {self.config}", project + "/", "bare:peer/"]
        for samples, command in ((ours, [self.vp, "sync"]), (theirs, bare)):
            milliseconds(command, self.environment, project)
        for _ in range(runs):
            ours.append(milliseconds([self.vp, "sync"], self.environment, project))
            theirs.append(milliseconds(bare, self.environment, project))
        return statistics.median(ours), statistics.median(theirs)


    def sync(self):
        return milliseconds([self.vp, "sync"], self.environment, self.project)


@contextlib.contextmanager
def rented(cloud_vp, vp):
    """A bench for `vp` with a home and a cloud of its own, both gone afterwards."""
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    cloud = subprocess.Popen(
        [cloud_vp, "demo", "serve", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean,
        cwd=folder)
    try:
        environment = {**clean, **json.loads(cloud.stdout.readline())["env"]}
        yield Bench(vp, environment, folder)
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)


TREES = (("10k files, 40 MB", make_small), ("one file of 1 GB", make_large))


def fill(project, make):
    shutil.rmtree(project)
    os.mkdir(project)
    make(project)


def interleave(pair, runs, measure):
    """Returns the medians of both benches, which take turns at being first."""
    samples = {bench: [] for bench in pair}
    for turn in range(runs):
        for bench in pair if turn % 2 == 0 else pair[::-1]:
            samples[bench].append(measure(bench))
    return [statistics.median(samples[bench]) for bench in pair]


def first_sync(bench):
    bench.forget()
    return bench.sync()


def compare(table, vp, other, runs):
    """Measures both builds with the same program as the cloud, so that the builds are the only difference."""
    with rented(vp, vp) as ours, rented(vp, other) as theirs:
        pair = [ours, theirs]
        for name, make in TREES:
            for bench in pair:
                fill(bench.project, make)
            table.add(
                f"first sync, {name}", *column(interleave(pair, max(3, runs // 5), first_sync)))
            for bench in pair:
                bench.sync()
            table.add(
                f"sync of {name}, nothing changed", *column(interleave(pair, runs, Bench.sync)))
        for bench in pair:
            fill(bench.project, lambda folder: make_small(folder, files=1))
            bench.forget()
        command = ["--no-sync", "run", "--", "true"]
        table.add("warm `vp --no-sync run -- true`", *column(interleave(
            pair, runs, lambda bench: milliseconds([bench.vp, *command], bench.environment, bench.project))))


def column(medians):
    return medians[0], "ms", "the other build", medians[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--peak", action="store_true")
    parser.add_argument("--against", metavar="PATH", help="another build of vp")
    parser.add_argument("--vp", metavar="PATH", help="the build to measure, in place of one made now")
    arguments = parser.parse_args()
    vp = os.path.abspath(arguments.vp) if arguments.vp else built("vp")
    table = Table()
    if arguments.against:
        compare(table, vp, os.path.abspath(arguments.against), arguments.runs)
        print(table)
        return
    with rented(vp, vp) as bench:
        for name, make in TREES:
            fill(bench.project, make)
            ours, theirs = bench.first(bench.project, arguments.runs)
            table.add(f"first sync, {name}", ours, "ms", "`rsync -a`", theirs)
            ours, theirs = bench.second(bench.project, arguments.runs)
            table.add(f"sync of {name}, nothing changed", ours, "ms", "`rsync -a`", theirs)
        if arguments.peak:
            fill(bench.project, lambda folder: make_small(folder, files=100_000, size=10))
            bench.forget()
            bench.sync()
            start = time.perf_counter()
            os.chdir(bench.project)
            peak = peak_megabytes([vp, "sync"], bench.environment)
            table.add("sync of 100k files, nothing changed", (time.perf_counter() - start) * 1000, "ms")
            table.add("sync of 100k files, peak memory", peak, "MB")
    print(table)


if __name__ == "__main__":
    main()
