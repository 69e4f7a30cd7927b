#!/usr/bin/env python3
"""Measures the dashboard beside less, htop, tig and lnav on the same machine, in the same run.

Method. Every program runs on a pty of 200x50. A first frame is the time from the start of the process to its
first byte; a key's time is from writing it to the first byte that comes back. The loopback cloud serves the
dashboard; a real job writes the 10 000 lines a second. A log of one gigabyte replaces the local copy of a
finished job's log. Peers that are not installed are left out.
"""

import argparse
import json
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

from bench import ROOT, Screen, Table, built, percentile, rent, served_cloud

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
    """A screen that can wait for text."""

    def wait_for(self, words, limit=30.0, key=None):
        """Returns the milliseconds from typing `key` until `words` are written."""
        start, data = time.perf_counter(), b""
        if key is not None:
            self.type(key)
        while (left := start + limit - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                data += os.read(self.fd, 65536)
                # Only the newest output: a flood must not make this program slower than the measured one.
                if words.replace(b" ", b"") in plain(data[-200_000:]):
                    return (time.perf_counter() - start) * 1000
        sys.exit(f"never showed {words!r}; last: {plain(data)[-900:]!r}")


    def redrawn_until(self, words, limit=30.0, key=b""):
        """Does the same if only some letters of `words` change: it makes the program redraw the screen repeatedly."""
        start = time.perf_counter()
        self.type(key)
        while time.perf_counter() - start < limit:
            self.type(b"\x0c")
            if words.replace(b" ", b"") in plain(self.drain(0.02)):
                return (time.perf_counter() - start) * 1000
        sys.exit(f"never redrew {words!r}")


def plain(data):
    """The written text without blanks: programs move the cursor over cells that are already empty."""
    data = re.sub(rb"(.)\x1b\[(\d+)b", lambda match: match[1] * (1 + int(match[2])), data)
    return re.sub(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00-\x20]", b"", data)


# Two keys that always move: lnav begins at the end.
MOVES = {"htop": [b"\x1b[B", b"\x1b[A"], "lnav": [b"k", b"j"]}


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
            screen = Watched(command, environment, project)
            # For ours, the time to the last word of the last row; for the others, to the first byte.
            if name == "ours":
                samples[name].append(screen.wait_for(b"? help", limit=5))
            else:
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
    screens[0][1].type(b"2")
    screens[0][1].drain(0.5)
    times = {name: screen.key_latencies(MOVES.get(name, [b"j", b"k"]), 120) for name, screen in screens}
    for _, screen in screens:
        screen.close()
    ours = times.pop("ours")
    for name, samples in times.items():
        if samples:
            table.add("key, median, quiet", statistics.median(ours), "ms", f"`{name}`", statistics.median(samples))


def detached(vp, environment, project, instance, *words):
    # An instance that is shown as running may have no sshd yet.
    for _ in range(30):
        job = subprocess.run(
            [vp, "--no-sync", "run", "-i", instance, "--detach", "--json", "--", *words], env=environment,
            cwd=project, capture_output=True, text=True)
        if job.returncode == 0:
            return json.loads(job.stdout)["id"]
        time.sleep(1)
    sys.exit(job.stderr)


def opened(tui, environment, project, keys):
    screen = Watched([tui], environment, project)
    screen.wait_for(b"? help")
    screen.drain(1.5)
    for key in keys:
        screen.type(key)
        screen.drain(0.5)
    return screen


def busy_keys(table, vp, tui, environment, project, instance):
    job = detached(vp, environment, project, instance, "python3", "-u", "-c", WRITER.format(seconds=60))
    screen = opened(tui, environment, project, [b"3", b"g", b"\r"])
    screen.wait_for(b"loss 0.0")
    # Typed letters can be recognized in a filter among the frames that the log causes.
    screen.type(b"1/")
    screen.drain(1.0)
    size, cpu, start = log_size(environment), screen.cpu_seconds(), time.perf_counter()
    times, lost = screen.echo_latencies(20)
    window = time.perf_counter() - start
    lines = (log_size(environment) - size) / 66 / window
    name = f"log of {lines:.0f} lines/s: key to its letter on the tty"
    table.add(f"{name}, p99 of {len(times)}, {lost} lost", percentile(times, 0.99), "ms")
    table.add(f"{name}, median", statistics.median(times), "ms")
    table.add("the same, processor", (screen.cpu_seconds() - cpu) / window * 100, "%")
    screen.close()
    subprocess.run([vp, "cancel", job], env=environment, cwd=project, capture_output=True)


def log_folder(environment):
    return os.path.join(environment["XDG_STATE_HOME"], "variousplug", "logs")


def log_size(environment):
    folder = log_folder(environment)
    return max((os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)), default=0)


