"""Finds the POS SKUs for whose mapping lines wait, each with what it may be."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.mapping.item_master import environment_of
from ocs.mapping.suggest import Asked, KnownItems, Suggestion, known_items, suggest

SQL = load(__file__)


async def unmapped_skus(connection: Connection, tenant_id: UUID, after: str, limit: int) -> list[dict[str, Any]]:
    """Give a tenant's SKUs for which lines wait, after one SKU: how many lines, since when (UTC), which barcodes."""
    words = {"tenant_id": tenant_id, "after": after, "most": limit}
    return await (await connection.execute(SQL["unmapped_skus"], words)).fetchall()


async def known_for(connection: Connection, tenant_id: UUID, asked: Sequence[Asked]) -> KnownItems:
    """Read what the tenant's item catalogue has for these SKUs; nothing when none is asked for."""
    if not asked:
        return KnownItems([], {})
    return await known_items(connection, await environment_of(connection, tenant_id), asked)


async def suggestions_for(known: KnownItems, asked: Sequence[Asked]) -> list[list[Suggestion]]:
    """Give what each SKU may be; in a thread, as thousands of names are compared, and with no connection held."""
    return await asyncio.to_thread(lambda: [suggest(known, one) for one in asked])
