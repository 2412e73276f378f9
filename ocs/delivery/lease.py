"""Who may send for a store now: a lease with a fencing token, and one of its connection's call slots.

Only plain transactions are used (no session locks): PgBouncer gives each transaction another session.
"""

import os
import socket
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery import pace
from ocs.settings import Settings
from ocs.tenants.models import Store

SQL = load(__file__)
HOLDER = f"{socket.gethostname()}:{os.getpid()}"
"""How this process signs its leases: for people who look at the table; the fence is what counts."""

WaitCause = Literal["upstream", "slow_down", "credentials", "ours"]


@dataclass(frozen=True)
class Lease:
    """The right to send for one store and kind. `fence` grows with every claim; who has an older one writes nothing.

    `post_before` is on this process's monotonic clock: a POST that begins later could outlive the lease.
    """

    store: Store
    kind: str
    fence: int
    slot: int
    was_waiting: bool
    holder: str
    post_before: float

    def prolonged(self, post_before: float) -> "Lease":
        """Give the same lease after `hold`, for the next batch."""
        return replace(self, was_waiting=False, post_before=post_before)


@dataclass(frozen=True)
class Wait:
    """How long a store rests before it is tried again, in seconds, and why."""

    seconds: float
    cause: WaitCause


async def claim(connection: Connection, settings: Settings, store_id: UUID, kind: str) -> Lease | None:
    """Take a named store's lease if it has something due; waits for a short row lock rather than miss a ring.

    None when there is nothing to do or no slot is free; the caller rolls back then.
    """
    return await _claim(connection, settings, "claim_stream", {"store_id": store_id, "kind": kind})


async def claim_next(connection: Connection, settings: Settings, connection_id: UUID) -> Lease | None:
    """Take the lease of the connection's store that has been due longest; None like `claim`."""
    return await _claim(connection, settings, "claim_next_stream", {"connection_id": connection_id})


async def _claim(
    connection: Connection,
    settings: Settings,
    query: Literal["claim_stream", "claim_next_stream"],
    which: dict[str, Any],
) -> Lease | None:
    began = time.monotonic()
    common = {"lease": timedelta(seconds=settings.lease_seconds), "holder": HOLDER}
    row = await (await connection.execute(SQL[query], which | common)).fetchone()
    if row is None:
        return None
    store = Store.from_row(row)
    holder = f"{HOLDER}:{store.crsa}:{row['fence']}"
    slot = await _take_slot(connection, store.connection_id, common | {"holder": holder})
    if slot is None:
        return None
    post_before = began + settings.lease_seconds - settings.post_timeout_seconds
    return Lease(store, row["kind"], row["fence"], slot, row["wait_cause"] is not None, holder, post_before)


async def hold(connection: Connection, settings: Settings, lease: Lease) -> bool:
    """Lock the stream for settling and prolong the lease; False when another worker has taken over."""
    words = _words(lease) | {"lease": timedelta(seconds=settings.lease_seconds)}
    if await (await connection.execute(SQL["hold_lease"], words)).fetchone() is None:
        return False
    await connection.execute(SQL["hold_slot"], words)
    return True


async def release(connection: Connection, lease: Lease, *, empty: bool, wait: Wait | None = None) -> None:
    """Give lease and slot back: nothing to send (`empty`), due again at once, or after a wait."""
    words = _words(lease) | {
        "empty": empty,
        "wait": timedelta(seconds=wait.seconds if wait else 0),
        "wait_cause": wait.cause if wait else None,
    }
    await connection.execute(SQL["release_lease"], words)
    await connection.execute(SQL["release_slot"], words)


async def streams_to_ring(connection: Connection) -> list[UUID]:
    """Give the stores whose bell was lost, or whose worker died: due, unheld, and their connection may call."""
    await pace.prepare(connection)
    rows = await (await connection.execute(SQL["streams_to_ring"])).fetchall()
    return [row["store_id"] for row in rows]


async def _take_slot(connection: Connection, connection_id: UUID, words: dict[str, Any]) -> int | None:
    words = words | {"connection_id": connection_id}
    row = await (await connection.execute(SQL["take_slot"], words)).fetchone()
    if row is None:
        known = await (await connection.execute(SQL["has_pace"], words)).fetchone()
        if known is not None and known["known"]:
            return None
        await pace.prepare(connection, connection_id)
        row = await (await connection.execute(SQL["take_slot"], words)).fetchone()
    return None if row is None else int(row["slot"])


def _words(lease: Lease) -> dict[str, Any]:
    return {
        "store_id": lease.store.store_id,
        "kind": lease.kind,
        "fence": lease.fence,
        "connection_id": lease.store.connection_id,
        "slot": lease.slot,
        "holder": lease.holder,
    }
