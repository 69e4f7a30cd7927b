#!/usr/bin/env python3
"""Measures the delays that users feel, each against the bare tool in the same run, and prints a table.

Method. One release build; one loopback cloud (`vp demo serve --json`) with one rented instance. Every figure is
the median of interleaved runs (ours, theirs, ours, theirs), so that a noisy machine is noisy for both. Times are
wall-clock, in milliseconds, of whole processes as a shell would start them. The network with a delay is a pair of
proxies (`delay.py`). Screen figures come from a pty of 200x50: a key is written, and the time to the first byte that
comes back is measured or, while something else draws as well, to the typed letter (`screen.py`). htop, tig and less
are measured beside ours if they are installed.
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

from delay import DelayedCloud
from screen import Screen

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

    `pause` keeps both below the rate limit of an endpoint, whose delay must not be measured.
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
    """The largest resident size of `command`, measured by a separate parent so that nothing else counts."""
    code = (
        "import resource,subprocess,sys;"
        "subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stdin=subprocess.DEVNULL);"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    out = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True, check=True)
    return int(out.stdout) / 1024


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


def rent(vp, environment, project):
    out = subprocess.run(
        [vp, "create-instance", "--json", "--yes"], env=environment, cwd=project, capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(out.stderr)
    return json.loads(out.stdout)


def bare_ssh(environment, folder, port, name):
    """The words that run a command through a shared and persistent ssh connection of our own."""
    config = os.path.join(folder, f"{name}.conf")
    with open(config, "w") as file:
        file.write(
            f"Host bare\nHostName 127.0.0.1\nPort {port}\nUser {environment.get('VP_SSH_USER', 'root')}\n"
            f"IdentityFile {environment['VP_SSH_IDENTITY']}\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
            f"UserKnownHostsFile {folder}/{name}.known\nControlMaster auto\nControlPath {folder}/{name}.mux\n"
            "ControlPersist 60\nLogLevel ERROR\n")
    return ["ssh", "-F", config, "bare"]


def measure_commands(table, vp, environment, served, project, folder, runs):
    instance = rent(vp, environment, project)
    ssh = bare_ssh(environment, folder, instance["ssh"]["port"], "near")
    vast = served["vast"]
    curl = ["curl", "-s", "-o", "/dev/null", "-H", f"Authorization: Bearer {vast['api_key']}",
            vast["url"] + "/api/v1/instances/"]
    # The platform allows one list a second; this cloud shortens that to a twentieth.
    table.add("`vp ls`, live, both platforms", *interleave(
        vp, ["ls"], curl, environment, project, runs, "`curl` of vast.ai's list", pause=0.1))
    which = ["-i", str(instance["id"])]
    for words, name in (
        (["--no-sync", "run", *which, "--", "true"], "warm `vp --no-sync run -- true`"),
        (["run", *which, "--", "true"], "`vp run -- true`, nothing changed"),
    ):
        table.add(name, *interleave(
            vp, words, [*ssh, "true"], environment, project, runs, "multiplexed `ssh true`"))
    # The cache of `vp ls`, with one instance in it. A prompt runs this every time it is drawn.
    table.add("`vp status`", *interleave(
        vp, ["status"], ["/bin/true"], environment, project, max(20, runs), "`/bin/true`"))
    measure_far(table, vp, environment, served, project, folder, runs, which)
    subprocess.run([*ssh[:-1], "-O", "exit", "bare"], stderr=subprocess.DEVNULL)


def measure_far(table, vp, environment, served, project, folder, runs, which):
    """Measures the commands with 50 ms between the machines."""
    far = DelayedCloud(served["vast"]["url"], 0.05)
    # Separate folders, so that the other connections, caches and histories stay as they are.
    environment = {
        **environment, "VAST_URL": far.url, "XDG_STATE_HOME": f"{folder}/far/state",
        "XDG_CACHE_HOME": f"{folder}/far/cache"}
    environment.pop("RUNPOD_API_KEY", None)
    listed = json.loads(subprocess.run(
        [vp, "ls", "--json"], env=environment, cwd=project, capture_output=True, check=True).stdout)
    ssh = bare_ssh(environment, folder, listed["instances"][0]["ssh"]["port"], "far")
    # After half a minute the cached list is too old, so it is fetched again: then the run need not ask for the address.
    run = ["sh", "-c", '"$0" ls >/dev/null; exec "$0" "$@"']
    remote = f"bare:{environment.get('VP_WORKSPACE', '/workspace')}/"
    shell = " ".join(ssh[:-1])
    naive = ["sh", "-c", f"rsync -a -e '{shell}' ./ {remote} && {shell} bare true && rsync -a -e '{shell}' {remote} ./"]
    for words, name in (
        (["--no-sync", "run", *which, "--", "true"], "50 ms away: warm `vp --no-sync run -- true`"),
        (["run", *which, "--", "true"], "50 ms away: `vp run -- true`, nothing changed"),
    ):
        milliseconds([*run, vp, *words], environment, project)
        table.add(name, *interleave(
            vp, words, [*ssh, "true"], environment, project, runs, "multiplexed `ssh true`"))
    table.add("50 ms away: `vp run -- true`, nothing changed", *interleave(
        vp, ["run", *which, "--", "true"], naive, environment, project, max(3, runs // 3),
        "`rsync; ssh; rsync`, multiplexed"))
    many = os.path.join(folder, "many")
    os.mkdir(many)
    for number in range(10_000):
        if number % 100 == 0:
            os.mkdir(f"{many}/{number // 100}")
        with open(f"{many}/{number // 100}/{number}.txt", "w") as file:
            file.write(str(number))
    # An empty folder on the instance, for these files only.
    environment["VP_WORKSPACE"] = environment.get("VP_WORKSPACE", "/workspace") + "/many"
    milliseconds([*run, vp, "sync", which[-1]], environment, many)
    table.add("50 ms away: the same with 10,000 files", *interleave(
        vp, ["run", *which, "--", "true"], [*ssh, "true"], environment, many, runs, "multiplexed `ssh true`"))
    subprocess.run([*ssh[:-1], "-O", "exit", "bare"], stderr=subprocess.DEVNULL)


def interleave(vp, words, peer, environment, project, runs, name, pause=0.0):
    ours, theirs = side_by_side([vp, *words], peer, environment, project, runs, pause)
    return ours, "ms", name, theirs


def peers(text):
    """Well-known full-screen programs by name, if they are installed."""
    known = {"less": ["less", text], "tig": ["tig", "-C", ROOT], "htop": ["htop", "-d", "100"]}
    return {name: command for name, command in known.items() if shutil.which(name)}


def measure_screen(table, tui, environment, project, folder):
    text = os.path.join(folder, "long.txt")
    with open(text, "w") as file:
        file.writelines(f"line {number}\n" for number in range(10_000))
    commands = {"ours": [tui], **peers(text)}
    first = {name: [] for name in commands}
    for _ in range(7):
        for name, command in commands.items():
            screen = Screen(command, environment, project)
            first[name].append((screen.read_until_quiet() - screen.started) * 1000)
            screen.close()
    for name in list(commands)[1:]:
        table.add(
            "first frame", statistics.median(first["ours"]), "ms", f"`{name}`", statistics.median(first[name]))

    screens = {name: Screen(command, environment, project) for name, command in commands.items()}
    for screen in screens.values():
        screen.read_until_quiet(1.0)
    screens["ours"].type(b"2")
    screens["ours"].drain(0.5)
    latencies = {name: screen.key_latencies([b"j", b"j", b"k"] if name != "htop" else [b"\x1b[B", b"\x1b[A"], 150)
                 for name, screen in screens.items()}
    for name in list(commands)[1:]:
        screens[name].close()
        for what, of in (("median", statistics.median), ("p99", lambda samples: percentile(samples, 0.99))):
            table.add(
                f"key to first byte, {what}", of(latencies["ours"]), "ms", f"`{name}`", of(latencies[name]))
    screen = screens["ours"]
    # After a key press the dashboard assumes for a while that somebody is watching.
    screen.drain(25.0)
    cpu, written, window = screen.cpu_seconds(), screen.bytes, 60.0
    wakeups = screen.wakeups(window)
    table.add("idle, processor", (screen.cpu_seconds() - cpu) / window * 100, "%")
    table.add("idle, wakeups of all threads", wakeups / window, "/s")
    table.add("idle, written", (screen.bytes - written) / window, "B/s")
    table.add("resident", screen.resident_megabytes(), "MB")
    screen.close()


def measure_busy(table, vp, tui, clean, folder):
    """Measures keys while an instance is rented whose sshd comes 30 s late, at both common sizes."""
    for width, height in ((200, 50), (80, 24)):
        with served_cloud(vp, clean, folder, "--fault", "sshd-late:30,platform=vast") as served:
            project = os.path.join(folder, f"busy-{width}")
            os.mkdir(project)
            screen = Screen([tui], {**clean, **served["env"]}, project, width, height)
            screen.read_until(b"rent")
            screen.read_until_quiet(1.0)
            screen.type(b"2\r")
            screen.drain(1.0)
            screen.type(b"y")
            screen.drain(1.0)
            screen.type(b"/")
            screen.drain(0.2)
            samples, lost = screen.echo_latencies(27)
            screen.close()
        name = f"{width}x{height}, during a 30 s create: {len(samples)} letters, {lost} lost"
        table.add(f"{name}; to the letter on the tty, median", statistics.median(samples), "ms")
        table.add(f"{width}x{height}, the worst of them", max(samples), "ms")


@contextlib.contextmanager
def served_cloud(vp, clean, folder, *arguments):
    cloud = subprocess.Popen(
        [vp, "demo", "serve", "--json", *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean,
        cwd=folder)
    try:
        yield json.loads(cloud.stdout.readline())
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)


def built(product):
    """Builds `product` as users build it, and returns its path."""
    subprocess.run([os.path.join(ROOT, "scripts", "build.sh"), product], check=True, stdout=sys.stderr)
    return os.path.join(ROOT, ".build-release", "release", product)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    arguments = parser.parse_args()
    vp, tui = built("vp"), built("vp-tui")
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    for argument in ("--version", "--help"):
        ours, theirs = side_by_side([vp, argument], ["/bin/true"], clean, folder, arguments.runs)
        table.add(f"`vp {argument}`", ours, "ms", "`/bin/true`", theirs)
    table.add("`vp --version`, peak memory", peak_megabytes([vp, "--version"], clean), "MB")
    try:
        with served_cloud(vp, clean, folder) as served:
            environment = {**clean, **served["env"]}
            project = os.path.join(folder, "project")
            os.mkdir(project)
            with open(os.path.join(project, "a.txt"), "w") as file:
                file.write("x")
            measure_commands(table, vp, environment, served, project, folder, arguments.runs)
            measure_screen(table, tui, environment, project, folder)
        measure_busy(table, vp, tui, clean, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
