"""One store of 1,500 items: how long one position takes to make, with ever more days of events behind it.

In this process, straight on a real PostgreSQL: the functions host and the regulator have no part in it. What is behind
the day is there as it would be: each change of a level, each line's place in the outbox, each earlier snapshot.
"""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from bench.report import keep, percentile, ratio, show
from bench.scene.ground import FOLDER, BenchError, progress
from bench.scene.retailer import described, retailer_of
from bench.scene.shelves import Shelf, remember, settle_down, stock_up
from bench.scene.stock import ONE_DAY, Plan, draw
from devstack.stack import Stack
from ocs import telemetry
from ocs.db.migrate import migrate
from ocs.levels import at
from ocs.levels.at import levels_at
from ocs.positions.freeze import freeze_day
from ocs.tenants.models import Store
from ocs.tenants.onboard import onboard

HISTORIES = (0, 9, 90)
"""Days of events behind the day whose position is made."""
ITEMS, LINES_A_DAY, LINES_AFTER = 1500, 600, 20
LAST_DAY = date(2026, 1, 14)
ROUNDS, WARM_UP, EXPLAINED = 41, 5, 9
"""Positions made of each store; the stores take turns, so that what else the machine does hits all alike."""
CHANGES = "inventory_changes"
EXPLAIN: LiteralString = "explain (analyze, buffers, timing off, format json) "


@dataclass(frozen=True)
class Measured:
    """What a store's position costs; times in milliseconds, the median of many."""

    days: int
    changes: int
    lines: int
    whole: float
    """Lock, reckon, freeze, enqueue, commit."""
    p95: float
    levels: float
    """The levels at midnight alone, as the app reads them."""
    sql: float
    """Of that: the time in PostgreSQL, planning and execution."""
    buffers: int
    """Pages of 8 kB that the query read, from its EXPLAIN (ANALYZE, BUFFERS)."""
    rows_read: int
    """Rows of changes that it looked at."""


@dataclass(frozen=True)
class _Subject:
    """A store with its history, and the milliseconds that its positions took."""

    days: int
    store: Store
    shelf: Shelf
    wholes: list[float] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)

    @property
    def midnight(self) -> datetime:
        """The end of the day whose position is made."""
        return self.shelf.stock.midnight

    @property
    def morning(self) -> datetime:
        """Its beginning."""
        return self.midnight - ONE_DAY


def run() -> list[Measured]:
    """Measure, print and keep the result; raises BenchError when a position is not what the bench reckons."""
    telemetry.configure("WARNING")
    with Stack(FOLDER, parts=("postgres",)) as stack:
        measured = asyncio.run(_measure(stack.postgres.url()))
    _tell(measured)
    keep("one_store", {"items": ITEMS, "lines_a_day": LINES_A_DAY, "stores": [asdict(one) for one in measured]})
    return measured


async def _measure(database_url: str) -> list[Measured]:
    progress(f"one store: {ITEMS:,} items, {LINES_A_DAY} lines a day, {', '.join(map(str, HISTORIES))} days behind it")
    migrate(database_url)
    # As the app's own pool has it: no prepared statements, since PgBouncer stands in between in production.
    connection = await AsyncConnection.connect(
        database_url, autocommit=True, row_factory=dict_row, prepare_threshold=None
    )
    async with connection:
        subjects = await _subjects(connection)
        shelves = [subject.shelf for subject in subjects]
        stock_up(database_url, shelves)
        remember(database_url, shelves)
        settle_down(database_url)
        for number in range(WARM_UP + ROUNDS):
            for subject in subjects:
                whole, levels = await _make_one(connection, subject)
                if number >= WARM_UP:
                    subject.wholes.append(whole)
                    subject.levels.append(levels)
        return [await _measured(connection, subject) for subject in subjects]


async def _subjects(connection: AsyncConnection[DictRow]) -> list[_Subject]:
    async with connection.transaction():
        await onboard(connection, described(retailer_of(len(HISTORIES)), "http://127.0.0.1:9"))
    rows = await (await connection.execute("select * from reporting_stores order by crsa")).fetchall()
    found = []
    for days, row in zip(HISTORIES, rows, strict=True):
        store = Store.from_row(row)
        stock = draw(days, Plan(ITEMS, 0, 1 + days, LINES_A_DAY, LINES_AFTER), store.time_zone, LAST_DAY)
        shelf = Shelf(store.store_id, store.tenant_id, store.connection_id, store.crsa, LAST_DAY, stock)
        found.append(_Subject(days, store, shelf))
    return found


