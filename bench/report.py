"""How results are shown: a table on stdout, and the same numbers as JSON in bench/results/."""

import json
import math
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("results")
CONSOLE = Console(highlight=False, width=120)


@dataclass(frozen=True)
class Line:
    """A straight line through measured points, by least squares; `slope_error` is one standard error."""

    slope: float
    slope_error: float


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which this share (0 to 1) of the values lies, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def straight_line(xs: Sequence[float], ys: Sequence[float]) -> Line:
    """Fit a line to at least three points; raises statistics.StatisticsError when all xs are the same."""
    fit = statistics.linear_regression(xs, ys)
    rests = sum((y - fit.intercept - fit.slope * x) ** 2 for x, y in zip(xs, ys, strict=True))
    middle = statistics.fmean(xs)
    spread = sum((x - middle) ** 2 for x in xs)
    return Line(fit.slope, math.sqrt(rests / (len(xs) - 2) / spread))


def ratio(value: float, digits: int = 3) -> str:
    """Write a ratio cut off after some digits, never rounded up."""
    return f"{math.floor(value * 10**digits) / 10**digits:.{digits}f}"


def show(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str] = ()) -> None:
    """Print a table, its first column left, the others right, and notes under it."""
    CONSOLE.print(title, style="bold")  # a table's own title is wrapped to the width of a narrow table
    table = Table()
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    CONSOLE.print(table)
    for note in notes:
        CONSOLE.print(f"  {note}", style="dim")
    CONSOLE.print()


def keep(name: str, result: Mapping[str, Any]) -> Path:
    """Write a bench's result with the machine it ran on; gives the file."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    place = RESULTS / f"{now:%Y%m%dT%H%M%SZ}-{name}.json"
    whole = {"bench": name, "at": now.isoformat(timespec="seconds"), "machine": machine, **result}
    place.write_text(json.dumps(whole, indent=2), encoding="utf-8")
    return place
