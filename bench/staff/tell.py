"""The table of the staff's routes: how fast with all the history, how many queries, and how it grows."""

import statistics
from collections.abc import Sequence

from bench.report import ratio, show
from bench.staff.run import MORE_HISTORY, Sight

HEADS = ("ms over HTTP, with all the history", "p50", "p95", "ratio", "pages", "ratio", "queries")


def tell(sights: Sequence[Sight]) -> None:
    """Print what was measured with little and with all of the history."""
    little, much = sights
    slower = [after.p50 / before.p50 for before, after in zip(little.asked, much.asked, strict=True)]
    more = [after.pages / max(1, before.pages) for before, after in zip(little.plans, much.plans, strict=True)]
    rows = []
    for asked, plans, time, pages in zip(much.asked, much.plans, slower, more, strict=True):
        times = (f"{asked.p50:.1f}", f"{asked.p95:.1f}", ratio(time, 2))
        rows.append([asked.name, *times, f"{plans.pages:,}", ratio(pages, 2), str(plans.queries)])
    past = f"{much.past.stores:,} stores, {much.past.lines:,} lines of {much.past.days} days behind them"
    show(f"What staff see: {past}", HEADS, rows, _notes(little, much, slower, more))


def _notes(little: Sight, much: Sight, slower: list[float], more: list[float]) -> list[str]:
    whole_reads = sorted({read for plans in much.plans for read in plans.whole_reads})
    times = max(asked.times for asked in much.asked)
    slowest, middle = ratio(max(slower), 2), ratio(statistics.median(slower), 2)
    most, usual = ratio(max(more), 2), ratio(statistics.median(more), 2)
    return [
        f"Each route is asked up to {times} times, one after the other, about another store each time, by a super",
        "admin, who sees all stores. Pages: of 8 KiB, of tables and indexes, that one request touches; neither other",
        "work on the machine nor a cache changes their number. Queries: as many for 5 rows as for 100.",
        f"Ratio: all the history by a tenth of it ({little.past.lines:,} lines): 1 does not grow, {MORE_HISTORY} grows",
        f"in step. Of the medians the largest is {slowest}, the middle one {middle}; of the pages {most} and {usual}.",
        "A store with little history may have no full page yet: then a full one counts as growth.",
        f"Plans that read a table that grows with history from end to end: {len(whole_reads)}.",
        *whole_reads,
        f"All the history was made in {much.made.seconds:,.0f} s: "
        + ", ".join(f"{rows:,} {table}" for table, rows in much.made.rows.items()),
    ]
