"""Tells what a store held at any instant, past or present, whatever order the news came in."""

from datetime import datetime
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.levels.change import Item, Level

SQL = load(__file__)


async def levels_at(
    connection: Connection, store_id: UUID, instant: datetime, *, moved_since: datetime | None = None
) -> dict[Item, Level]:
    """Give each item's level just before an instant (what happened at the instant itself is not in it), by item.

    Reckoned from the item's newest opening up to then; where the first opening came later, back from that one; where
    there is none, from zero. Items at zero are left out, unless something moved them between `moved_since` and the
    instant.

    Only the changes between the instant and now are read when nothing was opened since, so the cost does not grow
    with the history behind it.
    """
    words = {"store_id": store_id, "instant": instant, "moved_since": moved_since or instant}
    rows = await (await connection.execute(SQL["levels_at"], words)).fetchall()
    return {(row["ocs_sku"], row["upc"]): Level(row["quantity"], row["value"]) for row in rows}
