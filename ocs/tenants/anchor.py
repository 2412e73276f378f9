"""The first position of a store: the platform reckons from it, so the store's events wait for it."""

from datetime import datetime
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)


async def anchor_store(connection: Connection, store_id: UUID, counted_from: datetime) -> bool:
    """Note that a position of this instant was accepted; gives whether it was the store's first."""
    words = {"store_id": store_id, "counted_from": counted_from}
    return await (await connection.execute(SQL["anchor_store"], words)).fetchone() is not None
