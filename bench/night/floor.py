"""The floor of the same night: its frozen lines by bare SELECT, the same bodies by bare POST; the app does neither.

What is left out is what the app is for: reckoning the levels of midnight, freezing them, order, leases, retries.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import psycopg

from bench.floor import CALLS_AT_ONCE, sign_in
from bench.scene.ground import Ground, progress
from bench.scene.retailer import POS_VENDOR, POS_VENDOR_VERSION, Retailer
from bench.scene.shelves import Shelf

CONNECTIONS = 4
"""To Postgres, as many as the app keeps."""
ONE_SECOND = timedelta(seconds=1)
FROZEN = "select ocs_skus, upcs, quantities, amounts from snapshots where store_id = %s and business_date = %s"


@dataclass(frozen=True)
class Floor:
    """Seconds without the app, one after the other."""

    select: float
    post: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.select + self.post


@dataclass(frozen=True)
class _Body:
    """A position as it goes out, its bytes made beforehand."""

    query: Mapping[str, str]
    hash_key: str
    content: bytes


def measure_floor(own: Ground, shelves: Sequence[Shelf]) -> Floor:
    """Read every frozen position and post every body, as many at a time as the app may; raises HTTPStatusError.

    The regulator stand-in takes each body as a repeat of what it holds.
    """
    progress("floor: the same lines by bare SELECT, the same bodies by bare POST")
    bodies = [_body(own, shelf) for shelf in shelves]
    select = asyncio.run(_select_all(own.stack.postgres.url(), shelves))
    post = asyncio.run(_post_all(own.stack.regulator_url, own.retailer, bodies))
    return Floor(select, post)


def _body(own: Ground, shelf: Shelf) -> _Body:
    names = ("ocsSku", "upcAndBarcode", "inventoryQuantityOnHand", "inventoryBookValue")
    lines = [dict(zip(names, line, strict=True)) for line in sorted(shelf.stock.position())]
    query = {
        "posVendor": POS_VENDOR,
        "posVendorVersion": POS_VENDOR_VERSION,
        "retailerCRSA": shelf.crsa,
        "positionTimeStamp": (shelf.stock.midnight - ONE_SECOND).isoformat(),
    }
    content = json.dumps({"inventoryPositionList": lines}, separators=(",", ":")).encode()
    return _Body(query, own.retailer.hash_keys[shelf.crsa], content)


async def _select_all(database_url: str, shelves: Sequence[Shelf]) -> float:
    left = iter(shelves)

    async def read(connection: psycopg.AsyncConnection[Any]) -> None:
        for shelf in left:  # shared: each takes the next one
            await (await connection.execute(FROZEN, (shelf.store_id, shelf.last_day))).fetchone()

    connections = [await psycopg.AsyncConnection.connect(database_url, autocommit=True) for _ in range(CONNECTIONS)]
    began = time.monotonic()
    await asyncio.gather(*(read(connection) for connection in connections))
    seconds = time.monotonic() - began
    for connection in connections:
        await connection.close()
    return seconds


async def _post_all(regulator_url: str, retailer: Retailer, bodies: Sequence[_Body]) -> float:
    left = iter(bodies)
    async with httpx.AsyncClient(base_url=regulator_url, timeout=30) as client:
        token = await sign_in(client, retailer)

        async def post() -> None:
            for body in left:  # shared: each takes the next one
                headers = {"Authorization": f"Bearer {token}", "retailer_hashkey": body.hash_key}
                sent = await client.post(
                    "/func/PosInventoryPositionHttpTrigger",
                    params=body.query,
                    content=body.content,
                    headers=headers | {"Content-Type": "application/json"},
                )
                sent.raise_for_status()

        began = time.monotonic()
        await asyncio.gather(*(post() for _ in range(CALLS_AT_ONCE)))
        return time.monotonic() - began
