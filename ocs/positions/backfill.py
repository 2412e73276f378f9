"""Makes and sends the positions of a range of past dates, a few at a time, with progress and a way to stop.

A backfill is a row; each step is one transaction of a few dates, so a death leaves it where the last step ended.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ocs.bad_input import bad_input
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.delivery.sender import ring
from ocs.errors import Conflict
from ocs.positions.business_day import ONE_DAY, days_between
from ocs.positions.freeze import freeze_day
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_by_id

SQL = load(__file__)
STEP = 5
"""Dates made at once, and the most of one store's positions that may be under way: the platform is not flooded."""
KEPT_YEARS = 3
"""Records are kept that long (domain.md, "The month")."""


async def ask(connection: Connection, store: Store, dates: tuple[date, date], asked_by: str, now: datetime) -> UUID:
    """Ask for the positions from the first to the last date, both included; raises BadInput and Conflict.

    Only days that are over in the store's own zone, and not longer ago than records are kept.
    """
    first, last = dates
    yesterday = store.local(now).date() - ONE_DAY
    oldest = yesterday.replace(year=yesterday.year - KEPT_YEARS, day=min(yesterday.day, 28))
    if first < oldest:
        raise bad_input("first_date", str(first), f"a date not before {oldest}: records are kept {KEPT_YEARS} years")
    if not first <= last <= yesterday:
        raise bad_input("last_date", str(last), f"a date from {first} to {yesterday}, the last day that is over")
    await require_opened(connection, store)
    words = {"store_id": store.store_id, "tenant_id": store.tenant_id, "first_date": first, "last_date": last}
    row = await (await connection.execute(SQL["ask_backfill"], words | {"asked_by": asked_by})).fetchone()
    assert row is not None  # noqa: S101 - an insert without conflict always returns its row
    backfill_id: UUID = row["backfill_id"]
    return backfill_id


async def require_opened(connection: Connection, store: Store) -> None:
    """Raise Conflict for a store whose levels nobody has told: a position of it would be a guess."""
    row = await (await connection.execute(SQL["is_opened"], {"store_id": store.store_id})).fetchone()
    if row is None:
        help_ = f"upload its inventory first (PUT /api/ocs/stores/{store.crsa}/inventory)"
        raise Conflict(f"what store {store.crsa} holds is not known: {help_}")


async def run_backfills(runtime: Runtime) -> int:
    """Take each running backfill a step further; gives how many positions were made."""
    async with runtime.pool.transaction() as connection:
        running = await (await connection.execute(SQL["running_backfills"])).fetchall()
    made = 0
    for row in running:
        step = await _step(runtime, row["backfill_id"])
        if step:
            await ring(runtime, row["store_id"])
        made += step
    return made


@again_when_the_database_drops
async def _step(runtime: Runtime, backfill_id: UUID) -> int:
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["lock_backfill"], {"backfill_id": backfill_id})).fetchone()
        if row is None or row["under_way"] >= STEP:
            return 0
        store = await store_by_id(connection, row["store_id"])
        begin = row["first_date"] if row["made_through"] is None else row["made_through"] + ONE_DAY
        dates = list(days_between(begin, row["last_date"]))[: STEP - row["under_way"]]
        for day in dates:
            await freeze_day(connection, store, day, "backfill", row["asked_by"])
        words = {"backfill_id": backfill_id, "made_through": dates[-1]}
        await connection.execute(SQL["step_backfill"], words)
        return len(dates)


async def progress(connection: Connection, backfill_id: UUID) -> Mapping[str, Any] | None:
    """Give a backfill with the number of its dates, of those made, and of those that the platform has accepted."""
    return await (await connection.execute(SQL["backfill"], {"backfill_id": backfill_id})).fetchone()


async def cancel(connection: Connection, backfill_id: UUID, tenant_id: UUID) -> bool:
    """Stop a backfill; gives whether it was running."""
    words = {"backfill_id": backfill_id, "tenant_id": tenant_id}
    return await (await connection.execute(SQL["cancel_backfill"], words)).fetchone() is not None
