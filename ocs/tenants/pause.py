"""Pauses delivery, of a store, of a connection or of a whole tenant, and lets it go on.

What is recorded meanwhile waits in the outbox; the view `reporting_stores` says of each store whether it is paused.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)


class Place(StrEnum):
    """What can be paused by itself."""

    TENANT = "tenant"
    CONNECTION = "connection"
    STORE = "store"


PAUSE = {Place.TENANT: "pause_tenant", Place.CONNECTION: "pause_connection", Place.STORE: "pause_store"}
PAUSED = {Place.TENANT: "pause_of_tenant", Place.CONNECTION: "pause_of_connection", Place.STORE: "pause_of_store"}
RESUME = {Place.TENANT: "resume_tenant", Place.CONNECTION: "resume_connection", Place.STORE: "resume_store"}


@dataclass(frozen=True)
class Pause:
    """Since when (UTC), by whom and why something is paused."""

    at: datetime
    by: str
    why: str


async def pause(connection: Connection, place: Place, place_id: UUID, by: str, why: str) -> Pause | None:
    """Pause; gives the new pause, or None where it was paused already: that one stays, with its reason."""
    words = {"place_id": place_id, "by": by, "why": why}
    row = await (await connection.execute(SQL[PAUSE[place]], words)).fetchone()
    return None if row is None else Pause(row["paused_at"], by, why)


async def standing(connection: Connection, place: Place, place_id: UUID) -> Pause | None:
    """Give a place's own pause, its row locked; None where it has none."""
    row = await (await connection.execute(SQL[PAUSED[place]], {"place_id": place_id})).fetchone()
    if row is None or row["paused_at"] is None:
        return None
    return Pause(row["paused_at"], row["paused_by"], row["paused_why"])


async def resume(connection: Connection, place: Place, place_id: UUID) -> Pause | None:
    """Let it go on; gives the pause that ended, or None where there was none."""
    ended = await standing(connection, place, place_id)
    if ended is not None:
        await connection.execute(SQL[RESUME[place]], {"place_id": place_id})
    return ended
