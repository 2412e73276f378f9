"""Easy pace: a sale now and then in a few stores; how long from the queue to the regulator's acceptance."""

import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.report import keep, percentile, show
from bench.scene.ground import Ground, ground, progress
from bench.scene.mix import SEED, Till, Transaction

STORES = 3
SAY_EVERY = 10
TARGET_MEDIAN, TARGET_P99 = 2.0, 5.0
"""Seconds; what the project has set itself. Shown beside the result, never asserted."""


@dataclass(frozen=True)
class Spread:
    """Of many times in seconds."""

    median: float
    p95: float
    p99: float
    longest: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        """Sum up at least one time."""
        return cls(statistics.median(seconds), percentile(seconds, 0.95), percentile(seconds, 0.99), max(seconds))


def run(seconds: float, a_second: float) -> None:
    """Sell at this pace for so long, measure, print and keep the result; raises BenchError when a line is missing."""
    with ground(STORES) as own:
        with own.host():
            warm, sold = _sell(own, seconds, a_second)
            own.wait_for([*warm, *(sale for sale, _ in sold)], "easy pace")
        ledger = own.prove([*warm, *(sale for sale, _ in sold)])
        settled = _settled(own)
    there = [max(ledger[line_id].posted_at for line_id in sale.line_ids) - put for sale, put in sold]
    known = [max(settled[line_id] for line_id in sale.line_ids) - put for sale, put in sold]
    _tell(len(sold), seconds, Spread.of(there), Spread.of(known))


def _sell(own: Ground, seconds: float, a_second: float) -> tuple[list[Transaction], list[tuple[Transaction, float]]]:
    """Warm each store up with a sale, then sell, each at a random instant of its slot lest polls fall in step."""
    till, draw = Till(own.retailer.crsas), random.Random(SEED)
    warm = [Till([crsa], seed=number).sale() for number, crsa in enumerate(own.retailer.crsas)]
    for sale in warm:
        own.put(sale)
    own.wait_for(warm, "warm-up")
    count = max(1, round(seconds * a_second))
    began = time.monotonic()
    sold = []
    for number in range(count):
        due = began + (number + draw.random()) / a_second
        time.sleep(max(0.0, due - time.monotonic()))
        sale = till.sale()
        sold.append((sale, own.put(sale)))
        if number % SAY_EVERY == 0:
            progress(f"easy pace: sale {number + 1} of {count}")
    return warm, sold


def _settled(own: Ground) -> dict[str, float]:
    rows = own.rows("select item_id::text, extract(epoch from settled_at)::float8 from outbox")
    return {str(line_id): float(instant) for line_id, instant in rows}


def _tell(sales: int, seconds: float, there: Spread, known: Spread) -> None:
    named: Mapping[str, Spread] = {
        "accepted by the regulator (its posting time)": there,
        "acceptance on record with us": known,
    }
    rows = [
        [name, *(f"{value:.3f}" for value in (of.median, of.p95, of.p99, of.longest))] for name, of in named.items()
    ]
    rows.append(["target", f"{TARGET_MEDIAN:g}", "", f"{TARGET_P99:g}", ""])
    show(
        f"Easy pace: {sales} sales in {seconds:g} s in {STORES} stores; seconds from the message's put",
        ["until", "median", "p95", "p99", "longest"],
        rows,
        [
            "From just before the put (the POS's clock) to the acceptance of the sale's last line; one clock.",
            f"Through Azurite and the host's own polling (up to 1 s). With {sales} sales the p99 is the longest few.",
        ],
    )
    result: dict[str, Any] = {"sales": sales, "seconds": seconds, "regulator": asdict(there), "ours": asdict(known)}
    keep("easy_pace", result)
