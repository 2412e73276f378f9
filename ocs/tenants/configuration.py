"""Reads and changes how tenants, connections and stores are set up; the caller's reach is checked before."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.tenants.read import as_id

SQL = load(__file__)
Row = dict[str, Any]


async def tenants_page(
    connection: Connection, tenant_ids: Collection[UUID] | None, after: str = "", most: int = 1
) -> list[Row]:
    """Give these tenants (None: all) by CROL, those behind `after`."""
    words = {"tenant_ids": None if tenant_ids is None else list(tenant_ids), "after": after, "most": most}
    return await (await connection.execute(SQL["tenants_page"], words)).fetchall()


async def tenant_with(connection: Connection, crol: str) -> UUID | None:
    """Give the id of the tenant with this CROL, or None."""
    row = await (await connection.execute(SQL["find_tenant"], {"crol": crol})).fetchone()
    return None if row is None else row["tenant_id"]


async def rename_tenant(connection: Connection, tenant_id: UUID, name: str) -> None:
    """Give a tenant another name."""
    await connection.execute(SQL["rename_tenant"], {"tenant_id": tenant_id, "name": name})


async def lock_tenant(connection: Connection, tenant_id: UUID) -> None:
    """Wait for the tenant's row, and keep others who change the same waiting until this transaction ends."""
    await connection.execute(SQL["lock_tenant"], {"tenant_id": tenant_id})


async def connections_page(connection: Connection, tenant_id: UUID, after: str = "", most: int = 1) -> list[Row]:
    """Give a tenant's connections by name, those behind `after`."""
    words = {"tenant_id": tenant_id, "reference": None, "connection_id": None, "after": after, "most": most}
    return await (await connection.execute(SQL["connections_page"], words)).fetchall()


async def connection_of(connection: Connection, tenant_id: UUID, reference: str) -> Row:
    """Give a tenant's connection by name or id; raises NotFound."""
    words = {"tenant_id": tenant_id, "reference": reference, "connection_id": as_id(reference), "after": "", "most": 2}
    rows = await (await connection.execute(SQL["connections_page"], words)).fetchall()
    named = [row for row in rows if row["name"] == reference] or rows
    if not named:
        raise NotFound(f'no connection "{reference}"')
    return named[0]


async def connection_by_id(connection: Connection, connection_id: UUID) -> Row | None:
    """Give the ids of a connection and of its tenant, or None."""
    return await (await connection.execute(SQL["connection_by_id"], {"connection_id": connection_id})).fetchone()


async def change_connection(connection: Connection, connection_id: UUID, fields: Row) -> None:
    """Write a connection's fields anew."""
    await connection.execute(SQL["change_connection"], fields | {"connection_id": connection_id})


async def change_client_id(connection: Connection, connection_id: UUID, client_id: str) -> str:
    """Give a connection another client id; gives the one before. Raises NotFound."""
    words = {"connection_id": connection_id, "client_id": client_id}
    row = await (await connection.execute(SQL["change_client_id"], words)).fetchone()
    if row is None:
        raise NotFound(f"no connection {connection_id}")
    return str(row["client_id"])


async def mappings_of(connection: Connection, connection_id: UUID, transaction_type: str | None = None) -> list[Row]:
    """Give how a connection tells each transaction type, or one of them."""
    words = {"connection_id": connection_id, "transaction_type": transaction_type}
    return await (await connection.execute(SQL["mappings_of_connection"], words)).fetchall()


async def set_mapping(connection: Connection, connection_id: UUID, transaction_type: str, fields: Row) -> None:
    """Say how a connection tells a transaction type; it holds for what is taken in from then on."""
    words = fields | {"connection_id": connection_id, "transaction_type": transaction_type}
    await connection.execute(SQL["save_own_mapping"], words)


async def stores_page(connection: Connection, tenant_id: UUID, after: str = "", most: int = 1) -> list[Row]:
    """Give a tenant's stores by CRSA with their configuration, those behind `after`."""
    words = {"tenant_id": tenant_id, "store_id": None, "after": after, "most": most}
    return await (await connection.execute(SQL["stores_page"], words)).fetchall()


async def store_configuration(connection: Connection, tenant_id: UUID, store_id: UUID) -> Row:
    """Give a store's configuration; raises NotFound."""
    words = {"tenant_id": tenant_id, "store_id": store_id, "after": "", "most": 1}
    row = await (await connection.execute(SQL["stores_page"], words)).fetchone()
    if row is None:
        raise NotFound(f"no store {store_id}")
    return row


async def change_store(connection: Connection, store_id: UUID, fields: Row) -> None:
    """Write a store's configuration anew."""
    await connection.execute(SQL["change_store"], fields | {"store_id": store_id})


async def secrets_of_tenant(connection: Connection, tenant_id: UUID) -> set[str]:
    """Give the names of the secrets that a tenant's connections and stores use."""
    rows = await (await connection.execute(SQL["secrets_of_tenant"], {"tenant_id": tenant_id})).fetchall()
    return {row["secret_name"] for row in rows}


async def serves_others(connection: Connection, tenant_id: UUID, secret_name: str) -> bool:
    """Tell whether another tenant uses the secret of this name too; never which."""
    words = {"tenant_id": tenant_id, "secret_name": secret_name}
    row = await (await connection.execute(SQL["serves_others"], words)).fetchone()
    return bool(row and row["shared"])
