#!/usr/bin/env python3
"""Trains a small neural network on two half moons. Needs the standard library only."""

import argparse
import csv
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import zlib


def read_points(path):
    with open(path, newline="") as file:
        return [((float(r["x"]), float(r["y"])), int(r["moon"])) for r in csv.DictReader(file)]


class Network:
    """Two inputs, one hidden layer of tanh units, one probability."""

    def __init__(self, hidden, rng):
        self.w1 = [[rng.gauss(0, 1.2), rng.gauss(0, 1.2)] for _ in range(hidden)]
        self.b1 = [rng.gauss(0, 0.5) for _ in range(hidden)]
        self.w2 = [rng.gauss(0, 1 / math.sqrt(hidden)) for _ in range(hidden)]
        self.b2 = 0.0

    def forward(self, x, y):
        hidden = [math.tanh(w[0] * x + w[1] * y + b) for w, b in zip(self.w1, self.b1)]
        logit = self.b2 + sum(w * h for w, h in zip(self.w2, hidden))
        return hidden, 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))

    def train_batch(self, batch, rate):
        """One step of gradient descent; returns the mean loss and how many were right."""
        size = len(self.w2)
        g1 = [[0.0, 0.0] for _ in range(size)]
        gb1, g2, gb2 = [0.0] * size, [0.0] * size, 0.0
        loss = right = 0
        for (x, y), label in batch:
            hidden, p = self.forward(x, y)
            loss -= math.log(max(1e-12, p if label else 1 - p))
            right += (p > 0.5) == bool(label)
            error = p - label
            gb2 += error
            for i, h in enumerate(hidden):
                g2[i] += error * h
                back = error * self.w2[i] * (1 - h * h)
                g1[i][0] += back * x
                g1[i][1] += back * y
                gb1[i] += back
        step = rate / len(batch)
        for i in range(size):
            self.w2[i] -= step * g2[i]
            self.b1[i] -= step * gb1[i]
            self.w1[i][0] -= step * g1[i][0]
            self.w1[i][1] -= step * g1[i][1]
        self.b2 -= step * gb2
        return loss / len(batch), right


def clock(seconds):
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def show_bar(epoch, epochs, done, total, began, loss, rate):
    """A progress bar as tqdm draws it: one line, redrawn after a carriage return."""
    fraction, width = done / total, 20
    eighths = int(fraction * width * 8)
    bar = "█" * (eighths // 8)
    if eighths % 8:
        bar += " ▏▎▍▌▋▊▉"[eighths % 8]
    elapsed = max(1e-9, time.monotonic() - began)
    speed = done / elapsed
    left = (total - done) / speed if speed else 0
    sys.stdout.write(
        f"\rEpoch {epoch}/{epochs}: {fraction:4.0%}|{bar:<{width}}| {done}/{total} "
        f"[{clock(elapsed)}<{clock(left)}, {speed:.1f}it/s, loss={loss:.4f}, lr={rate:.2e}]")
    sys.stdout.flush()
    return speed


def write_loss_plot(path, losses):
    width, height, margin = 640, 360, 48
    top = max(losses) * 1.05
    span = max(1, len(losses) - 1)
    points = " ".join(
        f"{margin + i / span * (width - 2 * margin):.1f},"
        f"{height - margin - loss / top * (height - 2 * margin):.1f}"
        for i, loss in enumerate(losses))
    with open(path, "w") as file:
        file.write(
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="13">'
            f'<rect width="{width}" height="{height}" fill="#fff"/>'
            f'<path d="M{margin},{margin}V{height - margin}H{width - margin}" fill="none" stroke="#888"/>'
            f'<polyline points="{points}" fill="none" stroke="#2a6fdb" stroke-width="2.5"/>'
            f'<text x="{width / 2}" y="{height - 14}" text-anchor="middle">epoch</text>'
            f'<text x="{margin}" y="{margin - 14}">loss, from {losses[0]:.3f} to {losses[-1]:.3f}</text>'
            "</svg>\n")


def write_decision_plot(path, network, points):
    """A PNG of the network's answer over the plane, with the points on it."""
    width, height = 240, 160
    left, right, bottom, top = -1.6, 2.6, -1.1, 1.6
    rows = []
    for j in range(height):
        y = top - (top - bottom) * j / (height - 1)
        row = bytearray()
        for i in range(width):
            p = network.forward(left + (right - left) * i / (width - 1), y)[1]
            row += bytes((int(90 + 150 * p), 150, int(240 - 150 * p)))
        rows.append(row)
    for (x, y), label in points:
        i = int((x - left) / (right - left) * (width - 1))
        j = int((top - y) / (top - bottom) * (height - 1))
        if 0 <= i < width and 0 <= j < height:
            rows[j][3 * i:3 * i + 3] = bytes((120, 30, 30) if label else (20, 40, 110))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(r) for r in rows))))
        file.write(chunk(b"IEND", b""))


def device_name():
    if not shutil.which("nvidia-smi"):
        return "no GPU, running on the CPU"
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "a GPU that does not answer"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.08, help="learning rate at the start")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", default="outputs")
    options = parser.parse_args()

    rng = random.Random(options.seed)
    points = read_points(os.path.join("data", "moons.csv"))
    network = Network(options.hidden, rng)
    print(f"device: {device_name()}")
    print(f"data: {len(points)} points, network: {4 * options.hidden + 1} parameters", flush=True)

    os.makedirs(options.output, exist_ok=True)
    losses = []
    with open(os.path.join(options.output, "metrics.csv"), "w", newline="") as file:
        metrics = csv.writer(file)
        metrics.writerow(["epoch", "loss", "accuracy", "lr", "seconds"])
        for epoch in range(1, options.epochs + 1):
            rate = options.rate * 0.5 * (1 + math.cos(math.pi * (epoch - 1) / options.epochs)) + 0.002
            rng.shuffle(points)
            batches = [points[i:i + options.batch] for i in range(0, len(points), options.batch)]
            began = time.monotonic()
            total = right = 0
            drawn = 0.0
            for index, batch in enumerate(batches, 1):
                loss, hits = network.train_batch(batch, rate)
                total += loss * len(batch)
                right += hits
                now = time.monotonic()
                if now - drawn > 0.1 or index == len(batches):
                    drawn = now
                    speed = show_bar(
                        epoch, options.epochs, index, len(batches), began, loss, rate)
            mean, accuracy = total / len(points), right / len(points)
            seconds = time.monotonic() - began
            losses.append(mean)
            metrics.writerow([epoch, f"{mean:.5f}", f"{accuracy:.4f}", f"{rate:.5f}", f"{seconds:.2f}"])
            file.flush()
            print(
                f"\nepoch {epoch}/{options.epochs}  loss {mean:.4f}  accuracy {accuracy:.3f}  "
                f"lr {rate:.2e}  {speed:.1f} it/s", flush=True)

    with open(os.path.join(options.output, "model.json"), "w") as file:
        json.dump(vars(network), file)
    if losses:
        write_loss_plot(os.path.join(options.output, "loss.svg"), losses)
    write_decision_plot(os.path.join(options.output, "decision.png"), network, points)
    print(f"wrote model.json, metrics.csv, loss.svg and decision.png to {options.output}/", flush=True)


if __name__ == "__main__":
    main()
