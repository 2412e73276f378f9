"""The floor of the same run: its lines by bare COPY, its batches by bare POST, its messages through the queue.

What is left out is what the app is for: order, once only, frozen batches, leases, retries.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import psycopg

from bench.scene.ground import Ground, LedgerLine
from bench.scene.pos import Pos
from bench.scene.retailer import CLIENT_ID, POS_VENDOR, POS_VENDOR_VERSION, SCOPE, Retailer
from devstack.host.storage import Storage

CALLS_AT_ONCE = 16
"""The cap of the bench's connection, as the app has it."""
BATCH_SIZE, NEW_BATCH_THRESHOLD = 16, 8
"""As in host.json: so many messages a get, and again when no more than that are left in hand."""
HIDDEN = timedelta(minutes=10)
QUEUE = "bench-floor"


@dataclass(frozen=True)
class Batch:
    """A batch as the regulator stand-in got it."""

    crsa: str
    lines: list[dict[str, str]]


def batches_of(calls: Sequence[dict[str, Any]], ledger: dict[str, LedgerLine]) -> list[Batch]:
    """Give the measured run's own batches, from the regulator stand-in's history and ledger."""
    return [Batch(call["crsa"], [ledger[line_id].content for line_id in call["line_ids"]]) for call in calls]


def copy_seconds(ground: Ground) -> float:
    """Write the run's event lines again by COPY over one connection, into a table without indexes, and commit."""
    rows = ground.rows("select * from event_lines")
    with psycopg.connect(ground.stack.postgres.url()) as connection:
        connection.execute("create table bench_floor (like event_lines)")
        connection.commit()
        began = time.monotonic()
        with connection.cursor() as cursor, cursor.copy("copy bench_floor from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        seconds = time.monotonic() - began
        connection.execute("drop table bench_floor")
    return seconds


def post_seconds(ground: Ground, batches: Sequence[Batch]) -> float:
    """POST the batches again with bare httpx, as many at a time as the app may; raises httpx.HTTPStatusError."""
    return asyncio.run(_post_all(ground.stack.regulator_url, ground.retailer, batches))


async def sign_in(client: httpx.AsyncClient, retailer: Retailer) -> str:
    """Get a token from the regulator stand-in, whose address is the client's base; raises httpx.HTTPStatusError."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "scope": SCOPE}
    reply = await client.post("/oauth2/token", data=form | {"client_secret": retailer.client_secret})
    return str(reply.raise_for_status().json()["access_token"])


async def _post_all(regulator_url: str, retailer: Retailer, batches: Sequence[Batch]) -> float:
    async with httpx.AsyncClient(base_url=regulator_url, timeout=30) as client:
        token = await sign_in(client, retailer)
        gate = asyncio.Semaphore(CALLS_AT_ONCE)

        async def post(batch: Batch) -> None:
            async with gate:
                sent = await client.post(
                    "/func/PosInventoryEventHttpTrigger",
                    params={
                        "posVendor": POS_VENDOR,
                        "posVendorVersion": POS_VENDOR_VERSION,
                        "retailerCRSA": batch.crsa,
                    },
                    json={"inventoryEventList": batch.lines},
                    headers={"Authorization": f"Bearer {token}", "retailer_hashkey": retailer.hash_keys[batch.crsa]},
                )
            sent.raise_for_status()

        began = time.monotonic()
        await asyncio.gather(*(post(batch) for batch in batches))
        return time.monotonic() - began


async def queue_seconds(ground: Ground, bodies: Sequence[str], backlog: int) -> float:
    """Put the same messages while getting and deleting them as the host does, with nothing done in between."""
    async with Storage(ground.stack.azurite.connection_string) as storage:
        queue = storage.queue(QUEUE)
        await queue.create()
        pos, taken = Pos(queue, bodies, backlog), 0
        await pos.fill()
        began = time.monotonic()
        feeding = asyncio.create_task(pos.feed(lambda: taken))
        deleting: set[asyncio.Task[None]] = set()
        while taken < len(bodies):
            messages = await queue.get(BATCH_SIZE, HIDDEN)
            taken += len(messages)
            deleting |= {asyncio.create_task(queue.delete(message, message.pop_receipt)) for message in messages}
            while len(deleting) > NEW_BATCH_THRESHOLD:
                done, deleting = await asyncio.wait(deleting, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
        await asyncio.gather(feeding, *deleting)
        return time.monotonic() - began
