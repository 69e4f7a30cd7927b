#!/usr/bin/env python3
"""Measures how a job's log reaches this machine, beside the bare tool in the same run, and prints a table.

Method. A release build, one loopback cloud with one rented instance. Lag: a job prints the time every 50 ms;
`vp logs -f` and `ssh tail -f` read the same log at once, and each line's age on arrival is measured. Ingest: a
file on the instance is printed by a job that `vp run` follows into its spool and, in turn, by `ssh cat` into a
file. Memory is the largest resident size of that `vp`.
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
import threading
import time

from bench import Table, built, percentile

CLOCK = "import time\nfor n in range(200):\n    print(time.time(), flush=True)\n    time.sleep(0.05)\n"


def ages(command, environment, folder, samples):
    """Starts `command`; a thread records the age of each line when it arrives."""
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0)

    def read():
        pending = b""
        while data := os.read(process.stdout.fileno(), 65536):
            now = time.time()
            *lines, pending = (pending + data).split(b"\n")
            samples.extend((now - float(line)) * 1000 for line in lines)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return process, thread


def seconds_and_megabytes(command, environment, folder, output):
    start = time.perf_counter()
    with open(output, "wb") as file:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{command} failed ({status})")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    vp = built("vp")
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    cloud = subprocess.Popen(
        [vp, "demo", "serve", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean, cwd=folder)
    try:
        environment = {**clean, **json.loads(cloud.stdout.readline())["env"]}
        project = os.path.join(folder, "project")
        os.mkdir(project)
        with open(os.path.join(project, "clock.py"), "w") as file:
            file.write(CLOCK)
        run = lambda *words: subprocess.run(
            [vp, *words], env=environment, cwd=project, capture_output=True, text=True, check=True).stdout
        ssh = json.loads(run("create-instance", "--platform", "vast", "--json", "--yes"))["ssh"]
        run("sync")
        config = os.path.join(folder, "ssh.conf")
        with open(config, "w") as file:
            file.write(
                f"Host bare\nHostName {ssh['host']}\nPort {ssh['port']}\nUser {ssh['user']}\n"
                f"IdentityFile {environment['VP_SSH_IDENTITY']}\nIdentitiesOnly yes\nStrictHostKeyChecking no\n"
                f"UserKnownHostsFile {folder}/known\nLogLevel ERROR\n")
        bare = ["ssh", "-F", config, "bare"]

        job = run("run", "--no-sync", "--detach", "--", "python3", "clock.py").strip()
        ours, theirs = [], []
        ours_process, ours_thread = ages([vp, "logs", "-f", job], environment, project, ours)
        theirs_process, theirs_thread = ages(
            [*bare, f"tail -c +1 -f .vp/jobs/{job}/log"], environment, project, theirs)
        ours_process.wait()
        ours_thread.join()
        time.sleep(0.5)
        theirs_process.kill()
        theirs_thread.join()
        # Lines that were printed before the readers started are too old to count.
        ours, theirs = ours[40:], theirs[40:]
        table.add("lag of a line, median", statistics.median(ours), "ms", "`ssh tail -f`", statistics.median(theirs))
        table.add("lag of a line, p99", percentile(ours, 0.99), "ms", "`ssh tail -f`", percentile(theirs, 0.99))

        size = arguments.megabytes * 1_000_000
        run("run", "--no-sync", "--", f"yes 'epoch 3/10  loss 0.412  lr 2.9e-04' | head -c {size} > /tmp/big")
        rates, peers, memory = [], [], 0.0
        for _ in range(arguments.runs):
            taken, megabytes = seconds_and_megabytes(
                [vp, "run", "--no-sync", "--", "cat", "/tmp/big"], environment, project, "/dev/null")
            rates.append(arguments.megabytes / taken)
            memory = max(memory, megabytes)
            for name in os.listdir(os.path.join(environment["XDG_STATE_HOME"], "variousplug", "logs")):
                os.remove(os.path.join(environment["XDG_STATE_HOME"], "variousplug", "logs", name))
            copy = os.path.join(folder, "copy")
            taken, _ = seconds_and_megabytes([*bare, "cat /tmp/big"], environment, project, copy)
            peers.append(arguments.megabytes / taken)
            os.remove(copy)
            run("run", "--no-sync", "--", "rm -f ~/.vp/jobs/*/log")
        table.add("log into the spool", statistics.median(rates), "MB/s", "`ssh cat`", statistics.median(peers))
        table.add(f"following a log of {arguments.megabytes} MB, peak memory", memory, "MB")
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