async def _make_one(connection: AsyncConnection[DictRow], subject: _Subject) -> tuple[float, float]:
    """Make a position, a new revision each time, then read its levels again; gives the milliseconds of both."""
    began = time.perf_counter()
    async with connection.transaction():
        frozen = await freeze_day(connection, subject.store, LAST_DAY, "by_hand", "bench")
    made = time.perf_counter()
    if frozen is None:
        raise BenchError(f"{subject.store.crsa}: no position was made")
    began_levels = time.perf_counter()
    async with connection.transaction():
        await levels_at(connection, subject.store.store_id, subject.midnight, moved_since=subject.morning)
    return 1000 * (made - began), 1000 * (time.perf_counter() - began_levels)


async def _measured(connection: AsyncConnection[DictRow], subject: _Subject) -> Measured:
    plans = [await _explained(connection, subject) for _ in range(EXPLAINED)]
    plan = plans[-1]
    return Measured(
        days=subject.days,
        changes=len(subject.shelf.stock.moves),
        lines=await _prove(connection, subject),
        whole=statistics.median(subject.wholes),
        p95=percentile(subject.wholes, 0.95),
        levels=statistics.median(subject.levels),
        sql=statistics.median(plan["Planning Time"] + plan["Execution Time"] for plan in plans),
        buffers=plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"],
        rows_read=sum(_rows_of(plan["Plan"], CHANGES)),
    )


async def _explained(connection: AsyncConnection[DictRow], subject: _Subject) -> dict[str, Any]:
    """Give PostgreSQL's own account of the query that reads the levels."""
    words = {"store_id": subject.store.store_id, "instant": subject.midnight, "moved_since": subject.morning}
    row = await (await connection.execute(EXPLAIN + at.SQL["levels_at"], words)).fetchone()
    if row is None:
        raise BenchError("EXPLAIN gave nothing")
    plan: dict[str, Any] = row["QUERY PLAN"][0]
    return plan


def _rows_of(node: dict[str, Any], table: str) -> Iterator[int]:
    """Give the rows that each scan of a table gave or threw away, from a node of a plan downwards."""
    if node.get("Relation Name") == table:
        yield round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
    for below in node.get("Plans", []):
        yield from _rows_of(below, table)


async def _prove(connection: AsyncConnection[DictRow], subject: _Subject) -> int:
    """Prove that the newest position is what the bench reckons; gives its lines, raises BenchError."""
    query = (
        "select ocs_sku, upc, quantity, value from snapshot_lines l where store_id = %(store_id)s "
        "and business_date = %(date)s and revision = (select max(revision) from snapshots "
        "where store_id = %(store_id)s and business_date = %(date)s)"
    )
    words = {"store_id": subject.store.store_id, "date": LAST_DAY}
    rows = await (await connection.execute(query, words)).fetchall()
    frozen = sorted((row["ocs_sku"], row["upc"], row["quantity"], row["value"]) for row in rows)
    reckoned = sorted(
        (ocs_sku, upc, Decimal(quantity), Decimal(value))
        for ocs_sku, upc, quantity, value in subject.shelf.stock.position()
    )
    if frozen != reckoned:
        raise BenchError(f"{subject.store.crsa}: the position of {subject.days} days is not what the bench reckons")
    return len(frozen)


def _tell(measured: Sequence[Measured]) -> None:
    first = measured[0]
    show(
        f"One store of {ITEMS:,} items, {LINES_A_DAY} lines a day: making one position",
        ["days behind it", "changes", "ms, median", "p95", "ratio", "ms, levels", "in SQL", "pages", "changes read"],
        [
            [
                str(one.days),
                f"{one.changes:,}",
                f"{one.whole:.2f}",
                f"{one.p95:.2f}",
                ratio(one.whole / first.whole),
                f"{one.levels:.2f}",
                f"{one.sql:.2f}",
                f"{one.buffers:,}",
                f"{one.rows_read:,}",
            ]
            for one in measured
        ],
        [
            f"Median of {ROUNDS}, the stores taking turns; each position has {first.lines:,} lines or so, and is what",
            "the bench reckons by itself. From the locks to the commit; the ratio is to the store without history.",
            "Levels: as the app reads them, its Python included; in SQL: PostgreSQL's own planning and execution.",
            "Pages (8 kB) and changes that the query looked at, from EXPLAIN (ANALYZE, BUFFERS).",
        ],
    )
