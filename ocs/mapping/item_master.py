"""Which item catalogue counts for a tenant, and what it says of what SKUs are mapped to."""

from collections.abc import Callable, Collection
from uuid import UUID

from ocs.catalogue.preflight import catalogue_facts, catalogue_warnings
from ocs.catalogue.warnings import WARNINGS, item_warnings
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.mapping.lookup import MappedSku

SQL = load(__file__)
PRODUCTION, UAT = "production", "uat"

Warned = Callable[[MappedSku], list[dict[str, str]]]
"""Gives what is odd about what a SKU is mapped to: each a code and words for a store manager."""


async def environment_of(connection: Connection, tenant_id: UUID) -> str:
    """Give the environment whose catalogue counts: production as soon as one of the tenant's stores reports there."""
    rows = await (await connection.execute(SQL["environments_of_tenant"], {"tenant_id": tenant_id})).fetchall()
    return PRODUCTION if PRODUCTION in [row["environment"] for row in rows] else UAT


async def warnings_about(connection: Connection, tenant_id: UUID, items: Collection[MappedSku]) -> Warned:
    """Ask the catalogue about these items, all at once, and give what is odd about each; nothing is refused for it."""
    environment = await environment_of(connection, tenant_id)
    facts = await catalogue_facts(connection, environment, {(item.ocs_sku, item.upc) for item in items})

    def warned(item: MappedSku) -> list[dict[str, str]]:
        codes = item_warnings(item.ocs_sku, item.upc) + catalogue_warnings(facts, item.ocs_sku, item.upc)
        return [{"code": code, "words": WARNINGS[code]} for code in codes]

    return warned
