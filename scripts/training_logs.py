#!/usr/bin/env python3
"""Compares `vp metrics --json` with the expected figures of each log. Called by training-logs.sh, which describes it."""

import json
import pathlib
import re
import subprocess
import sys

CORPUS = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "VPEngineTests" / "Training" / "corpus"
UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def near(a, b):
    return a is not None and abs(a - b) <= 1e-3 * max(abs(a), abs(b))


def seconds(text):
    """Parses `1 day, 2:12:07`, `1:31`, `18h 33m 40s`, `33 minutes and 42.59 seconds`."""
    total = 0.0
    for part in text.replace(" and ", ", ").split(", "):
        if ":" in part:
            clock = 0.0
            for group in part.split(":"):
                clock = clock * 60 + float(group)
            total += clock
        else:
            total += sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+) ?([dhms])", part))
    return total


def read(vp, path):
    answer = subprocess.run([vp, "metrics", "--json", str(path)], capture_output=True, text=True, check=True)
    job = json.loads(answer.stdout)["jobs"][0]
    job["named"] = {series["name"].lower(): series for series in job["series"]}
    return job


def faults(job, expected):
    wrong, missing = [], []
    for name, value in expected["series"].items():
        names = [name, *expected.get("aliases", {}).get(name, [])]
        series = next((job["named"][n.lower()] for n in names if n.lower() in job["named"]), None)
        if series is None:
            if name in expected["core"]:
                missing.append(name)
            continue
        if not near(series["last"], value):
            wrong.append(f"{name} is {series['last']}, not {value}")
        points = expected["points"].get(name)
        if points is not None and series["count"] != points:
            wrong.append(f"{name} has {series['count']} points, not {points}")
    progress, wanted = job["progress"], expected["progress"]
    also = [{"done": done, "total": total} for done, total in expected.get("progressAlso", [])]
    if progress is None and wanted is not None:
        missing.append("progress")
    elif progress is not None and not any(
            w and all(near(progress[key], w[key]) or progress[key] == w[key] for key in w) for w in [wanted, *also]):
        wrong.append(f"progress is {progress}")
    eta = expected["eta"]
    if eta is not None and job["eta_seconds"] is None:
        missing.append("eta")
    elif job["eta_seconds"] is not None and (eta is None or not near(job["eta_seconds"], seconds(eta))):
        wrong.append(f"eta is {job['eta_seconds']}")
    if any(alarm["kind"] == "nan" for alarm in job["alarms"]) != expected["nan"]:
        wrong.append("not-a-number")
    return wrong, missing


def main():
    vp = sys.argv[1]
    sums = {"right": 0, "missing": 0, "wrong": 0}
    logs = sorted(CORPUS.glob("*.log"))
    for log in logs:
        expected = json.loads(log.with_suffix("").with_suffix(".expect.json").read_text())
        wrong, missing = faults(read(vp, log), expected)
        verdict = "wrong" if wrong else "missing" if missing else "right"
        sums[verdict] += 1
        print(f"{log.stem:<24}{verdict:<9}{'; '.join(wrong + ['no ' + name for name in missing])}")
    alarms = [log for log in sorted((CORPUS / "nan").glob("*.log"))]
    told = [log for log in alarms if any(a["kind"] == "nan" for a in read(vp, log)["alarms"])]
    for log in alarms:
        if log not in told:
            print(f"nan/{log.stem:<20}no alarm")
    others = sorted((CORPUS / "none").glob("*.log"))
    silent = [log for log in others if not (job := read(vp, log))["series"] and job["progress"] is None]
    for log in others:
        if log not in silent:
            print(f"none/{log.stem:<19}not silent")
    print(f"{sums['right']} of {len(logs)} right, {sums['missing']} with something missing, {sums['wrong']} wrong; "
          f"{len(told)} of {len(alarms)} not-a-number alarms; {len(silent)} of {len(others)} silent")
    return 0 if sums["wrong"] == 0 and sums["right"] >= 84 and len(told) == len(alarms) and len(silent) == len(others) else 1


sys.exit(main())
