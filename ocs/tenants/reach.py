"""Finds what a caller names, within the tenants that the caller may see; anything else is not there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from ocs.access.caller import Caller
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Forbidden, NotFound
from ocs.tenants.models import Store
from ocs.tenants.read import as_id

SQL = load(__file__)


async def store_in_reach(connection: Connection, caller: Caller, reference: str) -> Store:
    """Give the store with this id or CRSA; raises NotFound where there is none, or not for this caller.

    Raises Forbidden where the caller's role in its tenant is too low for the route.
    """
    words = {"reference": reference, "store_id": as_id(reference)}
    row = await (await connection.execute(SQL["store_by_reference"], words)).fetchone()
    if row is None or not caller.knows(row["tenant_id"]):
        raise NotFound(f'no store "{reference}"')
    require_role(caller, row["tenant_id"])
    return Store.from_row(row)


async def tenant_in_reach(connection: Connection, caller: Caller, reference: str) -> UUID:
    """Give the id of the tenant with this id or CROL; raises NotFound and Forbidden in the same way."""
    words = {"reference": reference, "tenant_id": as_id(reference)}
    row = await (await connection.execute(SQL["tenant_by_reference"], words)).fetchone()
    if row is None or not caller.knows(row["tenant_id"]):
        raise NotFound(f'no tenant "{reference}"')
    tenant_id: UUID = row["tenant_id"]
    require_role(caller, tenant_id)
    return tenant_id


def row_in_reach(caller: Caller, row: Mapping[str, Any] | None, named: str) -> dict[str, Any]:
    """Give a row that was found by its own number, where its tenant is in reach; raises NotFound and Forbidden."""
    if row is None or not caller.knows(row["tenant_id"]):
        raise NotFound(f"no {named}")
    require_role(caller, row["tenant_id"])
    return dict(row)


def require_role(caller: Caller, tenant_id: UUID) -> None:
    """Raise Forbidden where a caller who knows the tenant has a lower role there than the route asks for."""
    if not caller.may_see(tenant_id):
        raise Forbidden(f"this takes the role {caller.needs.value} in this tenant, or one above it")
