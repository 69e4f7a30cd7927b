#!/usr/bin/env python3
"""Measures what users feel, each against the bare tool in the same run, and prints a table.

Method. One release build; one loopback cloud (`vp demo serve --json`) with one rented instance. Every figure is
the median of interleaved runs (ours, theirs, ours, theirs), so that a noisy machine is noisy for both. Times are
wall-clock, in milliseconds, of whole processes as a shell would start them. Screen figures come from a pty of
200x50 in which a key is written and the time to the first byte that comes back is taken.
"""

import argparse
import fcntl
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def milliseconds(command, environment, folder):
    start = time.perf_counter()
    result = subprocess.run(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    elapsed = (time.perf_counter() - start) * 1000
    if result.returncode != 0:
        sys.exit(f"{command} failed ({result.returncode}): {result.stderr.decode()[-400:]}")
    return elapsed


def side_by_side(ours, theirs, environment, folder, runs, pause=0.0):
    """Medians of two commands, run in turn; the first run of each warms caches and connections.

    `pause` keeps both below the limit of an endpoint: being held back by it is not what is measured.
    """
    samples = ([], [])
    for command in (ours, theirs):
        milliseconds(command, environment, folder)
    for _ in range(runs):
        time.sleep(pause)
        samples[0].append(milliseconds(ours, environment, folder))
        time.sleep(pause)
        samples[1].append(milliseconds(theirs, environment, folder))
    return statistics.median(samples[0]), statistics.median(samples[1])


def peak_megabytes(command, environment):
    """Largest resident size of `command`, from a parent of its own so that nothing else counts."""
    code = (
        "import resource,subprocess,sys;"
        "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stdin=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    out = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True, check=True)
    return int(out.stdout) / 1024


class Screen:
    """A program on a pty of 200x50."""

    def __init__(self, command, environment, folder):
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        self.bytes = 0

    def read_until_quiet(self, quiet=0.3, limit=10.0):
        """Reads until nothing has come for `quiet` seconds; returns the time of the first byte, or None."""
        first = None
        end = time.perf_counter() + limit
        while time.perf_counter() < end:
            ready, _, _ = select.select([self.fd], [], [], quiet if first else limit)
            if not ready:
                break
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            self.bytes += len(data)
            first = first or time.perf_counter()
        return first

    def drain(self, seconds):
        """Reads whatever comes within `seconds`."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self.bytes += len(os.read(self.fd, 65536))

    def key_latencies(self, keys, count):
        samples = []
        for number in range(count):
            start = time.perf_counter()
            os.write(self.fd, keys[number % len(keys)])
            if select.select([self.fd], [], [], 2)[0]:
                samples.append((time.perf_counter() - start) * 1000)
            self.drain(0.03)
        return samples

    def cpu_seconds(self):
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wakeups(self):
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            for line in open(f"/proc/{self.pid}/task/{task}/status"):
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
        return total

    def resident_megabytes(self):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def percentile(samples, share):
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * share))]


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, ours, unit, against="", theirs=None):
        self.rows.append((
            what, f"{ours:.2f} {unit}", against, f"{theirs:.2f} {unit}" if theirs else "",
            f"{ours / theirs:.2f}" if theirs else ""))

    def __str__(self):
        head = ["| what | ours | against | theirs | ratio |", "|---|---|---|---|---|"]
        return "\n".join(head + ["| " + " | ".join(row) + " |" for row in self.rows])


def measure_commands(table, vp, environment, served, project, folder, runs):
    out = subprocess.run(
        [vp, "create-instance", "--json", "--yes"], env=environment, cwd=project, capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(out.stderr)
    instance = json.loads(out.stdout)
    ssh = instance["ssh"]
    config = os.path.join(folder, "ssh.conf")
    with open(config, "w") as file:
        file.write(
            f"Host bare\nHostName {ssh['host']}\nPort {ssh['port']}\nUser {ssh['user']}\n"
            f"IdentityFile {environment['VP_SSH_IDENTITY']}\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
            f"UserKnownHostsFile {folder}/known\nControlMaster auto\nControlPath {folder}/mux\n"
            "ControlPersist 60\nLogLevel ERROR\n")
    bare = ["ssh", "-F", config, "bare", "true"]
    vast = served["vast"]
    curl = ["curl", "-s", "-o", "/dev/null", "-H", f"Authorization: Bearer {vast['api_key']}",
            vast["url"] + "/api/v1/instances/"]
    # The list may be asked for once a second, a twentieth of that on this cloud.
    table.add("`vp ls`, live", *interleave(
        vp, ["ls"], curl, environment, project, runs, "`curl` of the same list", pause=0.1))
    which = ["-i", str(instance["id"])]
    for words, name in (
        (["--no-sync", "run", *which, "--", "true"], "warm `vp --no-sync run -- true`"),
        (["run", *which, "--", "true"], "`vp run -- true`, nothing changed"),
    ):
        table.add(name, *interleave(vp, words, bare, environment, project, runs, "multiplexed `ssh true`"))
    subprocess.run(["ssh", "-F", config, "-O", "exit", "bare"], stderr=subprocess.DEVNULL)


def interleave(vp, words, peer, environment, project, runs, name, pause=0.0):
    ours, theirs = side_by_side([vp, *words], peer, environment, project, runs, pause)
    return ours, "ms", name, theirs


def measure_screen(table, tui, environment, project, folder):
    text = os.path.join(folder, "long.txt")
    with open(text, "w") as file:
        file.writelines(f"line {number}\n" for number in range(10_000))
    first = ([], [])
    for _ in range(5):
        for samples, command in zip(first, ([tui], ["less", text])):
            screen = Screen(command, environment, project)
            samples.append((screen.read_until_quiet() - screen.started) * 1000)
            screen.close()
    table.add("first frame", statistics.median(first[0]), "ms", "`less`", statistics.median(first[1]))

    screen, less = Screen([tui], environment, project), Screen(["less", text], environment, project)
    for each in (screen, less):
        each.read_until_quiet(1.0)
    os.write(screen.fd, b"2")
    screen.drain(0.5)
    ours, theirs = (each.key_latencies([b"j", b"j", b"k"], 150) for each in (screen, less))
    less.close()
    table.add("key to first byte, median", statistics.median(ours), "ms", "`less`", statistics.median(theirs))
    table.add("key to first byte, p99", percentile(ours, 0.99), "ms", "`less`", percentile(theirs, 0.99))
    screen.drain(3.0)
    cpu, wakeups, written, window = screen.cpu_seconds(), screen.wakeups(), screen.bytes, 30.0
    screen.drain(window)
    table.add("idle, processor", (screen.cpu_seconds() - cpu) / window * 100, "%")
    table.add("idle, wakeups", (screen.wakeups() - wakeups) / window, "/s")
    table.add("idle, written", (screen.bytes - written) / window, "B/s")
    table.add("resident", screen.resident_megabytes(), "MB")
    screen.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-path", default=os.path.join(ROOT, ".build-release"))
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    for product in ("vp", "vp-tui"):
        subprocess.run(
            ["swift", "build", "-c", "release", "--static-swift-stdlib", "--scratch-path", arguments.build_path,
             "--product", product], cwd=ROOT, check=True, stdout=sys.stderr)
    binaries = os.path.join(arguments.build_path, "release")
    vp, tui = os.path.join(binaries, "vp"), os.path.join(binaries, "vp-tui")
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8"}
    for argument in ("--version", "--help"):
        ours, theirs = side_by_side([vp, argument], ["/bin/true"], clean, folder, arguments.runs)
        table.add(f"`vp {argument}`", ours, "ms", "`/bin/true`", theirs)
    table.add("`vp --version`, peak memory", peak_megabytes([vp, "--version"], clean), "MB")
    cloud = subprocess.Popen(
        [vp, "demo", "serve", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean, cwd=folder)
    try:
        served = json.loads(cloud.stdout.readline())
        environment = {**clean, **served["env"]}
        project = os.path.join(folder, "project")
        os.mkdir(project)
        with open(os.path.join(project, "a.txt"), "w") as file:
            file.write("x")
        measure_commands(table, vp, environment, served, project, folder, arguments.runs)
        measure_screen(table, tui, environment, project, folder)
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
