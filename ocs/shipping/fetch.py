"""Reads stores' shipping notices: each reading is a row, so a slow platform or a crash leaves it to be done.

  due ── claimed ──▶ running ── read and taken in, in one transaction ──▶ done
   ▲                   │  └── the platform refuses what is asked ──▶ failed
   └── a fault; waits ─┘     a worker that dies: its lease ends and the reading is claimed again

Ticks that are missed, doubled or overlap are harmless: a store has at most one usual reading under way, a reading that
succeeded late reaches back to the one before, and taking the same notice in twice changes nothing.
"""

import asyncio
import random
import time
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from ocs import telemetry
from ocs.alerts.open_close import close_alerts, open_alert
from ocs.bad_input import bad_input
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.errors import Conflict
from ocs.regulator import wire
from ocs.regulator.client import regulator_of
from ocs.regulator.faults import NotSent, RegulatorFault, Rejected, SlowDown, Upstream
from ocs.runtime import Runtime
from ocs.shipping.take import Window, take_notices
from ocs.tenants.models import Store
from ocs.tenants.read import store_by_id

SQL = load(__file__)
log = telemetry.logger("shipping")
TIMER = "timer"
"""Who asked for a reading that nobody asked for."""
MISSING = "shipping_notices_missing"
USUAL = timedelta(days=14)
"""How far back the usual window reaches at least: a notice may be changed until the goods are here."""
OVERLAP = timedelta(days=3)
"""How far it reaches back before the last reading that succeeded, where that was longer ago."""
LONGEST_WINDOW = timedelta(days=92)
OLDEST = timedelta(days=3 * 366)
"""Records are kept three years (domain.md, "The month")."""
KEPT = timedelta(days=90)
AT_ONCE = 8
"""Readings side by side. One takes up to 40 s: so 1,800 stores are read within three hours of the six they have."""
RUN_SECONDS = 60
"""How long one run of the timer takes up new readings; the next tick goes on."""
LEASE_MARGIN_SECONDS = 60
WAITS = (60, 300, 900, 1800, 3600)
"""Seconds after the first, second, … failure; the last repeats. Well below the six hours between two readings."""
JITTER = 0.1
OURS_SECONDS = 60
"""The wait after a failure of our own side, which is not counted."""
MANY_FAILURES = 7


@dataclass(frozen=True)
class Fetch:
    """A reading under a worker's lease; `failures` counts those in a row, `tries` also tells its worker from others."""

    fetch_id: UUID
    store_id: UUID
    tenant_id: UUID
    usual: bool
    window_from: datetime
    window_to: datetime
    tries: int
    failures: int

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Fetch":
        """Build it from a row of the table."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    @property
    def window(self) -> Window:
        """Give the window that the platform is asked for."""
        return Window(self.window_from, self.window_to)


@again_when_the_database_drops
async def make_due(runtime: Runtime) -> int:
    """Make the usual reading due for every reporting store; gives how many. Then drops readings of long ago."""
    async with runtime.pool.transaction() as connection:
        made = await _ask_usual(connection, runtime.now(), TIMER, None)
        await connection.execute(SQL["forget_old_fetches"], {"kept": KEPT})
    return len(made)


async def ask(
    connection: Connection, store: Store, start: datetime | None, end: datetime | None, asked_by: str, now: datetime
) -> UUID:
    """Ask for a store's notices now; without times for the usual window. The same again gives the same reading.

    Raises BadInput for a window that cannot be, Conflict for a store that is switched off or while another window of
    it is being read.
    """
    if not store.reporting:
        raise Conflict(f"store {store.crsa} is switched off: nothing is read for it")
    if start is None and end is None:
        made = await _ask_usual(connection, now, asked_by, store.store_id)
        return made[0]
    window = _named_window(start, end, now)
    words = {"store_id": store.store_id, "tenant_id": store.tenant_id, "asked_by": asked_by}
    words |= {"window_from": window.begins, "window_to": window.ends}
    row = await (await connection.execute(SQL["ask_fetch"], words)).fetchone()
    assert row is not None  # noqa: S101 - the statement inserts a row or updates the one in its way
    if (row["window_from"], row["window_to"]) != (window.begins, window.ends):
        raise Conflict(f"another window of store {store.crsa} is being read: wait for fetch {row['fetch_id']}")
    fetch_id: UUID = row["fetch_id"]
    return fetch_id


async def fetch_due(runtime: Runtime) -> int:
    """Do the readings that are due, a few side by side, for about a minute; gives how many were tried."""
    until = time.monotonic() + RUN_SECONDS
    return sum(await asyncio.gather(*(_work(runtime, until) for _ in range(AT_ONCE))))


async def _work(runtime: Runtime, until: float) -> int:
    tried = 0
    try:
        while time.monotonic() < until and (claimed := await _claim(runtime)) is not None:
            await _fetch(runtime, *claimed)
            tried += 1
    except psycopg.Error:
        log.exception("a reading of shipping notices was cut short: its lease ends and it is tried again")
    return tried


async def _claim(runtime: Runtime) -> tuple[Fetch, Store] | None:
    lease = timedelta(seconds=2 * runtime.settings.get_timeout_seconds + LEASE_MARGIN_SECONDS)
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["claim_fetch"], {"lease": lease, "timer": TIMER})).fetchone()
        return None if row is None else (Fetch.from_row(row), await store_by_id(connection, row["store_id"]))


async def _fetch(runtime: Runtime, fetch: Fetch, store: Store) -> None:
    """Read and take in. No connection is held during the call: there are few, and a call takes 40 s."""
    try:
        notices = await regulator_of(runtime).shipping_notices(store, fetch.window_from, fetch.window_to)
        _refuse_anothers(store, notices)
    except RegulatorFault as fault:
        await _put_off(runtime, fetch, store, fault)
        return
    await _take(runtime, fetch, store, notices)


def _refuse_anothers(store: Store, notices: wire.ShippingNotices) -> None:
    """Refuse a reply that says it is of another store: it may be another retailer's."""
    if notices.retailerCRSA and notices.retailerCRSA.strip().upper() != store.crsa:
        raise Upstream(f"asked for {store.crsa}, the platform answered for {notices.retailerCRSA[:20]}")


