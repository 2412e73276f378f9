"""Reads and changes a store's levels inside the transaction that records why they change.

The caller holds the store's lock (`lock_levels`): a level that was read is still true when it is changed. Every change
is kept with the instant from which on it counts, so that the level of any moment can be told (at.py).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from ocs.catalogue.gtin import padded
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery import outbox
from ocs.delivery.outbox import Stream
from ocs.tenants.models import Store

SQL = load(__file__)
LOCK = "events"
"""The stream whose row lock is the lock of a store's levels: its lines are what changes them."""

Item = tuple[str, str]
"""An OCS SKU and a barcode of 14 digits; the barcode is empty where none is known."""


def item_of(ocs_sku: str, upc: str) -> Item:
    """Give the item that an SKU and a barcode mean: with and without leading zeros a barcode is the same one."""
    return ocs_sku, padded(upc)


@dataclass(frozen=True)
class Level:
    """A quantity in eaches and its value at cost in Canadian dollars; either may be below zero."""

    quantity: Decimal = Decimal(0)
    value: Decimal = Decimal(0)

    def __add__(self, other: "Level") -> "Level":
        """Add a change to a level."""
        return Level(self.quantity + other.quantity, self.value + other.value)

    def __sub__(self, other: "Level") -> "Level":
        """Give the change from another level to this one."""
        return self + -other

    def __neg__(self) -> "Level":
        """Give the change that undoes this one."""
        return Level(-self.quantity, -self.value)

    @property
    def average_cost(self) -> Decimal | None:
        """Give the moving average cost of one each, to four decimals, where there is one."""
        if self.quantity <= 0 or self.value <= 0:
            return None
        return (self.value / self.quantity).quantize(Decimal("0.0001"))


@dataclass(frozen=True)
class Effect:
    """What the event line with this number does to an item from an instant on; or that this is taken back."""

    item: Item
    effective_at: datetime
    sequence: int
    change: Level
    undoes: bool = False

    def undone(self) -> "Effect":
        """Give what takes this effect back, from the same instant on."""
        return Effect(self.item, self.effective_at, self.sequence, -self.change, undoes=True)


async def lock_levels(connection: Connection, store: Store) -> Stream:
    """Lock a store's levels until the transaction ends; gives the stream of its events, which is locked with them."""
    return await outbox.lock(connection, store, LOCK)


async def read_levels(connection: Connection, store_id: UUID, items: Collection[Item]) -> dict[Item, Level]:
    """Give the levels that exist for these items, with all that is known by now."""
    if not items:
        return {}
    words = {
        "store_id": store_id,
        "ocs_skus": [ocs_sku for ocs_sku, _ in items],
        "upcs": [upc for _, upc in items],
    }
    rows = await (await connection.execute(SQL["read_levels"], words)).fetchall()
    return {(row["ocs_sku"], row["upc"]): Level(row["quantity"], row["value"]) for row in rows}


async def change_levels(connection: Connection, store: Store, effects: Sequence[Effect]) -> None:
    """Keep the effects and add them to the levels, save where an upload of the level is newer than the effect.

    An effect on a day of which the position was made already is noted, so that the position can be made anew.
    """
    if not effects:
        return
    # Always in the same order: no two transactions can wait for each other's rows.
    ordered = sorted(effects, key=lambda effect: (effect.item, effect.effective_at, effect.sequence, effect.undoes))
    await connection.execute(
        SQL["change_levels"],
        {
            "store_id": store.store_id,
            "tenant_id": store.tenant_id,
            "ocs_skus": [effect.item[0] for effect in ordered],
            "upcs": [effect.item[1] for effect in ordered],
            "effective_ats": [effect.effective_at for effect in ordered],
            "sequences": [effect.sequence for effect in ordered],
            "undoes": [effect.undoes for effect in ordered],
            "quantities": [effect.change.quantity for effect in ordered],
            "values": [effect.change.value for effect in ordered],
        },
    )
    await note_late(connection, store, min(effect.effective_at for effect in effects))


async def note_late(connection: Connection, store: Store, effective_at: datetime) -> None:
    """Note that the past has changed from an instant on, where that lies before the store's own today."""
    today = store.local(utc_now()).replace(hour=0, minute=0, second=0, microsecond=0)
    if effective_at >= today:
        return  # the usual case costs nothing
    words = {"store_id": store.store_id, "tenant_id": store.tenant_id, "effective_at": effective_at}
    await connection.execute(SQL["note_late"], words)


async def take_late(connection: Connection, store_id: UUID) -> datetime | None:
    """Give from when on the past has changed since this was last asked, and forget it with the open transaction."""
    row = await (await connection.execute(SQL["take_late"], {"store_id": store_id})).fetchone()
    return None if row is None else row["late_from"]
