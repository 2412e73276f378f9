"""Openings: what a store was counted to hold at an instant, from which on its events are reckoned."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.levels.change import Item, Level, note_late
from ocs.tenants.models import Store

SQL = load(__file__)


async def open_levels(
    connection: Connection, store: Store, as_of: datetime, levels: Mapping[Item, Level], *, whole: bool = False
) -> None:
    """Say that each of these items was at this level at `as_of`, under the lock of `lock_levels`.

    What happened at that instant or later comes on top, whether it was recorded before or is recorded afterwards.
    Items that are not given stay as they are, unless the `whole` store was counted: then they were not there, those
    too that nobody has heard of yet. No items at all is the opening of a store that holds nothing. A second opening of
    an item at the same instant replaces the first.
    """
    words: dict[str, Any] = {"store_id": store.store_id, "tenant_id": store.tenant_id, "as_of": as_of}
    rest: dict[Item, Level] = {}
    if whole:
        await connection.execute(SQL["record_count"], words)
        rows = await (await connection.execute(SQL["not_counted_then"], words)).fetchall()
        rest = {(row["ocs_sku"], row["upc"]): Level() for row in rows}
    ordered = sorted((rest | dict(levels)).items())
    words |= {
        "ocs_skus": [item[0] for item, _ in ordered],
        "upcs": [item[1] for item, _ in ordered],
        "quantities": [level.quantity for _, level in ordered],
        "values": [level.value for _, level in ordered],
    }
    await connection.execute(SQL["record_openings"], words)
    await connection.execute(SQL["reckon_from_openings"], words)
    await connection.execute(SQL["note_opened"], words)
    await note_late(connection, store, as_of)
