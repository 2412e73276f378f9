"""Makes the positions that are due: every night's, those of nights that were missed, and those whose past has changed.

One transaction a store and date. Missed, doubled and overlapping ticks are harmless: what was made is on record, and
what was not is due still.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

import psycopg

from ocs import telemetry
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.delivery.sender import sweep
from ocs.levels.change import lock_levels, take_late
from ocs.positions.business_day import ONE_DAY, days_between, last_due
from ocs.positions.freeze import TIMER, freeze_day, freeze_instant
from ocs.runtime import Runtime
from ocs.tenants.models import Store

SQL = load(__file__)
log = telemetry.logger("positions")
MOST_NIGHTS = 14
"""Missed nights of one store that one tick makes good; the next tick goes on."""
LONGEST_PAST = timedelta(days=31)
"""How far back positions are made anew by themselves when the past changes; further back it is for a backfill."""


@dataclass(frozen=True)
class Due:
    """A store and the dates of which its position must be made now."""

    store: Store
    nights: list[date]
    is_first: bool
    """No position of it was ever accepted."""
    hour: datetime | None
    """The full hour whose position is wanted too."""


async def make_due(runtime: Runtime) -> int:
    """Make all positions that are due now, a few stores side by side; gives how many. Then rings for their delivery."""
    now = runtime.now()
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["opened_stores"])).fetchall()
    due = [one for row in rows if (one := due_of(Store.from_row(row), row, now)).nights or one.hour]
    made = await side_by_side(runtime, (_make(runtime, one) for one in due))
    if made:
        await sweep(runtime)
        log.info("positions made", stores=len(due), positions=made)
    return made


def due_of(store: Store, row: Mapping[str, Any], now: datetime) -> Due:
    """Work out what is due of a store at an instant; `row` is one of the query `opened_stores`."""
    made_through, snapshot_at = row["made_through"], row["snapshot_at"]
    # Of a store that was never reported, yesterday's is due at once: its events wait for it.
    newest = last_due(now, store.time_zone, snapshot_at if row["anchored_at"] or made_through else time())
    oldest = made_through + ONE_DAY if made_through else newest
    hour = now.replace(minute=0, second=0, microsecond=0)
    wanted = row["hourly_positions"] and store.environment == "uat" and row["made_hour"] != hour
    nights = list(days_between(oldest, newest))[:MOST_NIGHTS]
    return Due(store, nights, row["anchored_at"] is None, hour if wanted else None)


async def side_by_side(runtime: Runtime, verbs: Iterable[Awaitable[int]]) -> int:
    """Run verbs, as many at a time as there are database connections; gives the sum. One that fails stops no other."""
    gate = asyncio.Semaphore(runtime.settings.database_pool_size)

    async def run(verb: Awaitable[int]) -> int:
        async with gate:
            try:
                return await verb
            except psycopg.Error:
                log.exception("a position could not be made: the next tick tries again")
                return 0

    return sum(await asyncio.gather(*(run(verb) for verb in verbs)))


async def _make(runtime: Runtime, due: Due) -> int:
    steps = [partial(_night, due=due, night=night) for night in due.nights]
    if due.hour is not None:
        steps.append(partial(_hour, store=due.store, hour=due.hour))
    return sum([await _in_transaction(runtime, step) for step in steps])


@again_when_the_database_drops
async def _in_transaction(runtime: Runtime, step: Callable[[Connection], Awaitable[int]]) -> int:
    async with runtime.pool.transaction() as connection:
        return await step(connection)


async def _night(connection: Connection, due: Due, night: date) -> int:
    """Make a night's position, and in the same transaction those before it that the past has changed."""
    late = await _late(connection, due.store, night)
    frozen = await freeze_day(connection, due.store, night, "first_load" if due.is_first else "night", TIMER)
    words = {"store_id": due.store.store_id, "tenant_id": due.store.tenant_id, "business_date": night}
    await connection.execute(SQL["note_night"], words)
    return late + (frozen is not None)


async def _late(connection: Connection, store: Store, before: date) -> int:
    """Make the positions before this date anew from the day on that a late sale or a correction has changed."""
    await lock_levels(connection, store)  # before the note, as those do who write it: no two can wait for each other
    late_from = await take_late(connection, store.store_id)
    if late_from is None:
        return 0
    first, last = store.local(late_from).date(), before - ONE_DAY
    if first < last - LONGEST_PAST:
        log.warning("positions of long ago have changed: see a backfill", crsa=store.crsa, since=str(first))
    made = 0
    for day in days_between(max(first, last - LONGEST_PAST), last):
        made += await freeze_day(connection, store, day, "late_changes", TIMER) is not None
    return made


async def _hour(connection: Connection, store: Store, hour: datetime) -> int:
    return await freeze_instant(connection, store, hour, "hourly", TIMER) is not None