def large_log(table, vp, tui, environment, project, instance, megabytes):
    job_id = detached(vp, environment, project, instance, "true")
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

    screen = opened(tui, environment, project, [b"3", b"g"])
    last_page = screen.wait_for(b"the very end", key=b"\r")
    less = Watched(["less", "+G", path], environment, project)
    table.add(f"{name}: last page", last_page, "ms", "`less +G`", less.wait_for(b"the very end"))
    less.close()
    screen.drain(1.0)
    near = f"step {count - 90_000:09d}".encode()
    screen.type(b"/" + near)
    screen.drain(0.3)
    first_hit = screen.wait_for(b"paused", key=b"\r")
    table.add(f"{name}: first hit, 9 MB from the end", first_hit, "ms")
    screen.type(b"\x1bG")
    screen.drain(0.5)
    screen.type(b"/step 000000042")
    screen.drain(0.3)
    far = screen.redrawn_until("step 000000042  1 of 1 ·".encode(), key=b"\r")
    # The peer is grep, which does in one pass what takes less minutes.
    start = time.perf_counter()
    subprocess.run(["grep", "-c", "step 000000042", path], capture_output=True)
    table.add(
        f"{name}: the whole searched and counted", far, "ms", "`grep -c`", (time.perf_counter() - start) * 1000)
    screen.type(b"\x1bg")
    screen.drain(0.5)
    screen.type(b"&~00777$")
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


def many_offers(table, vp, tui, environment, project, folder, count):
    # The cached offers, each repeated many times with other numbers and prices.
    subprocess.run([vp, "offers", "--json"], env=environment, cwd=project, capture_output=True, check=True)
    with open(os.path.join(environment["XDG_CACHE_HOME"], "variousplug", "offers.json")) as file:
        document = json.load(file)
    rows = [row for row in document["values"] if row["id"]["platform"] == "vast"]
    values = []
    for number in range(count):
        row = json.loads(json.dumps(rows[number % len(rows)]))
        row["id"]["rawValue"] = str(7_000_000 + number)
        row["price"]["dollarsPerHour"] = (number * 7919 % 30_000) / 10_000 + 0.05
        values.append(row)
    cache = os.path.join(folder, "cache", "variousplug")
    os.makedirs(cache, mode=0o700)
    with open(os.path.join(cache, "offers.json"), "w") as file:
        json.dump({**document, "values": values}, file)
    alone = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8",
             "XDG_CACHE_HOME": os.path.join(folder, "cache")}
    started = Watched([tui], alone, project)
    first = started.wait_for(b"? help")
    table.add(f"{count} offers in the cache: first frame", first, "ms")
    table.add("the same, with the offers", first + started.wait_for(str(count).encode()), "ms")
    started.close()
    screen = opened(tui, alone, project, [b"2"])
    screen.redrawn_until(str(count).encode())
    for what, keys in (("sort", [b"o"]), ("reverse", [b"O"])):
        times = screen.key_latencies(keys, 40)
        table.add(f"{count} offers: {what}, median", statistics.median(times), "ms")
        table.add(f"{count} offers: {what}, worst of {len(times)}", max(times), "ms")
    screen.type(b"/")
    screen.drain(0.3)
    times = screen.key_latencies([b"r", b"t", b"x", b"\x7f", b"\x7f", b"\x7f"], 60)
    table.add(f"{count} offers: a letter of a filter, median", statistics.median(times), "ms")
    table.add(f"{count} offers: a letter of a filter, worst of {len(times)}", max(times), "ms")
    screen.close()


def idle(table, tui, environment, project, others):
    rows = []
    for name, command in [("ours", [tui]), *others]:
        screen = Screen(command, environment, project)
        # After its start the dashboard assumes for a while that somebody is watching.
        screen.drain(25.0 if name == "ours" else 3.0)
        cpu, written, window = screen.cpu_seconds(), screen.bytes, 30.0
        wakeups = screen.wakeups(window)
        rows.append((name, (screen.cpu_seconds() - cpu) / window * 100, wakeups / window,
                     (screen.bytes - written) / window, screen.resident_megabytes()))
        screen.close()
    ours = rows[0]
    table.add("idle, written", ours[3], "B/s")
    table.add("idle, wakeups of all threads", ours[2], "/s")
    for row in rows[1:]:
        table.add("idle, processor", ours[1], "%", f"`{row[0]}`", row[1])
        table.add("resident", ours[4], "MB", f"`{row[0]}`", row[4])


# Cheap GPUs, so that the credit lasts.
POD_GPUS = ["NVIDIA RTX A4000", "NVIDIA RTX A5000", "NVIDIA A40", "NVIDIA L4", "NVIDIA GeForce RTX 3090",
            "NVIDIA RTX A6000", "NVIDIA GeForce RTX 4090", "NVIDIA L40", "NVIDIA L40S", "NVIDIA A100 80GB PCIe"]
# This image starts sshd by itself; others need a command for that.
POD_IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"


