"""The staff's routes to tenants, to their stores and to the configuration of both; and all routes of this room."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import Act, TheAct
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.errors import Conflict, NotFound
from ocs.onboarding import connections, credentials, pauses, people
from ocs.onboarding.models import (
    NewTenant,
    Onboarded,
    PauseShown,
    StoreChange,
    StorePage,
    StoreShown,
    TenantChange,
    TenantPage,
    TenantShown,
    differences,
)
from ocs.onboarding.pauses import wake
from ocs.tenants import configuration
from ocs.tenants.onboard import (
    MOST_CONNECTIONS,
    DescribedStore,
    DescribedTenant,
    connection_ids,
    onboard_into,
    save_store,
    save_tenant,
)
from ocs.tenants.pause import Place
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.tenants.read import is_of_tenant
from ocs.web.etags import require_match
from ocs.web.paging import Cursor, Limit, decode, page_of
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs", tags=["tenants and stores"])
ALL_STORES = 10_000
"""More than one company has."""


@router.get("/tenants")
@open_to(Role.VIEWER)
async def list_tenants(caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> TenantPage:
    """List the tenants that the caller may see, by CROL."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        rows = await configuration.tenants_page(connection, caller.tenants, after or "", limit + 1)
    page = page_of(rows, limit, "crol")
    return TenantPage(items=[shown(row) for row in page["items"]], next=page["next"])


@router.post("/tenants", status_code=201)
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


@router.get("/tenants/{tenant}")
@open_to(Role.VIEWER)
async def show_tenant(tenant: str, caller: TheCaller) -> TenantShown:
    """Show one tenant, by id or CROL."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await _tenant(connection, await tenant_in_reach(connection, caller, tenant))


@router.put("/tenants/{tenant}")
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


@router.post("/config")
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


@router.get("/tenants/{tenant}/stores")
@open_to(Role.VIEWER)
async def list_stores(tenant: str, caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> StorePage:
    """List a tenant's stores by CRSA, each with its configuration and what pauses it."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        rows = await configuration.stores_page(connection, tenant_id, after or "", limit + 1)
    page = page_of(rows, limit, "crsa")
    return StorePage(items=[shown_store(row) for row in page["items"]], next=page["next"])


@router.post("/tenants/{tenant}/stores", status_code=201)
@open_to(Role.TENANT_ADMIN)
async def add_store(tenant: str, body: DescribedStore, act: TheAct) -> StoreShown:
    """Make a store on one of the tenant's connections. Its events wait for its first position."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        if await is_of_tenant(connection, tenant_id, body.crsa):
            raise Conflict(f"there is a store {body.crsa} already: change it by PUT /api/ocs/stores/{body.crsa}/config")
        await connections.check_names(connection, act.caller, tenant_id, {"hash_key_name": body.hash_key_name})
        known = await connection_ids(connection, tenant_id)
        store_id = await save_store(connection, tenant_id, known, body)
        made = shown_store(await configuration.store_configuration(connection, tenant_id, store_id))
        await act.note(
            connection,
            "store.added",
            tenant_id=tenant_id,
            store_id=store_id,
            subject=body.crsa,
            after=made.model_dump(mode="json"),
        )
    return made


@router.get("/config/{store_id}")
@open_to(Role.VIEWER)
async def show_config(store_id: str, caller: TheCaller) -> StoreShown:
    """Show a store's configuration, by id or CRSA."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, caller, store_id)
        return shown_store(await configuration.store_configuration(connection, store.tenant_id, store.store_id))


@router.get("/stores/{store_id}/config")
@open_to(Role.VIEWER)
async def show_config_of_store(store_id: str, caller: TheCaller) -> StoreShown:
    """Show the same where it is changed."""
    return await show_config(store_id, caller)


@router.put("/stores/{store_id}/config")
@open_to(Role.TENANT_ADMIN)
async def change_config(store_id: str, body: StoreChange, act: TheAct, request: Request) -> StoreShown:
    """Change a store's configuration; what is left out stays. With `reporting` it is switched on or off."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, store_id)
        await configuration.lock_tenant(connection, store.tenant_id)
        row = await configuration.store_configuration(connection, store.tenant_id, store.store_id)
        before = shown_store(row)
        require_match(request, before)
        given = body.fields("licence_number", "licence_expires_on")
        if body.hash_key_name is not None:
            await connections.check_names(
                connection, act.caller, store.tenant_id, {"hash_key_name": body.hash_key_name}
            )
        if body.connection is not None:
            given["connection_id"] = await _connection_id(connection, store.tenant_id, body.connection)
        await configuration.change_store(connection, store.store_id, row | given)
        after = shown_store(await configuration.store_configuration(connection, store.tenant_id, store.store_id))
        was, now = differences(before, after)
        await act.note_of(connection, store, "store.changed", subject=store.crsa, before=was, after=now)
    if after.delivering and not before.delivering:
        await wake(own, store.store_id)
    return after


def shown_store(row: dict[str, Any]) -> StoreShown:
    """Show a store's row."""
    return StoreShown(**row, paused=PauseShown.of(row))


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
    return told | {row["crsa"]: shown_store(row).model_dump(mode="json") for row in found if row["crsa"] in named[1]}


async def _connection_id(connection: Connection, tenant_id: UUID, name: str) -> UUID:
    try:
        row = await configuration.connection_of(connection, tenant_id, name)
    except NotFound:
        raise bad_input("connection", name, "the name of one of the tenant's connections") from None
    connection_id: UUID = row["connection_id"]
    return connection_id


ROUTERS = (router, connections.router, pauses.router, credentials.router, people.router)
"""All routes of this room."""
