"""Keys, signatures and doors for tests of POS callers."""

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from ocs.dead_letters.doors import Message
from ocs.pos.signed_text import sign
from ocs.runtime import Runtime
from tests.integration.platform import CROL
from tests.integration.pos import rows

KEYS = f"/api/ocs/tenants/{CROL}/pos-keys"
SIGNATURES = f"/api/ocs/tenants/{CROL}/pos-signatures"
TRANSACTIONS = "/api/ocs/transactions"


async def make_key(staff: httpx.AsyncClient, path: str = KEYS, **wish: Any) -> dict[str, Any]:
    """Have a key made; gives the answer, the key itself in it."""
    made: dict[str, Any] = (await staff.post(path, json={"label": "till"} | wish)).raise_for_status().json()
    return made


@asynccontextmanager
async def another_tenant(runtime: Runtime) -> AsyncIterator[str]:
    """Make a tenant without a store; gives its CROL."""
    crol = "CROL7654321"
    async with runtime.pool.transaction() as connection:
        await connection.execute("insert into tenants (crol, name) values (%s, 'Other')", (crol,))
    yield crol


async def require(staff: httpx.AsyncClient, runtime: Runtime, *, required: bool = True) -> None:
    """Have the tenant's messages signed, and let the minute until then be over, as time would."""
    (await staff.put(SIGNATURES, json={"required": required})).raise_for_status()
    async with runtime.pool.transaction() as connection:
        await connection.execute("update pos_signatures set required_from = required_from - interval '2 min'")


def signed(key: dict[str, Any], body: object) -> str:
    """Sign a body with a key."""
    return sign(key["key_id"], key["key"], json.dumps(body))


def put(text: str, *, ago: float = 0) -> Message:
    """Give a text as the queue would, put there some seconds ago."""
    return Message(str(uuid.uuid4()), text.encode(), datetime.now(UTC) - timedelta(seconds=ago))


async def letters(runtime: Runtime) -> list[dict[str, Any]]:
    """Give the dead letters with the CROL of their tenant."""
    query = "select l.*, t.crol from dead_letters l left join tenants t using (tenant_id) order by buried_at"
    return await rows(runtime, query)


async def alerted(runtime: Runtime) -> list[str]:
    """Give the CROLs of the tenants with an open alert of a wrong signature."""
    query = "select t.crol from alerts join tenants t using (tenant_id) where cause = 'bad_signature'"
    return [row["crol"] for row in await rows(runtime, query)]