@again_when_the_database_drops
async def _take(runtime: Runtime, fetch: Fetch, store: Store, notices: wire.ShippingNotices) -> None:
    async with runtime.pool.transaction() as connection:
        if not await _hold(connection, fetch):
            return
        taken = await take_notices(connection, store, fetch.window, notices.retailerASNList)
        said = f"{taken.left_out} lines without a usable shipment number were left out" if taken.left_out else None
        words = {"fetch_id": fetch.fetch_id, "said": said, "shipments": taken.shipments, "lines": taken.lines}
        await connection.execute(SQL["finish_fetch"], words | {"added": taken.added, "changed": taken.changed})
        if fetch.usual:
            await close_alerts(connection, store.store_id, [MISSING])
    log.info(
        "shipping notices read", crsa=store.crsa, shipments=taken.shipments, added=taken.added, changed=taken.changed
    )


@again_when_the_database_drops
async def _put_off(runtime: Runtime, fetch: Fetch, store: Store, fault: RegulatorFault) -> None:
    """Note a fault: wait as told or longer each time; what the platform refuses would be refused again."""
    counted = not isinstance(fault, SlowDown | NotSent)
    failures = fetch.failures + counted
    words = {"fetch_id": fetch.fetch_id, "failures": failures, "said": fault.message}
    wait = timedelta(seconds=_wait(fault, failures))
    async with runtime.pool.transaction() as connection:
        if not await _hold(connection, fetch):
            return
        if isinstance(fault, Rejected):
            await connection.execute(SQL["fail_fetch"], words)
        else:
            await connection.execute(SQL["put_off_fetch"], words | {"wait": wait})
        if isinstance(fault, SlowDown):
            slowed = {"connection_id": store.connection_id, "wait": wait}
            await connection.execute(SQL["slow_connection_down"], slowed)
        if fetch.usual and (failures >= MANY_FAILURES or isinstance(fault, Rejected)):
            what = f"The shipping notices of this store could not be read, {failures} times in a row: {fault.message}"
            await open_alert(connection, fetch.tenant_id, fetch.store_id, MISSING, what)
    log.warning("shipping notices not read", crsa=store.crsa, outcome=fault.outcome, failures=failures)


async def _ask_usual(connection: Connection, now: datetime, asked_by: str, store_id: UUID | None) -> list[UUID]:
    words = {"now": now, "usual": USUAL, "overlap": OVERLAP, "store_id": store_id}
    words |= {"asked_by": asked_by, "by_hand": store_id is not None}
    rows = await (await connection.execute(SQL["ask_usual_fetch"], words)).fetchall()
    return [row["fetch_id"] for row in rows]


async def _hold(connection: Connection, fetch: Fetch) -> bool:
    words = {"fetch_id": fetch.fetch_id, "tries": fetch.tries}
    return await (await connection.execute(SQL["hold_fetch"], words)).fetchone() is not None


def _named_window(start: datetime | None, end: datetime | None, now: datetime) -> Window:
    ends = min(end, now) if end is not None else now
    if ends < now - OLDEST:
        raise bad_input("to", ends.isoformat(), "a time within the three years for which records are kept")
    begins = start if start is not None else ends - USUAL
    if not timedelta(0) < ends - begins <= LONGEST_WINDOW:
        expected = f"a time before `to` and before now, by {LONGEST_WINDOW.days} days at most"
        raise bad_input("from", begins.isoformat(), expected)
    return Window(begins, ends)


def _wait(fault: RegulatorFault, failures: int) -> float:
    """Give the seconds until the next try: never less than the platform asks for, and never all stores at once."""
    if isinstance(fault, SlowDown):
        return fault.retry_after * (1 + JITTER * random.random())  # noqa: S311 - no secret
    if isinstance(fault, NotSent):
        return OURS_SECONDS
    return WAITS[min(failures, len(WAITS)) - 1] * (1 + JITTER * random.uniform(-1, 1))  # noqa: S311 - the same
