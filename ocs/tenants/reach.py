"""Finds what a caller names, within the tenants that the caller may see; anything else is not there."""

from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.tenants.models import Store
from ocs.tenants.read import as_id
from ocs.web.caller import Caller

SQL = load(__file__)


async def store_in_reach(connection: Connection, caller: Caller, reference: str) -> Store:
    """Give the store with this id or CRSA; raises NotFound where there is none, or not for this caller."""
    words = {"reference": reference, "store_id": as_id(reference)}
    row = await (await connection.execute(SQL["store_by_reference"], words)).fetchone()
    if row is None or not caller.may_see(row["tenant_id"]):
        raise NotFound(f'no store "{reference}"')
    return Store.from_row(row)


async def tenant_in_reach(connection: Connection, caller: Caller, reference: str) -> UUID:
    """Give the id of the tenant with this id or CROL; raises NotFound in the same way."""
    words = {"reference": reference, "tenant_id": as_id(reference)}
    row = await (await connection.execute(SQL["tenant_by_reference"], words)).fetchone()
    if row is None or not caller.may_see(row["tenant_id"]):
        raise NotFound(f'no tenant "{reference}"')
    tenant_id: UUID = row["tenant_id"]
    return tenant_id
