"""The outbox as the rooms use it, always inside their own open transaction.

`lock` first: under that row lock numbers are given in the order of commits, which a bigserial does not promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from ocs import telemetry
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.tenants.models import Store

SQL = load(__file__)


@dataclass(frozen=True)
class Stream:
    """A store's locked stream of one kind: the last number given, and whether a bell was rung for its work."""

    store_id: UUID
    tenant_id: UUID
    connection_id: UUID
    kind: str
    last_sequence: int
    is_due: bool


@dataclass(frozen=True)
class Item:
    """One thing to send: its number, the id by which the regulator replaces, and why it must wait if it must."""

    sequence: int
    item_id: UUID
    parked_cause: str | None = None
    parked_reason: str | None = None


async def lock(connection: Connection, store: Store, kind: str) -> Stream:
    """Lock a store's stream until the transaction ends, making it at its first use."""
    words = {
        "store_id": store.store_id,
        "kind": kind,
        "tenant_id": store.tenant_id,
        "connection_id": store.connection_id,
    }
    row = await (await connection.execute(SQL["lock_stream"], words)).fetchone()
    if row is None:
        await connection.execute(SQL["open_stream"], words)
        row = await (await connection.execute(SQL["lock_stream"], words)).fetchone()
    if row is None:
        raise LookupError(f"the stream {kind} of store {store.crsa} was made and is not there")
    is_due = row["due_at"] is not None
    return Stream(store.store_id, store.tenant_id, store.connection_id, kind, row["last_sequence"], is_due)


async def enqueue(
    connection: Connection, stream: Stream, items: Sequence[Item], received_at: datetime, *, corrections: Sequence[UUID]
) -> bool:
    """Put items behind the stream's others; `corrections` are item ids of which an earlier revision is known.

    Gives whether the doorbell must be rung after the commit: when the stream was due or waiting already, somebody is
    at it, or its time will come.
    """
    key = {"store_id": stream.store_id, "kind": stream.kind, "connection_id": stream.connection_id}
    if corrections:
        await connection.execute(SQL["supersede_items"], key | {"item_ids": list(corrections)})
    words = {
        "tenant_id": stream.tenant_id,
        "received_at": received_at,
        "traceparent": telemetry.traceparent(),
        "sequences": [item.sequence for item in items],
        "item_ids": [item.item_id for item in items],
        "parked_causes": [item.parked_cause for item in items],
        "parked_reasons": [item.parked_reason for item in items],
    }
    await connection.execute(SQL["enqueue_items"], key | words)
    something_to_send = any(item.parked_reason is None for item in items)
    last = {"last_sequence": items[-1].sequence, "something_to_send": something_to_send}
    await connection.execute(SQL["advance_stream"], key | last)
    return something_to_send and not stream.is_due


async def redrive(connection: Connection, stream: Stream, sequences: Sequence[int]) -> list[int]:
    """Make parked items pending again in their old places; gives those that were. Ring the bell after the commit.

    An item of which a newer revision is known stays as it is: sending it would undo the correction. So does one whose
    SKU is not mapped: it cannot be sent.
    """
    return await _again(connection, stream, SQL["redrive_items"], sequences)


async def replay(connection: Connection, stream: Stream, sequences: Sequence[int]) -> list[int]:
    """Make accepted items pending again in their old places; gives those that were. Ring the bell after the commit.

    Only an item's newest revision goes again. From now on its latency counts from this moment.
    """
    return await _again(connection, stream, SQL["replay_items"], sequences)


async def _again(connection: Connection, stream: Stream, query: LiteralString, sequences: Sequence[int]) -> list[int]:
    key = {"store_id": stream.store_id, "kind": stream.kind, "connection_id": stream.connection_id}
    rows = await (await connection.execute(query, key | {"sequences": list(sequences)})).fetchall()
    if rows:
        due = {"last_sequence": stream.last_sequence, "something_to_send": True}
        await connection.execute(SQL["advance_stream"], key | due)
    return sorted(row["sequence"] for row in rows)


async def hurry(connection: Connection, stream: Stream) -> None:
    """Let a store be tried at once instead of when its wait is over, save where the platform asked for the wait."""
    await connection.execute(SQL["hurry_stream"], {"store_id": stream.store_id, "kind": stream.kind})


async def release(connection: Connection, stream: Stream, sequences: Sequence[int], cause: str) -> bool:
    """Make items that a room parked for a cause pending in their old places, now that the cause is gone.

    Gives whether the doorbell must be rung after the commit.
    """
    if not sequences:
        return False
    key = {"store_id": stream.store_id, "kind": stream.kind, "connection_id": stream.connection_id}
    await connection.execute(SQL["release_items"], key | {"sequences": list(sequences), "cause": cause})
    due = {"last_sequence": stream.last_sequence, "something_to_send": True}
    await connection.execute(SQL["advance_stream"], key | due)
    return not stream.is_due


async def park_for_another(connection: Connection, stream: Stream, item: Item) -> None:
    """Leave a parked item parked, for another cause from now on."""
    words = {"store_id": stream.store_id, "kind": stream.kind, "sequence": item.sequence}
    words |= {"cause": item.parked_cause, "reason": item.parked_reason}
    await connection.execute(SQL["park_for_another"], words)


async def parked(connection: Connection, crol: str) -> list[dict[str, Any]]:
    """Give what is parked in a tenant's stores, with the reasons."""
    return await (await connection.execute(SQL["parked_items"], {"crol": crol})).fetchall()
