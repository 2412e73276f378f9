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
from ocs.delivery import kinds, pace
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


@dataclass(frozen=True)
class Wait:
    """How long a store rests before it is tried again, in seconds, and why."""

    seconds: float
    cause: WaitCause


async def claim(connection: Connection, settings: Settings, store_id: UUID, kind: str) -> Lease | None:
    """Take a named store's lease if it has something due, and a call slot; waits for a short row lock.

    None when there is nothing to do or no slot is free; the caller rolls back then.
    """
    began = time.monotonic()
    words = {
        "store_id": store_id,
        "kind": kind,
        "lease": _seconds(settings.lease_seconds),
        "holder": HOLDER,
        "anchors": kinds.anchors(),
    }
    row = await (await connection.execute(SQL["claim_stream"], words)).fetchone()
    if row is None:
        return None
    store = Store.from_row(row)
    holder = f"{HOLDER}:{store.crsa}:{row['fence']}"
    slot = await _take_slot(connection, words | {"connection_id": store.connection_id, "holder": holder})
    return None if slot is None else _lease(row, store, slot, holder, settings, began)


async def claim_next(connection: Connection, settings: Settings, held: Lease) -> Lease | None:
    """Take the lease of the connection's store that has been due longest, with the slot that this worker holds.

    None when nothing is due, or the breaker or the platform's own word says to call less or not at all now.
    """
    began = time.monotonic()
    words = _words(held) | {"lease": _seconds(settings.lease_seconds), "anchors": kinds.anchors()}
    row = await (await connection.execute(SQL["claim_next_stream"], words)).fetchone()
    return None if row is None else _lease(row, Store.from_row(row), held.slot, held.holder, settings, began)


async def hold(connection: Connection, settings: Settings, lease: Lease) -> Lease | None:
    """Lock the stream for settling and prolong lease and slot; None when another worker has taken over."""
    began = time.monotonic()
    words = _words(lease) | {"lease": _seconds(settings.lease_seconds)}
    if await (await connection.execute(SQL["hold_lease"], words)).fetchone() is None:
        return None
    return replace(lease, post_before=_post_before(settings, began))


async def release_stream(connection: Connection, lease: Lease, *, empty: bool, wait: Wait | None = None) -> None:
    """Give the stream back: nothing to send (`empty`), due again at once, or after a wait. The slot stays held."""
    words = _words(lease) | {
        "empty": empty,
        "wait": _seconds(wait.seconds if wait else 0),
        "wait_cause": wait.cause if wait else None,
    }
    await connection.execute(SQL["release_stream"], words)


async def release_slot(connection: Connection, lease: Lease) -> None:
    """Give the call slot back."""
    await connection.execute(SQL["release_slot"], _words(lease))


async def streams_to_ring(connection: Connection) -> list[UUID]:
    """Give the stores whose bell was lost, or whose worker died: due, unheld, and their connection may call."""
    await pace.prepare(connection)
    rows = await (await connection.execute(SQL["streams_to_ring"], {"anchors": kinds.anchors()})).fetchall()
    return [row["store_id"] for row in rows]


async def _take_slot(connection: Connection, words: dict[str, Any]) -> int | None:
    row = await (await connection.execute(SQL["take_slot"], words)).fetchone()
    if row is None:
        known = await (await connection.execute(SQL["has_pace"], words)).fetchone()
        if known is not None and known["known"]:
            return None
        await pace.prepare(connection, words["connection_id"])
        row = await (await connection.execute(SQL["take_slot"], words)).fetchone()
    return None if row is None else int(row["slot"])


def _lease(row: dict[str, Any], store: Store, slot: int, holder: str, settings: Settings, began: float) -> Lease:
    was_waiting = row["wait_cause"] is not None
    return Lease(store, row["kind"], row["fence"], slot, was_waiting, holder, _post_before(settings, began))


def _post_before(settings: Settings, began: float) -> float:
    return began + settings.lease_seconds - settings.post_timeout_seconds


def _seconds(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def _words(lease: Lease) -> dict[str, Any]:
    return {
        "store_id": lease.store.store_id,
        "kind": lease.kind,
        "fence": lease.fence,
        "connection_id": lease.store.connection_id,
        "slot": lease.slot,
        "holder": lease.holder,
    }
