"""The staff's routes to tenants, and all routes of this room."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import Act, TheAct
from ocs.db.pool import Connection
from ocs.errors import Conflict
from ocs.onboarding import connections, credentials, pauses, people, stores
from ocs.onboarding.models import NewTenant, Onboarded, PauseShown, TenantChange, TenantPage, TenantShown
from ocs.onboarding.pauses import wake
from ocs.tenants import configuration
from ocs.tenants.onboard import MOST_CONNECTIONS, DescribedTenant, onboard_into, save_tenant
from ocs.tenants.pause import Place
from ocs.tenants.reach import tenant_in_reach
from ocs.web.etags import require_match
from ocs.web.paging import Cursor, Limit, decode, page_of
from ocs.web.roles import Role, open_to

tenants = APIRouter(prefix="/api/ocs", tags=["tenants"])
ALL_STORES = 10_000
"""More than one company has."""


@tenants.get("/tenants")
@open_to(Role.VIEWER)
async def list_tenants(caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> TenantPage:
    """List the tenants that the caller may see, by CROL."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        rows = await configuration.tenants_page(connection, caller.tenants, after or "", limit + 1)
    page = page_of(rows, limit, "crol")
    return TenantPage(items=[shown(row) for row in page["items"]], next=page["next"])


@tenants.post("/tenants", status_code=201)
@open_to(Role.SUPER_ADMIN)
async def add_tenant(body: NewTenant, act: TheAct) -> TenantShown:
    """Make a tenant: a retailer company."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        if await configuration.tenant_with(connection, body.crol) is not None:
            raise Conflict(f"there is a tenant {body.crol} already: change it by PUT")
        tenant_id = await save_tenant(connection, body.crol, body.name)
        made = await _tenant(connection, tenant_id)
        after = {"crol": made.crol, "name": made.name}
        await act.note(connection, "tenant.added", tenant_id=tenant_id, subject=body.crol, after=after)
    return made


@tenants.get("/tenants/{tenant}")
@open_to(Role.VIEWER)
async def show_tenant(tenant: str, caller: TheCaller) -> TenantShown:
    """Show one tenant, by id or CROL."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await _tenant(connection, await tenant_in_reach(connection, caller, tenant))


@tenants.put("/tenants/{tenant}")
@open_to(Role.TENANT_ADMIN)
async def change_tenant(tenant: str, body: TenantChange, act: TheAct, request: Request) -> TenantShown:
    """Rename a tenant."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        await configuration.lock_tenant(connection, tenant_id)
        before = await _tenant(connection, tenant_id)
        require_match(request, before)
        await configuration.rename_tenant(connection, tenant_id, body.name)
        was, now = {"name": before.name}, {"name": body.name}
        await act.note(connection, "tenant.changed", tenant_id=tenant_id, subject=before.crol, before=was, after=now)
        return await _tenant(connection, tenant_id)


@tenants.post("/config")
@open_to(Role.TENANT_ADMIN)
async def configure(body: DescribedTenant, act: TheAct) -> Onboarded:
    """Take on a tenant with its connections and stores from one description, or change what differs: all or nothing.

    It removes nothing. A new tenant takes the role super-admin.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await _tenant_of(connection, act, body)
        for number, described in enumerate(body.connections):
            await connections.check_connection(connection, act.caller, tenant_id, described, f"connections[{number}].")
        named = {f"stores[{number}].hash_key_name": store.hash_key_name for number, store in enumerate(body.stores)}
        await connections.check_names(connection, act.caller, tenant_id, named)
        before = await _picture(connection, tenant_id, body)
        made = await onboard_into(connection, tenant_id, body)
        after = await _picture(connection, tenant_id, body)
        was = {name: one for name, one in before.items() if after.get(name) != one}
        now = {name: one for name, one in after.items() if before.get(name) != one}
        await act.note(connection, "config.changed", tenant_id=tenant_id, subject=body.crol, before=was, after=now)
    await wake(own, None)
    return Onboarded(tenant_id=tenant_id, stores=made)


def shown(row: dict[str, Any]) -> TenantShown:
    """Show a tenant's row."""
    return TenantShown(**row, paused=PauseShown.of(row, Place.TENANT))


async def _tenant(connection: Connection, tenant_id: UUID) -> TenantShown:
    (row,) = await configuration.tenants_page(connection, [tenant_id])
    return shown(row)


async def _tenant_of(connection: Connection, act: Act, body: DescribedTenant) -> UUID:
    """Find the described tenant, or make it where the caller may; its name becomes the described one."""
    known = await configuration.tenant_with(connection, body.crol)
    if known is None and act.caller.super_admin:
        return await save_tenant(connection, body.crol, body.name)
    tenant_id = await tenant_in_reach(connection, act.caller, body.crol)
    await configuration.lock_tenant(connection, tenant_id)
    await configuration.rename_tenant(connection, tenant_id, body.name)
    return tenant_id


async def _picture(connection: Connection, tenant_id: UUID, body: DescribedTenant) -> dict[str, Any]:
    """Show how what a description names is set up now, for the audit."""
    named = {one.name for one in body.connections}, {one.crsa for one in body.stores}
    rows = await configuration.connections_page(connection, tenant_id, most=MOST_CONNECTIONS)
    told = {row["name"]: connections.shown(row).model_dump(mode="json") for row in rows if row["name"] in named[0]}
    found = await configuration.stores_page(connection, tenant_id, most=ALL_STORES)
    return told | {row["crsa"]: stores.shown(row).model_dump(mode="json") for row in found if row["crsa"] in named[1]}


router = APIRouter()
for part in (tenants, connections.router, stores.router, pauses.router, credentials.router, people.router):
    router.include_router(part)
