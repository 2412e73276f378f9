"""A POS for tests: makes transactions and has them taken in."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from ocs.dead_letters.doors import Message
from ocs.events.ingest import Taken, ingest
from ocs.runtime import Runtime
from tests.integration.platform import CROL, FIRST

SKU, UPC = "101955_3.5g___", "00708762000695"


def transaction(number: str, *, store: str = FIRST, lines: int = 1, **changes: Any) -> dict[str, Any]:
    """Give a sale of some lines, with changes to the whole."""
    items = [{"ocs_sku": SKU, "upc": UPC, "quantity": 1, "unit_price": "49.95"} for _ in range(lines)]
    whole = {
        "tenant_id": CROL,
        "store_id": store,
        "transaction_type": "sale",
        "transaction_id": number,
        "items": items,
    }
    return whole | changes


def message(body: object, message_id: str | None = None) -> Message:
    """Give a body as the queue would."""
    return Message(message_id or str(uuid.uuid4()), json.dumps(body).encode(), datetime.now(UTC))


async def sell(runtime: Runtime, number: str, **words: Any) -> Taken:
    """Have a transaction taken in."""
    return await ingest(runtime, message(transaction(number, **words)))


async def rows(runtime: Runtime, query: str) -> list[dict[str, Any]]:
    """Read the database as an observer."""
    async with runtime.pool.transaction() as connection:
        return await (await connection.execute(query)).fetchall()


async def states(runtime: Runtime) -> list[str]:
    """Give the outbox's states in the stores' order."""
    return [row["state"] for row in await rows(runtime, "select state from outbox order by store_id, sequence")]


async def make_due(runtime: Runtime) -> None:
    """Let all waits be over, as time would."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set due_at = now() where due_at is not null")
        await connection.execute("update connection_pace set hold_until = 'epoch'")
