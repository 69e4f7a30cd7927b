#!/usr/bin/env python3
"""Measures the dashboard beside less, htop, tig and lnav on the same machine, in the same run.

Method. Every program runs on a pty of 200x50. A first frame is the time from the start of the process to its
first byte; a key's time is from writing it to the first byte that comes back. The loopback cloud serves the
dashboard; a real job writes the 10 000 lines a second. The log of a gigabyte takes the place of a finished
job's local copy. Peers that are not installed are left out.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from bench import ROOT, Screen, Table, percentile

WRITER = (
    "import sys,time\n"
    "n=0\n"
    "start=time.time()\n"
    "while time.time()-start<{seconds}:\n"
    " sys.stdout.write(''.join('step %d/100000 [00:41<00:23, 15.5it/s] loss %.4f lr 3e-4\\n'%(n+i,1/(n+i+1)) for i in range(500)))\n"
    " sys.stdout.flush()\n"
    " n+=500\n"
    " time.sleep(max(0,start+n/10000-time.time()))\n")


class Watched(Screen):
    """A screen whose text can be waited for."""

    def wait_for(self, words, limit=30.0, key=None):
        """Seconds until `words` are written, after typing `key`."""
        import select
        start = time.perf_counter()
        if key is not None:
            os.write(self.fd, key)
        seen = b""
        while time.perf_counter() - start < limit:
            if select.select([self.fd], [], [], 0.5)[0]:
                data = os.read(self.fd, 65536)
                self.bytes += len(data)
                # Words that are written apart, with moves and colours between them, still count.
                seen = (seen + data)[-400_000:]
                if words in re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"", seen):
                    return time.perf_counter() - start
        sys.exit(f"never showed {words!r}; last: {seen[-600:]!r}")


def installed(name):
    return shutil.which(name) is not None


def peers(text, repository):
    candidates = [("less", ["less", text]), ("htop", ["htop"]), ("lnav", ["lnav", text])]
    if repository:
        candidates.append(("tig", ["tig", "-C", repository]))
    return [(name, command) for name, command in candidates if installed(name)]


def first_frames(table, tui, environment, project, others):
    samples = {name: [] for name, _ in [("ours", None), *others]}
    for _ in range(7):
        for name, command in [("ours", [tui]), *others]:
            screen = Screen(command, environment, project)
            samples[name].append((screen.read_until_quiet() - screen.started) * 1000)
            screen.close()
    ours = statistics.median(samples.pop("ours"))
    for name, times in samples.items():
        table.add("first frame", ours, "ms", f"`{name}`", statistics.median(times))


def quiet_keys(table, tui, environment, project, others):
    screens = [("ours", Screen([tui], environment, project))]
    screens += [(name, Screen(command, environment, project)) for name, command in others]
    for _, screen in screens:
        screen.read_until_quiet(1.0)
    os.write(screens[0][1].fd, b"2")
    screens[0][1].drain(0.5)
    times = {name: screen.key_latencies([b"j", b"j", b"k"], 120) for name, screen in screens}
    for _, screen in screens:
        screen.close()
    ours = times.pop("ours")
    for name, samples in times.items():
        if samples:
            table.add("key, median, quiet", statistics.median(ours), "ms", f"`{name}`", statistics.median(samples))


def busy_keys(table, vp, tui, environment, project, instance):
    with open(os.path.join(project, "writer.py"), "w") as file:
        file.write(WRITER.format(seconds=60))
    job = subprocess.run(
        [vp, "run", "-i", instance, "--detach", "--json", "--", "python3", "-u", "writer.py"], env=environment,
        cwd=project, capture_output=True, text=True)
    if job.returncode != 0:
        sys.exit(job.stderr)
    screen = Watched([tui], environment, project)
    screen.wait_for(b"1 Instances")
    screen.drain(1.5)
    os.write(screen.fd, b"3g")
    screen.drain(0.5)
    os.write(screen.fd, b"\r")
    screen.wait_for(b"loss 0.0")
    os.write(screen.fd, b"1")
    screen.drain(1.0)
    size = log_size(environment)
    cpu, start = screen.cpu_seconds(), time.perf_counter()
    # Frames of the log come by themselves: the key's own frame is known by what it draws.
    times = []
    for number in range(200):
        key, words = ((b"?", b"Keys in"), (b"\x1b", b"Offers"))[number % 2]
        times.append(screen.wait_for(words, limit=5, key=key) * 1000)
        screen.drain(0.03)
    window = time.perf_counter() - start
    lines = (log_size(environment) - size) / 66 / window
    table.add(f"key to its frame, p99, log of {lines:.0f} lines/s", percentile(times, 0.99), "ms")
    table.add("the same, median", statistics.median(times), "ms")
    table.add("the same, processor", (screen.cpu_seconds() - cpu) / window * 100, "%")
    screen.close()
    subprocess.run([vp, "cancel", json.loads(job.stdout)["id"]], env=environment, cwd=project, capture_output=True)


def log_folder(environment):
    return os.path.join(environment["XDG_STATE_HOME"], "variousplug", "logs")


def log_size(environment):
    folder = log_folder(environment)
    return max((os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)), default=0)


def large_log(table, vp, tui, environment, project, instance, megabytes):
    job = subprocess.run(
        [vp, "run", "-i", instance, "--detach", "--json", "--", "true"], env=environment, cwd=project,
        capture_output=True, text=True)
    job_id = json.loads(job.stdout)["id"]
    subprocess.run([vp, "attach", job_id], env=environment, cwd=project, capture_output=True)
    path = os.path.join(log_folder(environment), job_id + ".log")
    line = "2026-01-01 12:00:00 step {:09d} loss 0.4123 lr 2.9e-04 grad_norm 1.23 of a job that runs for weeks\n"
    with open(path, "w") as file:
        count = (megabytes << 20) // len(line.format(0))
        for start in range(0, count, 10_000):
            file.write("".join(line.format(n) for n in range(start, min(count, start + 10_000))))
        file.write("the very end\n")
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL)
    name = f"log of {megabytes} MB"

    def ours(words, key):
        return screen.wait_for(words, key=key) * 1000

    screen = Watched([tui], environment, project)
    screen.wait_for(b"1 Instances")
    screen.drain(1.5)
    os.write(screen.fd, b"3g")
    screen.drain(0.5)
    last_page = ours(b"the very end", b"\r")
    less = Watched(["less", "+G", path], environment, project)
    table.add(f"{name}: last page", last_page, "ms", "`less +G`", less.wait_for(b"the very end") * 1000)
    less.close()
    screen.drain(1.0)
    near = f"step {count - 90_000:09d}".encode()
    os.write(screen.fd, b"/" + near)
    screen.drain(0.3)
    first_hit = ours(b" of 1", b"\r")
    table.add(f"{name}: first hit, 9 MB from the end, counted", first_hit, "ms")
    os.write(screen.fd, b"\x1bG")
    screen.drain(0.5)
    os.write(screen.fd, b"/step 000000042")
    screen.drain(0.3)
    far = ours(b" of 1", b"\r")
    less = Watched(["less", "+G", path], environment, project)
    less.wait_for(b"the very end")
    less.drain(0.3)
    os.write(less.fd, b"?step 000000042")
    less.drain(0.3)
    table.add(f"{name}: the whole searched and counted", far, "ms", "`less ?`", less.wait_for(b"step 000000043", key=b"\r") * 1000)
    less.close()
    os.write(screen.fd, b"\x1bg")
    screen.drain(0.5)
    os.write(screen.fd, b"&~00777$")
    screen.drain(0.3)
    resident = screen.resident_megabytes()
    if installed("lnav"):
        lnav = Watched(["lnav", path], environment, project)
        lnav.read_until_quiet(1.0)
        lnav.drain(8.0)
        table.add(f"{name}, resident", resident, "MB", "`lnav`", lnav.resident_megabytes())
        lnav.close()
    else:
        table.add(f"{name}, resident", resident, "MB")
    screen.close()


def many_offers(table, tui, environment, project, folder, count):
    cache = os.path.join(folder, "cache", "variousplug")
    os.makedirs(cache)
    gpus = ["RTX 4090", "RTX 3090", "A100 SXM4", "H100 SXM", "L40S", "RTX A6000"]
    offers = [
        {"id": {"platform": "vast", "rawValue": str(7_000_000 + n)}, "gpuName": gpus[n % 6], "gpuCount": 1 + n % 4,
         "gpuMemoryBytes": 24 << 30, "price": {"dollarsPerHour": (n * 7919 % 30_000) / 10_000 + 0.05},
         "reliability": 0.9 + n % 100 / 1000, "location": ["Quebec, CA", "Texas, US", "Poland, PL"][n % 3],
         "isInterruptible": False, "isVerified": True}
        for n in range(count)]
    with open(os.path.join(cache, "offers.json"), "w") as file:
        json.dump({"fetchedAt": time.time() - 978_307_200, "values": offers}, file)
    alone = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8",
             "XDG_CACHE_HOME": os.path.join(folder, "cache")}
    screen = Watched([tui], alone, project)
    screen.wait_for(b"2 Offers")
    screen.drain(1.0)
    os.write(screen.fd, b"2")
    screen.drain(0.3)
    table.add(f"{count} offers: sort, median", statistics.median(screen.key_latencies([b"o"], 30)), "ms")
    table.add(f"{count} offers: reverse, median", statistics.median(screen.key_latencies([b"O"], 20)), "ms")
    os.write(screen.fd, b"/")
    screen.drain(0.3)
    table.add(
        f"{count} offers: a letter of a filter, median",
        statistics.median(screen.key_latencies([b"r", b"t", b"x", b"\x7f", b"\x7f", b"\x7f"], 30)), "ms")
    screen.close()


def idle(table, tui, environment, project, others):
    rows = []
    for name, command in [("ours", [tui]), *others]:
        screen = Screen(command, environment, project)
        screen.read_until_quiet(1.0)
        screen.drain(4.0)
        cpu, wakeups, written = screen.cpu_seconds(), screen.wakeups(), screen.bytes
        screen.drain(20.0)
        rows.append((name, (screen.cpu_seconds() - cpu) / 0.2, (screen.wakeups() - wakeups) / 20,
                     (screen.bytes - written) / 20, screen.resident_megabytes()))
        screen.close()
    ours = rows[0]
    table.add("idle, written", ours[3], "B/s")
    table.add("idle, wakeups", ours[2], "/s")
    for row in rows[1:]:
        table.add("idle, processor", ours[1], "%", f"`{row[0]}`", row[1])
        table.add("resident", ours[4], "MB", f"`{row[0]}`", row[4])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binaries", default=os.path.join(ROOT, ".build-release", "release"))
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--offers", type=int, default=50_000)
    parser.add_argument("--only", nargs="*", default=["frames", "keys", "idle", "offers", "busy", "log"])
    arguments = parser.parse_args()
    vp, tui = (os.path.join(arguments.binaries, name) for name in ("vp", "vp-tui"))
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8"}
    cloud = subprocess.Popen(
        [vp, "demo", "serve", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean, cwd=folder)
    try:
        served = json.loads(cloud.stdout.readline())
        environment = {**clean, **served["env"]}
        project = os.path.join(folder, "project")
        os.mkdir(project)
        text = os.path.join(folder, "long.txt")
        with open(text, "w") as file:
            file.writelines(f"line {number}\n" for number in range(10_000))
        others = peers(text, ROOT)
        if "frames" in arguments.only:
            first_frames(table, tui, environment, project, others)
        if "keys" in arguments.only:
            quiet_keys(table, tui, environment, project, others)
        if "offers" in arguments.only:
            many_offers(table, tui, environment, project, folder, arguments.offers)
        if "idle" in arguments.only:
            idle(table, tui, environment, project, others)
        if "busy" in arguments.only or "log" in arguments.only:
            out = subprocess.run(
                [vp, "create-instance", "--json", "--yes"], env=environment, cwd=project, capture_output=True,
                text=True)
            if out.returncode != 0:
                sys.exit(out.stderr)
            instance = str(json.loads(out.stdout)["id"])
            if "busy" in arguments.only:
                busy_keys(table, vp, tui, environment, project, instance)
            if "log" in arguments.only:
                large_log(table, vp, tui, environment, project, instance, arguments.megabytes)
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
