"""Reads and changes a store's levels inside the transaction that records why they change.

The caller holds the store's stream lock (delivery/outbox.py): a level that was read is still true when it is changed.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)

Item = tuple[str, str]
"""An OCS SKU and a barcode; the barcode is empty where none is known."""


@dataclass(frozen=True)
class Level:
    """A quantity in eaches and its value at cost in Canadian dollars; either may be below zero."""

    quantity: Decimal = Decimal(0)
    value: Decimal = Decimal(0)

    def __add__(self, other: "Level") -> "Level":
        """Add a change to a level."""
        return Level(self.quantity + other.quantity, self.value + other.value)

    def __neg__(self) -> "Level":
        """Give the change that undoes this one."""
        return Level(-self.quantity, -self.value)

    @property
    def average_cost(self) -> Decimal | None:
        """Give the moving average cost of one each, to four decimals, where there is one."""
        if self.quantity <= 0 or self.value <= 0:
            return None
        return (self.value / self.quantity).quantize(Decimal("0.0001"))


async def read_levels(connection: Connection, store_id: UUID, items: Collection[Item]) -> dict[Item, Level]:
    """Give the levels that exist for these items."""
    if not items:
        return {}
    words = {
        "store_id": store_id,
        "ocs_skus": [ocs_sku for ocs_sku, _ in items],
        "upcs": [upc for _, upc in items],
    }
    rows = await (await connection.execute(SQL["read_levels"], words)).fetchall()
    return {(row["ocs_sku"], row["upc"]): Level(row["quantity"], row["value"]) for row in rows}


async def change_levels(connection: Connection, tenant_id: UUID, store_id: UUID, changes: Mapping[Item, Level]) -> None:
    """Add each change to its level; an item that was never seen starts at zero."""
    if not changes:
        return
    # Always in the same order: no two transactions can wait for each other's rows.
    ordered = sorted(changes.items())
    await connection.execute(
        SQL["change_levels"],
        {
            "store_id": store_id,
            "tenant_id": tenant_id,
            "ocs_skus": [item[0] for item, _ in ordered],
            "upcs": [item[1] for item, _ in ordered],
            "quantities": [change.quantity for _, change in ordered],
            "values": [change.value for _, change in ordered],
        },
    )
