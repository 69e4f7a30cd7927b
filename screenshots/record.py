#!/usr/bin/env python3
"""Records the demonstration of the README: the real dashboard in demo mode, driven by keys.

    screenshots/record.py demo.cast            records an asciinema cast (version 2)
    screenshots/record.py --gif demo.gif demo.cast    plays one in xterm on a virtual screen, and makes a GIF of that

VP_TUI names the dashboard. A pause in the cast is no longer than PAUSE seconds.
"""

import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from fcntl import ioctl

WIDTH, HEIGHT = 120, 34
PAUSE = 1.6
# Seconds between two looks at the screen for the GIF.
LOOK = 0.4
COMMAND = "python3 train.py --epochs 120"


def script():
    """Keys, what the screen shows before they are typed, and how long it is looked at."""
    yield "c", "vast RTX 4090", 1.5
    yield "\x1b[A\x1b[A", "only this offer", 1.2
    for letter in COMMAND:
        yield letter, None, 0.05
    yield "\x13", None, 1.5
    yield "1", "accuracy", 2.0
    yield "4m", None, 2.0
    yield "m", None, 3.0
    yield "/", None, 1.5
    for letter in "saved":
        yield letter, None, 0.08
    yield "\r", None, 1.0
    yield "\x1b", None, 1.5
    yield "G", None, 0.5
    yield "1", "succeeded", 1.5
    yield "D", None, 1.0
    yield "\t", "Every result", 1.5
    yield "y", None, 1.0
    yield "q", "is gone, confirmed", 3.0


def plain(data):
    data = re.sub(rb"(.)\x1b\[(\d+)b", lambda match: match[1] * (1 + int(match[2])), data)
    return re.sub(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]|[\x00-\x20]", b"", data)


class Recorder:
    def __init__(self, program, home):
        environment = {
            "PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "LANG": "C.UTF-8",
            "TMPDIR": home}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
            os.chdir(home)
            os.execve(program, [program, "--demo", "--theme", "dark"], environment)
        self.events, self.start, self.recent = [], time.monotonic(), b""

    def read(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                return True
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.events.append((time.monotonic() - self.start, data))
            self.recent = (self.recent + data)[-400_000:]
        return True

    def wait_for(self, words, limit=180):
        wanted, end = words.encode().replace(b" ", b""), time.monotonic() + limit
        while wanted not in plain(self.recent):
            if time.monotonic() > end or not self.read(0.1):
                sys.exit(f"record.py: the screen never showed {words!r}: {plain(self.recent)[-900:]!r}")

    def play(self):
        for keys, words, pause in script():
            if words:
                self.wait_for(words)
            self.read(pause)
            self.recent = b""
            os.write(self.fd, keys.encode())
        while self.read(1.0) and time.monotonic() - self.start < 900:
            pass

    def close(self):
        try:
            os.kill(self.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)


def shortened(events):
    """The events with no pause longer than PAUSE, as text; a character may come in two pieces."""
    rest, clock, before = b"", 0.0, None
    for at, data in events:
        clock += min(PAUSE, at - (before if before is not None else at))
        before = at
        data = rest + data
        for cut in range(4):
            try:
                text, rest = data[: len(data) - cut].decode(), data[len(data) - cut:]
                break
            except UnicodeDecodeError:
                continue
        else:
            text, rest = data.decode(errors="replace"), b""
        if text:
            yield [round(clock, 3), "o", text]


def record(path):
    program = os.environ.get("VP_TUI") or sys.exit("record.py: VP_TUI names no dashboard")
    home = tempfile.mkdtemp(prefix="vp-record-")
    recorder = Recorder(os.path.abspath(program), home)
    try:
        recorder.play()
    finally:
        recorder.close()
        shutil.rmtree(home, ignore_errors=True)
    head = {
        "version": 2, "width": WIDTH, "height": HEIGHT, "title": "VariousPlug: rent, train, download, destroy",
        "env": {"TERM": "xterm-256color", "SHELL": "/bin/sh"}}
    # What follows the end is the shell's own screen again.
    with open(path, "w") as file:
        for line in [head, *shortened(recorder.events)]:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(path, os.path.getsize(path), "bytes")


def play(path):
    with open(path) as file:
        next(file)
        start = time.monotonic()
        for line in file:
            at, _, text = json.loads(line)
            time.sleep(max(0, at - (time.monotonic() - start)))
            sys.stdout.write(text)
            sys.stdout.flush()
    time.sleep(1)


def gif(path, cast):
    with open(cast) as file:
        duration = [json.loads(line) for line in file][-1][0]
    work = tempfile.mkdtemp(prefix="vp-gif-")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1200x800x24", "-nolisten", "tcp"], pass_fds=[write],
        stderr=subprocess.DEVNULL)
    os.close(write)
    display = ":" + os.read(read, 16).decode().strip()
    environment = {**os.environ, "DISPLAY": display, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    window = subprocess.Popen(
        ["xterm", "-fa", "DejaVu Sans Mono", "-fs", "8", "-bg", "#101418", "-fg", "#d0d4d8", "-b", "4", "+sb",
         "-geometry", f"{WIDTH}x{HEIGHT}+0+0", "-e", sys.executable, os.path.abspath(__file__), "--play",
         os.path.abspath(cast)], env=environment)
    frames, before = [], None
    try:
        start = time.monotonic()
        while window.poll() is None and time.monotonic() - start < duration + 3:
            name = f"{work}/{len(frames):04}.png"
            subprocess.run(["import", "-window", "root", name], env=environment, check=True)
            data = subprocess.run(["convert", name, "rgb:-"], capture_output=True, check=True).stdout
            if data != before:
                frames.append((name, time.monotonic() - start))
                before = data
            time.sleep(LOOK)
    finally:
        window.terminate()
        window.wait()
        server.terminate()
        server.wait()
    # The first is an empty window, the last the screen after the end.
    frames = frames[1:-1]
    command = ["convert", "-loop", "0"]
    for (name, at), (_, until) in zip(frames, frames[1:] + [("", frames[-1][1] + 2)]):
        command += ["-delay", str(max(8, min(200, round((until - at) * 100)))), name]
    # The window is what differs from the empty screen around it.
    size = subprocess.run(["convert", frames[0][0], "-format", "%@", "info:"], capture_output=True, check=True).stdout
    command += ["-crop", size.decode(), "+repage", "+dither", "-colors", "48", path]
    subprocess.run(command, check=True)
    subprocess.run(["gifsicle", "--batch", "-O3", "--colors", "32", path], check=True)
    shutil.rmtree(work, ignore_errors=True)
    print(path, os.path.getsize(path), "bytes,", len(frames), "frames")


if __name__ == "__main__":
    words = sys.argv[1:]
    if len(words) == 2 and words[0] == "--play":
        play(words[1])
    elif len(words) == 3 and words[0] == "--gif":
        gif(words[1], words[2])
    elif len(words) == 1:
        record(words[0])
    else:
        sys.exit(__doc__)
