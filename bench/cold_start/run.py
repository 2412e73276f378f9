"""Starts the app again and again in new processes; the quickest of the rounds counts, as the machine is shared."""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.cold_start.probe import STEPS
from bench.report import keep, ratio, show

ROOT = Path(__file__).parents[2]
LONGEST = 120
HEAVIEST = 12
IMPORT_TIME = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)")


@dataclass(frozen=True)
class Start:
    """One new process: seconds by the clock and of CPU from its beginning to its end, and what it timed itself."""

    wall: float
    cpu: float
    times: dict[str, float] = field(default_factory=dict)


def run(rounds: int) -> None:
    """Measure each step, print and keep the result."""
    with tempfile.TemporaryDirectory() as empty:
        uncompiled = {"PYTHONPYCACHEPREFIX": empty, "PYTHONDONTWRITEBYTECODE": "1"}
        starts = {step: _quickest(step, rounds) for step in STEPS}
        starts["app, no bytecode"] = _quickest("app", rounds, uncompiled)
    heaviest = _heaviest()
    keep("cold-start", {"starts": {name: vars(start) for name, start in starts.items()}, "heaviest_ms": heaviest})
    _tell(starts, heaviest, rounds)


def _quickest(step: str, rounds: int, more: dict[str, str] | None = None) -> Start:
    _started(step, more)  # the first run fills the disk's cache, and Python's own where it may
    return min((_started(step, more) for _ in range(rounds)), key=lambda start: start.cpu)


def _started(step: str, more: dict[str, str] | None) -> Start:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "bench.cold_start.probe", step]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | (more or {}), capture_output=True, text=True, timeout=LONGEST, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    times = json.loads(done.stdout.splitlines()[-1])
    return Start(sum(times.values()), cpu, times)


def _heaviest() -> dict[str, float]:
    """Give the milliseconds of the packages whose own modules take the longest to import, by -X importtime."""
    command = [sys.executable, "-X", "importtime", "-c", "import function_app"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=True)
    own: Counter[str] = Counter()
    for microseconds, name in IMPORT_TIME.findall(done.stderr):
        parts = name.split(".")
        own[".".join(parts[:2]) if parts[0] in ("azure", "ocs") else parts[0]] += int(microseconds)
    return {name: microseconds / 1000 for name, microseconds in own.most_common(HEAVIEST)}


def _tell(starts: dict[str, Start], heaviest: dict[str, float], rounds: int) -> None:
    floor = starts["libraries"].cpu
    names = {
        "nothing": "Python alone",
        "libraries": "the libraries alone",
        "app": "function_app.py",
        "app, no bytecode": "the same without compiled bytecode",
        "request": "… and the first request",
        "otlp": "… and OpenTelemetry to a collector",
        "azure": "… and to Application Insights",
    }
    rows = [
        [words, f"{starts[name].cpu:.2f}", f"{starts[name].wall:.2f}", ratio(starts[name].cpu / floor, 2)]
        for name, words in names.items()
    ]
    show(
        "Cold start: a new process until it serves",
        ["", "CPU s", "clock s", "x libraries"],
        rows,
        [
            f"The quickest of {rounds} by CPU, each in a process of its own; the clock without Python's own start.",
            f"The first request took {starts['request'].times['request'] * 1000:.0f} ms after the imports.",
            "Longest of their own in an import (ms): " + ", ".join(f"{name} {ms:.0f}" for name, ms in heaviest.items()),
        ],
    )
