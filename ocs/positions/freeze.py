"""Freezes a position: the store's levels as of an instant become a snapshot that never changes, and is enqueued.

Everything is one transaction under the locks of the store's levels and of its stream of positions: a death before the
commit leaves nothing, a second tick finds the first one's row.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID, uuid5

from ocs import telemetry
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery import outbox
from ocs.delivery.outbox import Item
from ocs.levels.change import lock_levels
from ocs.positions.business_day import business_day, stamp
from ocs.tenants.models import Store

SQL = load(__file__)
log = telemetry.logger("positions")
KIND = "positions"
TIMER = "timer"
"""Who made a snapshot that nobody asked for."""

Reason = Literal["night", "first_load", "late_changes", "by_hand", "backfill", "hourly", "tried_again"]
"""Why a snapshot was made."""


@dataclass(frozen=True)
class Frozen:
    """A snapshot that was made now: its id, and whether the doorbell must be rung after the commit."""

    snapshot_id: int
    revision: int
    lines: int
    ring: bool


async def freeze_day(
    connection: Connection, store: Store, business_date: date, reason: Reason, made_by: str
) -> Frozen | None:
    """Freeze the position at the end of a business day: every item that is on hand or moved that day.

    None when a tick has made this night's already, or when late changes have changed nothing of what was sent.
    """
    day = business_day(business_date, store.time_zone)
    return await _freeze(connection, store, business_date, day.ends, day.begins, reason, made_by)


async def freeze_instant(
    connection: Connection, store: Store, as_of: datetime, reason: Reason, made_by: str
) -> Frozen | None:
    """Freeze the position as of an instant within the day that is running there; None when a tick has made it."""
    business_date = stamp(as_of, store.time_zone).date()
    begins = business_day(business_date, store.time_zone).begins
    return await _freeze(connection, store, business_date, as_of, begins, reason, made_by)


async def _freeze(
    connection: Connection,
    store: Store,
    business_date: date,
    as_of: datetime,
    moved_since: datetime,
    reason: Reason,
    made_by: str,
) -> Frozen | None:
    await lock_levels(connection, store)  # always before the stream of positions: no two can wait for each other
    stream = await outbox.lock(connection, store, KIND)
    item = Item(stream.last_sequence + 1, item_id(store.store_id, as_of))
    words = {
        "store_id": store.store_id,
        "tenant_id": store.tenant_id,
        "business_date": business_date,
        "as_of": as_of,
        "reason": reason,
        "made_by": made_by,
        "sequence": item.sequence,
        "moved_since": moved_since,
    }
    row = await (await connection.execute(SQL["freeze_snapshot"], words)).fetchone()
    if row is None:
        return None
    ring = await outbox.enqueue(connection, stream, [item], row["made_at"], corrections=[item.item_id])
    log.info(
        "position frozen",
        crsa=store.crsa,
        business_date=str(business_date),
        revision=row["revision"],
        reason=reason,
        lines=row["lines"],
    )
    return Frozen(row["snapshot_id"], row["revision"], row["lines"], ring)


def item_id(store_id: UUID, as_of: datetime) -> UUID:
    """Give a position's id in the outbox: a newer snapshot of the same instant retires one that was not sent."""
    return uuid5(store_id, f"position:{as_of.timestamp():.0f}")


async def retire(connection: Connection, before: datetime, most: int) -> int:
    """Delete positions that were made and settled before an instant; gives how many, 0 at the end.

    None that is not delivered. What is made later is reckoned from the levels, not from positions, and does not change.
    """
    row = await (await connection.execute(SQL["retire_snapshots"], {"before": before, "most": most})).fetchone()
    return 0 if row is None else int(row["gone"])
