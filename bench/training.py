#!/usr/bin/env python3
"""Measures what reading a training's figures costs, beside `grep -c` in the same run, and prints a table.

Method. A release build. A log of 1 GB is made of the corpus of the tests, file after file again and again, another
of its logs in which no line holds a figure, and a third of words that are drawn. Processor time, of user and kernel
together, of `vp metrics --json FILE` and of `grep -c loss FILE`, in turn, the median of several runs. Follower:
one loopback cloud with one rented instance; a job prints 10,000 lines a second, and `vp run` follows it with and
without `--stop-on nan`, which reads the figures beside; processor time of that `vp`.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

from bench import Table, built

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "VPEngineTests" / "Training" / "corpus"
PRINTER = """
import sys, time
start = time.perf_counter()
for second in range(int(sys.argv[1]) * 20):
    for n in range(500):
        step = second * 500 + n
        print(f"step {step}/1000000 loss {3 / (1 + step / 1000):.4f} lr 2.9e-04 grad_norm {1 + step % 7 / 10:.3f}")
    sys.stdout.flush()
    time.sleep(max(0, start + (second + 1) / 20 - time.perf_counter()))
"""


def fill(path, pieces, size):
    block = b"".join(pieces)
    with open(path, "wb") as file:
        for _ in range(-(-size // len(block))):
            file.write(block)
        file.truncate(size)


def prose(size):
    """Lines of words and numbers in which nothing is named as a training would."""
    generator = random.Random(19)
    words = "the request was served from region worker queue node cached image layer digest pulled in with".split()
    text = []
    length = 0
    while length < size:
        line = f"2026-03-02 10:00:{generator.randrange(60):02} {generator.randrange(10**9)} " + " ".join(
            generator.choice(words) for _ in range(12))
        text.append(line)
        length += len(line) + 1
    return ("\n".join(text) + "\n").encode()


def processor(command, environment=None, folder=None):
    """Seconds of user and kernel."""
    # A file, since grep stops at its first match where nobody could read the count.
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
    # grep says 1 where nothing matched.
    if status not in (0, 256):
        sys.exit(f"{command} failed ({status})")
    return usage.ru_utime + usage.ru_stime


def follower(vp, table, clean, folder, seconds, runs):
    cloud = subprocess.Popen(
        [vp, "demo", "serve", "--json"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=clean, cwd=folder)
    try:
        environment = {**clean, **json.loads(cloud.stdout.readline())["env"]}
        project = os.path.join(folder, "project")
        os.mkdir(project)
        with open(os.path.join(project, "printer.py"), "w") as file:
            file.write(PRINTER)
        run = lambda *words: subprocess.run(
            [vp, *words], env=environment, cwd=project, capture_output=True, text=True, check=True)
        run("create-instance", "--platform", "vast", "--json", "--yes")
        run("sync")
        command = ["--", "python3", "printer.py", str(seconds)]
        samples = ([], [])
        for _ in range(runs):
            for sample, options in zip(samples, ([], ["--stop-on", "nan"])):
                sample.append(processor([vp, "run", "--no-sync", *options, *command], environment, project))
        table.add(
            f"following {seconds} s of 10,000 lines/s, figures read", statistics.median(samples[1]) * 1000, "ms",
            "the same without", statistics.median(samples[0]) * 1000)
    finally:
        cloud.send_signal(signal.SIGTERM)
        cloud.wait(timeout=30)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=20, help="of the job that is followed; 0: none")
    parser.add_argument("--vp", help="a program of another build")
    arguments = parser.parse_args()
    vp = arguments.vp or built("vp")
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    try:
        read = lambda name: [path.read_bytes() for path in sorted(CORPUS.glob(name))]
        path = os.path.join(folder, "big.log")
        for what, pieces in (
                ("the corpus", read("*.log")), ("logs of no training", read("none/*.log")),
                ("words", [prose(20_000_000)])):
            fill(path, pieces, arguments.megabytes * 1_000_000)
            ours, theirs = [], []
            for _ in range(arguments.runs):
                ours.append(processor([vp, "metrics", "--json", path], clean, folder))
                theirs.append(processor(["grep", "-c", "loss", path], clean, folder))
            table.add(
                f"{arguments.megabytes} MB of {what}", statistics.median(ours), "s", "`grep -c loss`",
                statistics.median(theirs))
        os.remove(path)
        if arguments.seconds > 0:
            follower(vp, table, clean, folder, arguments.seconds, arguments.runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
