#!/usr/bin/env python3
"""Measures what reading a training's figures costs, beside `grep -c` in the same run, and prints a table.

Method. A release build. A log of 1 GB is made of the corpus of the tests, file after file again and again, another
of one log of it, another of its logs in which no line holds a figure, and a last one of words that are drawn.
Processor time, of user and kernel together, of `vp metrics --json FILE` and of `grep -c loss FILE`, in turn, the
median of several runs. Follower: a loopback cloud with one rented instance; a job prints 10,000 lines a second, and
`vp run` follows it with and without `--stop-on nan`; processor time of that `vp`. With `--against` another build is
measured in the same run: one from before trainings were watched says what watching costs.
"""

import argparse
import contextlib
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

from bench import Table, built, rent, served_cloud

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


class Follower:
    """A cloud with a rented instance on which a job prints. Each build has its own, since a newer one migrates a
    project's database."""

    def __init__(self, vp, clean, folder, stack):
        self.vp = vp
        os.mkdir(folder)
        clean = {**clean, "HOME": folder}
        self.environment = {**clean, **stack.enter_context(served_cloud(vp, clean, folder))["env"]}
        self.project = os.path.join(folder, "project")
        os.mkdir(self.project)
        with open(os.path.join(self.project, "printer.py"), "w") as file:
            file.write(PRINTER)
        rent(vp, self.environment, self.project)
        subprocess.run([vp, "sync"], env=self.environment, cwd=self.project, capture_output=True, check=True)

    def milliseconds(self, seconds, options):
        command = [self.vp, "run", "--no-sync", *options, "--", "python3", "printer.py", str(seconds)]
        return processor(command, self.environment, self.project) * 1000


def in_turn(measures, runs):
    """The median of each measure, taken in turn."""
    samples = [[] for _ in measures]
    for _ in range(runs):
        for sample, measure in zip(samples, measures):
            sample.append(measure())
    return [statistics.median(sample) for sample in samples]


def reading(vps, table, clean, folder, megabytes, runs):
    read = lambda name: [path.read_bytes() for path in sorted(CORPUS.glob(name))]
    path = os.path.join(folder, "big.log")
    for what, pieces in (
            ("the corpus", read("*.log")), ("one program's log", [CORPUS.joinpath("hf-trainer.log").read_bytes()]),
            ("logs of no training", read("none/*.log")), ("words", [prose(20_000_000)])):
        fill(path, pieces, megabytes * 1_000_000)
        measures = [lambda vp=vp: processor([vp, "metrics", "--json", path], clean, folder) for vp in vps]
        grep = lambda: processor(["grep", "-c", "loss", path], clean, folder)
        ours, *before, theirs = in_turn([*measures, grep], runs)
        table.add(f"{megabytes} MB of {what}", ours, "s", "`grep -c loss`", theirs)
        for other in before:
            table.add("the same", ours, "s", "the other build", other)
    os.remove(path)


def following(vps, table, clean, folder, seconds, runs):
    with contextlib.ExitStack() as stack:
        followers = [
            Follower(vp, clean, os.path.join(folder, str(index)), stack) for index, vp in enumerate(vps)]
        ours = followers[0]
        ruled, plain, *others = in_turn(
            [lambda: ours.milliseconds(seconds, ["--stop-on", "nan"]), lambda: ours.milliseconds(seconds, [])]
            + [lambda other=other: other.milliseconds(seconds, []) for other in followers[1:]], runs)
        what = f"following {seconds} s of 10,000 lines/s"
        table.add(f"{what}, `--stop-on nan`", ruled, "ms", "the same without", plain)
        for other in others:
            table.add(f"{what}, `--stop-on nan`", ruled, "ms", "the other build without", other)
            table.add(what, plain, "ms", "the other build", other)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000, help="of each log that is read; 0: none")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=20, help="of the job that is followed; 0: none")
    parser.add_argument("--vp", help="a program of another folder")
    parser.add_argument("--against", help="the program of another build, measured in turn with this one")
    arguments = parser.parse_args()
    vps = [arguments.vp or built("vp")] + ([arguments.against] if arguments.against else [])
    table = Table()
    folder = tempfile.mkdtemp(prefix="vp-bench-")
    clean = {"PATH": os.environ["PATH"], "HOME": folder, "LANG": "C.UTF-8", "TMPDIR": tempfile.gettempdir()}
    try:
        if arguments.megabytes > 0:
            reading(vps, table, clean, folder, arguments.megabytes, arguments.runs)
        if arguments.seconds > 0:
            following(vps, table, clean, folder, arguments.seconds, arguments.runs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table)


if __name__ == "__main__":
    main()
