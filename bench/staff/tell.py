"""The table of the staff's routes: how fast with all the history, how many queries, and how it grows."""

from collections.abc import Sequence

from bench.report import ratio, show
from bench.staff.run import MORE_HISTORY, Sight


def tell(sights: Sequence[Sight]) -> None:
    """Print what was measured with little and with all of the history."""
    little, much = sights
    rows = []
    for before, after, plans in zip(little.asked, much.asked, much.plans, strict=True):
        figures = (f"{before.p50:.1f}", f"{after.p50:.1f}", f"{after.p95:.1f}", ratio(after.p50 / before.p50, 2))
        rows.append([after.name, *figures, str(plans.queries), str(len(plans.whole_reads))])
    growth = [after.p50 / before.p50 for before, after in zip(little.asked, much.asked, strict=True)]
    whole_reads = sorted({read for plans in much.plans for read in plans.whole_reads})
    show(
        f"What staff see: {much.past.stores:,} stores, {much.past.lines:,} lines of {much.past.days} days behind them",
        [
            "ms over HTTP",
            f"p50, {little.past.lines:,}",
            "p50",
            "p95",
            f"{MORE_HISTORY} x history",
            "queries",
            "whole reads",
        ],
        rows,
        [
            f"Each route is asked up to {max(one.times for one in much.asked)} times, one after the other, about",
            "another store each time, by a super admin, who sees all stores. p50 and p95 are those of all the history.",
            f"`{MORE_HISTORY} x history` is the ratio of the medians: 1 does not grow, {MORE_HISTORY} grows in step.",
            f"The largest is {ratio(max(growth), 2)}, the median one {ratio(sorted(growth)[len(growth) // 2], 2)}.",
            "Queries: of one request, the same for a page of 5 rows and of 100. Whole reads: plans with a sequential",
            "scan of a table that grows with history.",
            *whole_reads,
            f"The history was made in {much.made.seconds:,.0f} s: "
            + ", ".join(f"{n:,} {t}" for t, n in much.made.rows.items()),
        ],
    )
