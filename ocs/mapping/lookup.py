"""Looks up what a tenant's own SKUs are at the OCS."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)


@dataclass(frozen=True)
class MappedSku:
    """What a POS SKU is in the item master; `upc` is empty when the mapping has none."""

    ocs_sku: str
    upc: str


async def mapped_skus(connection: Connection, tenant_id: UUID, pos_skus: Collection[str]) -> dict[str, MappedSku]:
    """Give the mappings that exist for these SKUs; asks nothing when there are none to ask for."""
    if not pos_skus:
        return {}
    words = {"tenant_id": tenant_id, "pos_skus": list(pos_skus)}
    rows = await (await connection.execute(SQL["mapped_skus"], words)).fetchall()
    return {row["pos_sku"]: MappedSku(row["ocs_sku"], row["upc"]) for row in rows}
