"""The routes to a tenant's connections to the Data Platform, and to how they tell each transaction type.

Credentials are sent to a connection's addresses. So only a super admin enters an address that the tenant does not use
yet, and a tenant's own staff name no secret that may be another retailer's.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from ocs import runtime
from ocs.access.caller import Caller, TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.errors import Conflict, Forbidden, NotFound
from ocs.onboarding.models import (
    ConnectionChange,
    ConnectionPage,
    ConnectionShown,
    PauseShown,
    Types,
    TypeShown,
    differences,
)
from ocs.tenants import configuration
from ocs.tenants.models import TransactionType
from ocs.tenants.onboard import (
    MOST_CONNECTIONS,
    DescribedConnection,
    DescribedMapping,
    as_base,
    confirm_mapping,
    save_connection,
)
from ocs.tenants.pause import Place
from ocs.tenants.reach import tenant_in_reach
from ocs.web.etags import require_match
from ocs.web.paging import Cursor, Limit, decode, page_of
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/tenants/{tenant}/connections", tags=["connections"])


@router.get("")
@open_to(Role.VIEWER)
async def list_connections(tenant: str, caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> ConnectionPage:
    """List a tenant's connections by name."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        rows = await configuration.connections_page(connection, tenant_id, after or "", limit + 1)
    page = page_of(rows, limit, "name")
    return ConnectionPage(items=[shown(row) for row in page["items"]], next=page["next"])


@router.get("/{name}")
@open_to(Role.VIEWER)
async def show_connection(tenant: str, name: str, caller: TheCaller) -> ConnectionShown:
    """Show one connection, by name or id."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        return shown(await configuration.connection_of(connection, tenant_id, name))


@router.post("", status_code=201)
@open_to(Role.TENANT_ADMIN)
async def add_connection(tenant: str, body: DescribedConnection, act: TheAct) -> ConnectionShown:
    """Make a connection; types that are not described get the plan of record's reading."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        await configuration.lock_tenant(connection, tenant_id)
        standing = await configuration.connections_page(connection, tenant_id, most=MOST_CONNECTIONS)
        if body.name in {row["name"] for row in standing}:
            raise Conflict(f'there is a connection "{body.name}" already: change it by PUT')
        if len(standing) >= MOST_CONNECTIONS:
            raise Conflict(f"a retailer has at most {MOST_CONNECTIONS} connections")
        await check_connection(connection, act.caller, tenant_id, body)
        connection_id = await save_connection(connection, tenant_id, body)
        made = shown(await configuration.connection_of(connection, tenant_id, str(connection_id)))
        after = made.model_dump(mode="json")
        await act.note(connection, "connection.added", tenant_id=tenant_id, subject=body.name, after=after)
    return made


@router.put("/{name}")
@open_to(Role.TENANT_ADMIN)
async def change_connection(
    tenant: str, name: str, body: ConnectionChange, act: TheAct, request: Request
) -> ConnectionShown:
    """Change a connection; what is left out stays. Calls that begin from then on use it."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        await configuration.lock_tenant(connection, tenant_id)
        row = await configuration.connection_of(connection, tenant_id, name)
        before = shown(row)
        require_match(request, before)
        given = body.fields("process_on_field")
        if body.base_url is not None:
            given["base_url"] = as_base(body.base_url)
        if body.token_url is not None:
            given["token_url"] = str(body.token_url)
        await check_addresses(connection, act.caller, tenant_id, given)
        await check_names(connection, act.caller, tenant_id, _named(given, "client_secret_name"))
        await configuration.change_connection(connection, row["connection_id"], row | given)
        after = shown(await configuration.connection_of(connection, tenant_id, str(row["connection_id"])))
        was, now = differences(before, after)
        await act.note(
            connection, "connection.changed", tenant_id=tenant_id, subject=row["name"], before=was, after=now
        )
    return after


@router.get("/{name}/types")
@open_to(Role.VIEWER)
async def list_types(tenant: str, name: str, caller: TheCaller) -> Types:
    """List how a connection tells each transaction type, and which readings are not confirmed yet."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        row = await configuration.connection_of(connection, tenant_id, name)
        return Types(
            items=[TypeShown(**one) for one in await configuration.mappings_of(connection, row["connection_id"])]
        )


