"""A program on a pseudo terminal, as a user sees it: keys in, bytes out, and its use of resources."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

# Letters that end no escape sequence of a redraw: one that arrives must be a typed one.
ECHOED = b"QWVUYN"


class Screen:
    def __init__(self, command, environment, folder, width=200, height=50):
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The size is set before the program reads it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            os.chdir(folder)
            os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        self.bytes = 0

    def read_until_quiet(self, quiet=0.3, limit=10.0):
        """Reads until there was no output for `quiet` seconds; returns the time of the first byte, or None."""
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
        """Reads all output within `seconds`, and returns it."""
        end = time.perf_counter() + seconds
        data = b""
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                data += os.read(self.fd, 65536)
        self.bytes += len(data)
        return data

    def read_until(self, text, limit=20.0):
        """Reads until `text` appears, and returns the seconds that it took; None if it did not appear."""
        start, data = time.perf_counter(), b""
        while (left := start + limit - time.perf_counter()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                data += os.read(self.fd, 65536)
                if text in data:
                    return time.perf_counter() - start
        return None

    def type(self, keys):
        os.write(self.fd, keys)

    def key_latencies(self, keys, count):
        """Returns the milliseconds from each key to the first byte that comes back."""
        samples = []
        for number in range(count):
            start = time.perf_counter()
            self.type(keys[number % len(keys)])
            if select.select([self.fd], [], [], 2)[0]:
                samples.append((time.perf_counter() - start) * 1000)
            self.drain(0.03)
        return samples

    def echo_latencies(self, seconds):
        """Returns the milliseconds from each letter typed into a field to its echo, and how many were lost."""
        samples, lost, number = [], 0, 0
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            letter = ECHOED[number % len(ECHOED):][:1]
            number += 1
            self.type(letter)
            took = self.read_until(letter, limit=2)
            if took is None:
                lost += 1
            else:
                samples.append(took * 1000)
            if number % 20 == 0:
                self.type(b"\x15")
            self.drain(0.02)
        return samples, lost

    def cpu_seconds(self, children=False):
        """Returns the processor time of the program itself, or of its children that have ended."""
        fields = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        first = 13 if children else 11
        return (int(fields[first]) + int(fields[first + 1])) / os.sysconf("SC_CLK_TCK")

    def wakeups(self, seconds):
        """Counts the wakeups of all threads within `seconds`; it polls to see threads that come and go."""
        start = self._switches()
        counts = dict(start)
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.drain(min(0.25, left))
            counts.update(self._switches())
        # A thread that did not exist at the start began at 0.
        return sum(count - start.get(task, 0) for task, count in counts.items())

    def _switches(self):
        counts = {}
        for task in os.listdir(f"/proc/{self.pid}/task"):
            try:
                lines = open(f"/proc/{self.pid}/task/{task}/status").read().splitlines()
            except OSError:
                continue
            counts[task] = next(
                int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
        return counts

    def resident_megabytes(self):
        for line in open(f"/proc/{self.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
