"""The routes to a tenant's stores and their configuration."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.errors import Conflict, NotFound
from ocs.onboarding.connections import check_names
from ocs.onboarding.models import PauseShown, StoreChange, StorePage, StoreShown, differences
from ocs.onboarding.pauses import wake
from ocs.tenants import configuration
from ocs.tenants.onboard import DescribedStore, connection_ids, save_store
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.tenants.read import is_of_tenant
from ocs.web.etags import require_match
from ocs.web.paging import Cursor, Limit, decode, page_of
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs", tags=["stores"])


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
    return StorePage(items=[shown(row) for row in page["items"]], next=page["next"])


@router.post("/tenants/{tenant}/stores", status_code=201)
@open_to(Role.TENANT_ADMIN)
async def add_store(tenant: str, body: DescribedStore, act: TheAct) -> StoreShown:
    """Make a store on one of the tenant's connections. Its events wait for its first position."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        if await is_of_tenant(connection, tenant_id, body.crsa):
            raise Conflict(f"there is a store {body.crsa} already: change it by PUT /api/ocs/stores/{body.crsa}/config")
        await check_names(connection, act.caller, tenant_id, {"hash_key_name": body.hash_key_name})
        known = await connection_ids(connection, tenant_id)
        store_id = await save_store(connection, tenant_id, known, body)
        made = shown(await configuration.store_configuration(connection, tenant_id, store_id))
        places = {"tenant_id": tenant_id, "store_id": store_id}
        after = made.model_dump(mode="json")
        await act.note(connection, "store.added", **places, subject=body.crsa, after=after)
    return made


@router.get("/config/{store_id}")
@open_to(Role.VIEWER)
async def show_config(store_id: str, caller: TheCaller) -> StoreShown:
    """Show a store's configuration, by id or CRSA."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, caller, store_id)
        return shown(await configuration.store_configuration(connection, store.tenant_id, store.store_id))


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
        before = shown(row)
        require_match(request, before)
        given = body.fields("licence_number", "licence_expires_on")
        if body.hash_key_name is not None:
            await check_names(connection, act.caller, store.tenant_id, {"hash_key_name": body.hash_key_name})
        if body.connection is not None:
            given["connection_id"] = await _connection_id(connection, store.tenant_id, body.connection)
        await configuration.change_store(connection, store.store_id, row | given)
        after = shown(await configuration.store_configuration(connection, store.tenant_id, store.store_id))
        was, now = differences(before, after)
        await act.note_of(connection, store, "store.changed", subject=store.crsa, before=was, after=now)
    if after.delivering and not before.delivering:
        await wake(own, store.store_id)
    return after


def shown(row: dict[str, Any]) -> StoreShown:
    """Show a store's row."""
    return StoreShown(**row, paused=PauseShown.of(row))


async def _connection_id(connection: Connection, tenant_id: UUID, name: str) -> UUID:
    try:
        row = await configuration.connection_of(connection, tenant_id, name)
    except NotFound:
        raise bad_input("connection", name, "the name of one of the tenant's connections") from None
    connection_id: UUID = row["connection_id"]
    return connection_id
