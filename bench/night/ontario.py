"""All Ontario's night: 1,800 stores of 400 items in three zones, whose positions all fall due at one instant.

In a real night two of the zones are an hour ahead of the third; here every store's own hour is set so that all come at
once. The functions host runs the real app, its business clock moved so that this instant comes while we look.
"""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from bench.costs import Costs, peak_resident_mb, read_costs, resident_mb
from bench.night.floor import Floor, measure_floor
from bench.night.proof import prove
from bench.report import keep
from bench.scene.ground import PATIENCE_SECONDS, BenchError, Ground, ground, progress
from bench.scene.retailer import ZONES
from bench.scene.shelves import Shelf, settle_down, stock_up
from bench.scene.stock import ONE_DAY, Plan, draw
from devstack.stack import Host

LAST_DAY = date(2026, 1, 14)
"""An ordinary winter day: no clock changes in its night, and every run is the same."""
DUE = datetime.combine(LAST_DAY + ONE_DAY, datetime.min.time().replace(hour=1), ZoneInfo("America/Winnipeg"))
"""01:00 in the zone that comes last; elsewhere it is the same instant by another clock."""
PLAN = Plan(items=400, gone=10, days=1, lines_a_day=160, lines_after=8)
"""A mean store of Ontario: 400 items, 160 sale lines a day."""
LEAD_SECONDS = 20
"""From the host's start to the instant at which all is due: it must be ready by then."""
LOOK_EVERY_SECONDS = 0.25
SAY_EVERY_SECONDS = 2.0
SAMPLED = "layers.json"


@dataclass(frozen=True)
class Night:
    """A night as it was measured; seconds count from the instant at which all positions fell due."""

    stores: int
    lines: int
    made: float
    """Until the last position was made."""
    first_sent: float
    settled: float
    """Until the last acceptance was on our record."""
    calls: int
    resting_mb: float
    peak_mb: float
    cpu: Costs
    cpu_until_made: Costs
    floor: Floor

    @property
    def by_clock(self) -> float:
        """Microseconds a line, from due to settled."""
        return 1e6 * self.settled / self.lines

    @property
    def by_cpu(self) -> float:
        """CPU microseconds a line, of all processes."""
        return 1e6 * self.cpu.total / self.lines


@dataclass(frozen=True)
class _Seen:
    """What was seen of the host from outside."""

    resting_mb: float
    peak_mb: float
    cpu: Costs
    cpu_until_made: Costs


def run(sizes: tuple[int, ...], *, sampled: bool) -> list[Night]:
    """Measure a night of each size, each on a stack of its own, and keep the results; raises BenchError."""
    nights = [measure(size, sampled=sampled and size == max(sizes)) for size in sizes]
    keep("night", {"sampled": sampled, "nights": [asdict(night) for night in nights]})
    return nights


def measure(stores: int, *, sampled: bool = False) -> Night:
    """Measure one night; raises BenchError when a position is missing, doubled or wrong."""
    with ground(stores) as own:
        shelves = _shelves(own)
        progress(f"night of {stores:,} stores: {stores * PLAN.items:,} levels, openings and a day's changes by COPY")
        stock_up(own.stack.postgres.url(), shelves)
        _fall_due_at_once(own)
        settle_down(own.stack.postgres.url())
        into = own.stack.folder / SAMPLED if sampled else None
        with _host_before(own, into) as (host, due):
            seen = _watch(own, host, due, stores)
        lines = prove(own, shelves)
        return _night(own, due, lines, seen, measure_floor(own, shelves))


def _shelves(own: Ground) -> list[Shelf]:
    rows = own.rows("select store_id, tenant_id, connection_id, crsa, time_zone from stores order by crsa")
    return [
        Shelf(store_id, tenant_id, connection_id, crsa, LAST_DAY, draw(seed, PLAN, zone, LAST_DAY))
        for seed, (store_id, tenant_id, connection_id, crsa, zone) in enumerate(rows)
    ]


def _fall_due_at_once(own: Ground) -> None:
    with psycopg.connect(own.stack.postgres.url()) as connection:
        for zone in ZONES:
            words = {"at": DUE.astimezone(ZoneInfo(zone)).time(), "zone": zone}
            connection.execute("update stores set snapshot_at = %(at)s where time_zone = %(zone)s", words)


@contextmanager
def _host_before(own: Ground, into: Path | None) -> Iterator[tuple[Host, float]]:
    """Run a host in which all falls due a little later, at a Unix time that is given with it, and not before.

    Its timer ticks at that second of each minute: when it comes, the work is there, and no tick before has seen any.
    """
    due = math.ceil(time.time()) + LEAD_SECONDS
    settings = {
        "OCS_CLOCK_SHIFT_SECONDS": str(DUE.timestamp() - due),
        "OCS_POSITIONS_SCHEDULE": f"{datetime.fromtimestamp(due, UTC).second} * * * * *",
    }
    with own.host(into, settings) as host:
        if time.time() > due - 1:
            raise BenchError(f"the functions host took more than {LEAD_SECONDS} s to start: nothing could be measured")
        yield host, due


def _watch(own: Ground, host: Host, due: float, stores: int) -> _Seen:
    """Wait for the instant, then until every position is settled; raises BenchError when nothing moves."""
    pids = {
        "functions host": host.pid,
        "PostgreSQL": own.stack.postgres.pid,
        "regulator stand-in": own.stack.regulator.pid,
        "Azurite": own.stack.azurite.pid,
        "vault stand-in": own.stack.vault.pid,
    }
    time.sleep(max(0.0, due - time.time() - LOOK_EVERY_SECONDS))
    resting, before = resident_mb(host.pid), read_costs(pids)
    until_made: Costs | None = None
    seen = (0, 0)
    moved = said = time.monotonic()
    while seen[1] < stores:
        time.sleep(LOOK_EVERY_SECONDS)
        now = _made_and_settled(own)
        moved = time.monotonic() if now != seen else moved
        seen = now
        if until_made is None and seen[0] >= stores:
            until_made = read_costs(pids).since(before)
        if time.monotonic() - said > SAY_EVERY_SECONDS:
            progress(f"night of {stores:,} stores: {seen[0]:,} positions made, {seen[1]:,} settled")
            said = time.monotonic()
        if time.monotonic() - moved > PATIENCE_SECONDS:
            raise BenchError(f"nothing moved for {PATIENCE_SECONDS:g} s: {seen[0]} made, {seen[1]} settled of {stores}")
    spent = read_costs(pids).since(before)
    return _Seen(resting, peak_resident_mb(host.pid), spent, until_made or spent)


def _made_and_settled(own: Ground) -> tuple[int, int]:
    made, settled = own.rows(
        "select count(*), count(*) filter (where state = 'accepted') from outbox where kind = 'positions'"
    )[0]
    return int(made), int(settled)


def _night(own: Ground, due: float, lines: int, seen: _Seen, floor: Floor) -> Night:
    made = float(own.value("select extract(epoch from max(made_at))::float8 from snapshots"))
    first, calls = own.rows("select extract(epoch from min(started_at))::float8, count(*) from delivery_attempts")[0]
    settled, stores = own.rows(
        "select extract(epoch from max(settled_at))::float8, count(*) from outbox where kind = 'positions'"
    )[0]
    return Night(
        stores=int(stores),
        lines=lines,
        made=made - due,
        first_sent=float(first) - due,
        settled=float(settled) - due,
        calls=int(calls),
        resting_mb=seen.resting_mb,
        peak_mb=seen.peak_mb,
        cpu=seen.cpu,
        cpu_until_made=seen.cpu_until_made,
        floor=floor,
    )
