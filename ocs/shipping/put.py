"""Puts receipts on the POS's queue: each message is a row first, is put, and is marked then.

A death before the put leaves the row, and the next tick puts it. A death between put and mark has it put again: the
same transaction with the same line ids, which changes nothing. A correction is put only well after what it corrects,
since the queue's own times are whole seconds and the later one counts.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.db.pool import again_when_the_database_drops
from ocs.db.queries import load
from ocs.errors import QueueUnavailable, VaultUnavailable
from ocs.pos.seal import seal_for
from ocs.runtime import Runtime

SQL = load(__file__)
log = telemetry.logger("shipping")
QUEUE = "pos-transactions"
"""The same door as a POS (docs/pos-developers.md)."""
PUT_SECONDS = 20
LEASE = timedelta(seconds=60)
"""Well above the longest put, so that a put is over when another worker may begin one."""
APART = timedelta(seconds=2)
MOST = 200
"""Messages that one run puts; the next tick goes on."""


async def put_receipts(runtime: Runtime, store_id: UUID | None = None, shipment_id: str | None = None) -> int:
    """Put what is not on the queue yet, of one shipment or of all; gives how many. Stops where the queue is down."""
    for done in range(MOST):
        row = await _claim(runtime, store_id, shipment_id)
        if row is None:
            return done
        try:
            async with asyncio.timeout(PUT_SECONDS):
                seal = await seal_for(runtime, row["tenant_id"])
                await runtime.queues.put(QUEUE, seal(row["message"]))
        except (QueueUnavailable, VaultUnavailable, TimeoutError) as error:
            log.warning("a receipt is not on the queue yet", shipment_id=row["shipment_id"], said=str(error))
            await _note(runtime, "let_message_go", row)
            return done
        await _note(runtime, "mark_queued", row)
    return MOST


async def _claim(runtime: Runtime, store_id: UUID | None, shipment_id: str | None) -> dict[str, Any] | None:
    words = {"store_id": store_id, "shipment_id": shipment_id, "lease": LEASE, "apart": APART}
    async with runtime.pool.transaction() as connection:
        return await (await connection.execute(SQL["claim_message"], words)).fetchone()


@again_when_the_database_drops
async def _note(runtime: Runtime, query: str, row: dict[str, Any]) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(SQL[query], row)