def asked(url, key, method, body):
    request = urllib.request.Request(
        url, json.dumps(body).encode(), method=method,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.load(answer)


def fill(vp, served, environment, project, count):
    """Rents `count` instances, as another client of the account would, and waits until they run."""
    offers = json.loads(subprocess.run(
        [vp, "offers", "--json", "--limit", "1000", "--platform", "vast"], env=environment, cwd=project,
        capture_output=True, check=True).stdout)["offers"]
    vast, pods = served["vast"], served["runpod"]
    answer = asked(
        vast["url"] + "/api/v0/asks/bulk/", vast["api_key"], "POST",
        {"ids": [int(offer["id"]) for offer in offers][:count // 2], "image": "pytorch/pytorch:latest", "disk": 20,
         "runtype": "ssh_direct"})
    rented = sum("new_contract" in row for row in answer["results"])
    with open(environment["VP_SSH_IDENTITY"] + ".pub") as file:
        public = file.read()
    for gpu in POD_GPUS:
        while rented < count:
            try:
                asked(pods["url"] + "/pods", pods["api_key"], "POST", {
                    "name": f"pod-{rented}", "image": POD_IMAGE, "gpu": {"id": gpu, "count": 1},
                    "cloud": "SECURE", "disk": 20, "ports": ["22/tcp"], "startSsh": True,
                    "env": {"PUBLIC_KEY": public}})
                rented += 1
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    break
                time.sleep(1)
    for _ in range(200):
        rows = json.loads(subprocess.run(
            [vp, "ls", "--json"], env=environment, cwd=project, capture_output=True).stdout)["instances"]
        running = [str(row["id"]) for row in rows if row["status"] == "running" and row["ssh"]]
        if len(running) >= rented:
            return running
        time.sleep(1)
    sys.exit(f"{len(running)} of {rented} run")


def many_instances(table, vp, tui, clean, folder, instances, jobs):
    with served_cloud(vp, clean, folder) as served:
        environment = {**clean, **served["env"]}
        project = os.path.join(folder, "many-instances")
        os.mkdir(project)
        running = fill(vp, served, environment, project, instances)
        loop = "n=0; while :; do n=$((n+1)); echo step $n loss 0.$n; sleep 1; done"
        for instance in running[:jobs]:
            detached(vp, environment, project, instance, loop)
        screen = opened(tui, environment, project, [b"3", b"g", b"\r"])
        screen.wait_for(b"loss 0.", limit=60)
        name = f"{len(running)} instances, {jobs} jobs running, the log of one followed"
        screen.type(b"1")
        screen.drain(2.0)
        # Each of these keys changes the screen; after any other the next byte would come from the clock.
        moves = screen.key_latencies([b"j", b"j", b"G", b"g"], 160) + screen.key_latencies([b"o", b"O"], 80)
        table.add(f"{name}: key to first byte, p99", percentile(moves, 0.99), "ms")
        table.add("the same, median", statistics.median(moves), "ms")
        screen.type(b"/")
        screen.drain(0.3)
        letters, lost = screen.echo_latencies(10)
        table.add(f"the same, a letter of a filter, p99 of {len(letters)}, {lost} lost", percentile(letters, 0.99), "ms")
        # Sent alone, or it would be taken for the start of a key.
        screen.type(b"\x1b")
        screen.drain(1.0)
        for words, keys in (("watched", 0), ("left alone for 25 s", 25)):
            screen.drain(keys)
            cpu, start, written = screen.cpu_seconds(), time.perf_counter(), screen.bytes
            children = screen.cpu_seconds(children=True)
            wakeups = screen.wakeups(20)
            window = time.perf_counter() - start
            table.add(f"the same, {words}: processor", (screen.cpu_seconds() - cpu) / window * 100, "%")
            children = screen.cpu_seconds(children=True) - children
            table.add(f"the same, {words}: processor of the ssh it starts", children / window * 100, "%")
            table.add(f"the same, {words}: wakeups", wakeups / window, "/s")
            table.add(f"the same, {words}: written", (screen.bytes - written) / window, "B/s")
        table.add("the same, resident", screen.resident_megabytes(), "MB")
        screen.close()


def measure(arguments, table, vp, tui, environment, folder):
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
        many_offers(table, vp, tui, environment, project, folder, arguments.offers)
    if "idle" in arguments.only:
        idle(table, tui, environment, project, others)
    if "busy" in arguments.only or "log" in arguments.only:
        instance = str(rent(vp, environment, project)["id"])
        if "busy" in arguments.only:
            busy_keys(table, vp, tui, environment, project, instance)
        if "log" in arguments.only:
            large_log(table, vp, tui, environment, project, instance, arguments.megabytes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--offers", type=int, default=50_000)
    parser.add_argument("--instances", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=50)
    parser.add_argument("--only", nargs="*", default=["frames", "keys", "idle", "offers", "busy", "log", "many"])
    arguments = parser.parse_args()
    vp, tui = built("vp"), built("vp-tui")
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    try:
        with served_cloud(vp, clean, folder) as served:
            measure(arguments, table, vp, tui, {**clean, **served["env"]}, folder)
        if "many" in arguments.only:
            many_instances(table, vp, tui, clean, folder, arguments.instances, arguments.jobs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
