#!/usr/bin/env python3
"""Measures `vp sync` beside bare `rsync -a` over a warm connection of its own, and prints a table.

Both send the same folder to the same loopback instance, in turn; the remote side is emptied before each first
upload, for both. Medians. `--peak` adds the memory of a sync of a hundred thousand files.
"""

import argparse
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
            # A disk that is made to wait after so many writes must not always wait for the same one.
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--peak", action="store_true")
    arguments = parser.parse_args()
    vp = built("vp")
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    cloud = subprocess.Popen(
        [vp, "demo", "serve", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean, cwd=folder)
    try:
        environment = {**clean, **json.loads(cloud.stdout.readline())["env"]}
        bench = Bench(vp, environment, folder)
        for name, make in (("10k files, 40 MB", make_small), ("one file of 1 GB", make_large)):
            project = bench.project
            shutil.rmtree(project)
            os.mkdir(project)
            make(project)
            ours, theirs = bench.first(project, arguments.runs)
            table.add(f"first sync, {name}", ours, "ms", "`rsync -a`", theirs)
            ours, theirs = bench.second(project, arguments.runs)
            table.add(f"sync of {name}, nothing changed", ours, "ms", "`rsync -a`", theirs)
        if arguments.peak:
            shutil.rmtree(project)
            os.mkdir(project)
            make_small(project, files=100_000, size=10)
            bench.forget()
            milliseconds([vp, "sync"], environment, project)
            start = time.perf_counter()
            os.chdir(project)
            peak = peak_megabytes([vp, "sync"], environment)
            table.add("sync of 100k files, nothing changed", (time.perf_counter() - start) * 1000, "ms")
            table.add("sync of 100k files, peak memory", peak, "MB")
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