@router.get("/{name}/types/{transaction_type}")
@open_to(Role.VIEWER)
async def show_type(tenant: str, name: str, transaction_type: TransactionType, caller: TheCaller) -> TypeShown:
    """Show how a connection tells one transaction type."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        row = await configuration.connection_of(connection, tenant_id, name)
        found = await _type_of(connection, row["connection_id"], transaction_type)
    if found is None:
        raise NotFound(f"no mapping of the type {transaction_type} in this connection")
    return found


@router.put("/{name}/types/{transaction_type}")
@open_to(Role.TENANT_ADMIN)
async def set_type(
    tenant: str,
    name: str,
    transaction_type: TransactionType,
    body: DescribedMapping,
    act: TheAct,
    request: Request,
) -> TypeShown:
    """Say how a connection tells a transaction type; it holds for what is taken in from then on."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        row = await configuration.connection_of(connection, tenant_id, name)
        before = await _type_of(connection, row["connection_id"], transaction_type)
        require_match(request, before)
        fields = body.model_dump()
        await configuration.set_mapping(connection, row["connection_id"], transaction_type.value, fields)
        await act.note(
            connection,
            "type.changed",
            tenant_id=tenant_id,
            subject=f"{row['name']} {transaction_type}",
            before=None if before is None else before.model_dump(mode="json"),
            after=fields,
        )
        return TypeShown(transaction_type=transaction_type.value, **fields)


@router.post("/{name}/types/{transaction_type}/confirm")
@open_to(Role.MANAGER)
async def confirm_type(tenant: str, name: str, transaction_type: TransactionType, act: TheAct) -> TypeShown:
    """Note that a reading is right: OCS said so, or it was read back."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        row = await configuration.connection_of(connection, tenant_id, name)
        before = await _type_of(connection, row["connection_id"], transaction_type)
        if before is None:
            raise NotFound(f"no mapping of the type {transaction_type} in this connection")
        await confirm_mapping(connection, row["connection_id"], transaction_type.value)
        await act.note(
            connection,
            "type.confirmed",
            tenant_id=tenant_id,
            subject=f"{row['name']} {transaction_type}",
            before={"confirmed": before.confirmed},
            after={"confirmed": True},
        )
        return before.model_copy(update={"confirmed": True})


def shown(row: dict[str, Any]) -> ConnectionShown:
    """Show a connection's row."""
    return ConnectionShown(**row, paused=PauseShown.of(row, Place.CONNECTION))


async def check_connection(
    connection: Connection, caller: Caller, tenant_id: UUID, described: DescribedConnection, at: str = ""
) -> None:
    """Raise Forbidden or BadInput where a caller may not set up this connection; `at` is put before fields' names."""
    addresses = {"base_url": as_base(described.base_url), "token_url": str(described.token_url)}
    await check_addresses(connection, caller, tenant_id, addresses)
    named = {f"{at}client_secret_name": described.client_secret_name}
    await check_names(connection, caller, tenant_id, named)


async def check_addresses(
    connection: Connection, caller: Caller, tenant_id: UUID, addresses: Mapping[str, Any]
) -> None:
    """Raise Forbidden where a tenant's own staff enter an address that none of its connections has."""
    if caller.super_admin:
        return
    rows = await configuration.connections_page(connection, tenant_id, most=MOST_CONNECTIONS)
    for field in ("base_url", "token_url"):
        if field in addresses and addresses[field] not in {row[field] for row in rows}:
            raise Forbidden(
                f"{field} is a new address to which credentials would be sent: it takes the role super-admin"
            )


async def check_names(connection: Connection, caller: Caller, tenant_id: UUID, names: Mapping[str, str]) -> None:
    """Raise BadInput where a tenant's own staff name a secret that may be another retailer's; `names` are by field."""
    if caller.super_admin or not names:
        return
    known = {name.lower() for name in await configuration.secrets_of_tenant(connection, tenant_id)}
    (tenant,) = await configuration.tenants_page(connection, [tenant_id])
    prefix = f"{tenant['crol'].lower()}-"
    for field, name in names.items():
        if name.lower() not in known and not name.lower().startswith(prefix):
            raise bad_input(field, name, f"a name that begins with {prefix}")


def _named(given: Mapping[str, Any], field: str) -> dict[str, str]:
    return {field: given[field]} if field in given else {}


async def _type_of(connection: Connection, connection_id: UUID, transaction_type: TransactionType) -> TypeShown | None:
    rows = await configuration.mappings_of(connection, connection_id, transaction_type.value)
    return TypeShown(**rows[0]) if rows else None
