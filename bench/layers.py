"""Samples the functions host's CPU time and sorts it by layer: `python -m bench.layers OUT --app … --port …`.

Runs the same host as `python -m devstack.host`; a timer of the process's own CPU time looks at the stack every 5 ms.
Time inside C code (libpq, pydantic, OpenSSL) counts for the Python line that called it. It costs a few per cent itself.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

from devstack.host import __main__ as host
from devstack.processes import REPO_ROOT

EVERY_SECONDS = 0.005
SHOWN = 60
LAYERS = (
    ("psycopg_pool/", "SQL: pool"),
    ("psycopg/", "SQL: psycopg"),
    ("structlog/", "logging"),
    ("logging/", "logging"),
    ("ocs/telemetry", "logging"),
    ("azure/keyvault/", "secrets: Azure SDK"),
    ("azure/identity/", "secrets: Azure SDK"),
    ("azure/storage/", "doorbell put: Azure SDK"),
    ("azure/functions/", "host: triggers decoded"),
    ("httpx/", "regulator client: httpx"),
    ("httpcore/", "regulator client: httpx"),
    ("devstack/host/queues", "host: queue polling"),
    ("devstack/host/storage", "host: queue HTTP (aiohttp)"),
    ("devstack/host/__main__", "event loop"),
    ("devstack/host/", "host: the rest"),
    ("ocs/regulator/", "regulator client: our part, pydantic"),
    ("ocs/events/report", "regulator client: our part, pydantic"),
    ("ocs/positions/report", "regulator client: our part, pydantic"),
    ("ocs/positions/", "positions: our part"),
    ("ocs/levels/", "levels: our part"),
    ("ocs/events/models", "reading messages: pydantic"),
    ("ocs/events/", "events: our part"),
    ("ocs/delivery/", "delivery: our part"),
    ("ocs/", "ocs: the rest"),
    ("aiohttp/", "HTTP replies read (aiohttp)"),
    ("asyncio/", "event loop"),
)
"""By the innermost frame whose path holds the first text; aiohttp and asyncio count only where nobody above asked."""
WEAK = frozenset({"HTTP replies read (aiohttp)", "event loop"})
IMPORTS = "start: imports"
OTHER = "other"


class Samples:
    """What was on the stack, counted."""

    def __init__(self) -> None:
        """Start at zero."""
        self.layers: Counter[str] = Counter()
        self.own: Counter[str] = Counter()
        self.within: Counter[str] = Counter()
        self.total = 0

    def take(self, _signal: int, frame: FrameType | None) -> None:
        """Count one look at the stack."""
        frames = []
        while frame is not None:
            frames.append(frame)
            frame = frame.f_back
        if not frames:
            return
        self.total += 1
        self.layers[_layer([one.f_code.co_filename for one in frames])] += 1
        self.own[f"{_shown(frames[0].f_code.co_filename)}:{frames[0].f_lineno}"] += 1
        self.within.update(
            {f"{_shown(f.f_code.co_filename)}:{f.f_code.co_firstlineno} {f.f_code.co_name}" for f in frames}
        )

    def write(self, place: Path) -> None:
        """Write the counts as JSON: layers, the lines that ran, and the functions with all that they called."""
        found = {
            "samples": self.total,
            "layers": dict(self.layers.most_common()),
            "own": dict(self.own.most_common(SHOWN)),
            "within": dict(self.within.most_common(SHOWN * 3)),
        }
        place.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _layer(files: list[str]) -> str:
    if any("importlib" in file for file in files):
        return IMPORTS
    weak = OTHER
    for file in files:
        found = next((layer for part, layer in LAYERS if part in file), None)
        if found is None:
            continue
        if found not in WEAK:
            return found
        weak = found
    return weak


def _shown(file: str) -> str:
    return file.removeprefix(f"{REPO_ROOT}{os.sep}").rpartition("site-packages/")[2]


def main() -> int:
    """Run the host with the sampler on, and write what it saw when the host has stopped; gives its exit code."""
    place = Path(sys.argv[1])
    sys.argv = ["host", *sys.argv[2:]]
    samples = Samples()
    signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    try:
        return host.main()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        samples.write(place)


if __name__ == "__main__":
    sys.exit(main())
