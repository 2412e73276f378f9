"""What is known of a tenant's credentials without showing them: set or not, rotated when and by whom, last let in."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from ocs.access.caller import Caller
from ocs.azure.vault import Vault
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import VaultUnavailable
from ocs.onboarding.models import ConnectionCredentials, CredentialsPage, SignInTry, StoreCredentials
from ocs.runtime import Runtime
from ocs.tenants import configuration
from ocs.tenants.onboard import MOST_CONNECTIONS
from ocs.tenants.reach import tenant_in_reach
from ocs.web.paging import Cursor, decode, page_of

SQL = load(__file__)
ASKED_AT_ONCE = 8
"""Questions to Key Vault side by side."""
Row = Mapping[str, Any]


async def state_of(
    own: Runtime, caller: Caller, tenant: str, *, cursor: Cursor = None, limit: int = 50
) -> CredentialsPage:
    """Give the state of a tenant's credentials: all connections, and a page of stores by CRSA.

    Key Vault is asked only for secrets that nobody kept here and that were never let in. Raises NotFound, Forbidden.
    """
    (after,) = decode(cursor, str)
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        connections = await configuration.connections_page(connection, tenant_id, most=MOST_CONNECTIONS)
        rows = await configuration.stores_page(connection, tenant_id, after or "", limit + 1)
        page = page_of(rows, limit, "crsa")
        names = [row["client_secret_name"] for row in connections] + [row["hash_key_name"] for row in page["items"]]
        kept = await _kept(connection, tenant_id, names)
        sign_ins = await _sign_ins(connection, [row["connection_id"] for row in connections])
        uses = await _uses(connection, [row["store_id"] for row in page["items"]])
    of_connections = [_of_connection(row, kept, sign_ins[row["connection_id"]]) for row in connections]
    of_stores = [_of_store(row, kept, uses[row["store_id"]]) for row in page["items"]]
    found = await _in_vault(own.vault, {one.secret_name for one in (*of_connections, *of_stores) if one.is_set is None})
    for one in (*of_connections, *of_stores):
        one.is_set = found.get(one.secret_name) if one.is_set is None else one.is_set
    return CredentialsPage(tenant_id=tenant_id, connections=of_connections, items=of_stores, next=page["next"])


async def _kept(connection: Connection, tenant_id: UUID, names: Collection[str]) -> dict[str, Row]:
    words = {"tenant_id": tenant_id, "names": [name.lower() for name in names]}
    rows = await (await connection.execute(SQL["kept_secrets"], words)).fetchall()
    return {row["secret_name"]: row for row in rows}


async def _sign_ins(connection: Connection, connection_ids: list[UUID]) -> dict[UUID, Row]:
    rows = await (await connection.execute(SQL["sign_ins"], {"connection_ids": connection_ids})).fetchall()
    return {row["connection_id"]: row for row in rows}


async def _uses(connection: Connection, store_ids: list[UUID]) -> dict[UUID, Row]:
    rows = await (await connection.execute(SQL["hash_key_uses"], {"store_ids": store_ids})).fetchall()
    return {row["store_id"]: row for row in rows}


def _of_connection(row: Row, kept: Mapping[str, Row], sign_in: Row) -> ConnectionCredentials:
    tried = None
    if sign_in["tried_at"] is not None:
        said = {name: sign_in[name] for name in ("outcome", "version", "said", "ms")}
        tried = SignInTry(connection=row["name"], at=sign_in["tried_at"], **said)
    good = [sign_in["good_at"], tried.at if tried is not None and tried.outcome == "accepted" else None]
    return ConnectionCredentials(
        connection_id=row["connection_id"],
        connection=row["name"],
        environment=row["environment"],
        client_id=row["client_id"],
        last_refused_at=sign_in["refused_at"],
        last_try=tried,
        **_of_secret(row["client_secret_name"], kept, max((at for at in good if at is not None), default=None)),
    )


def _of_store(row: Row, kept: Mapping[str, Row], use: Row) -> StoreCredentials:
    return StoreCredentials(
        store_id=row["store_id"],
        crsa=row["crsa"],
        name=row["name"],
        refused_since=use["refused_since"],
        **_of_secret(row["hash_key_name"], kept, use["good_at"]),
    )


def _of_secret(name: str, kept: Mapping[str, Row], good_at: datetime | None) -> dict[str, Any]:
    note = kept.get(name.lower(), {})
    return {
        "secret_name": name,
        "is_set": True if note or good_at is not None else None,
        "rotated_at": note.get("kept_at"),
        "rotated_by": note.get("kept_by"),
        "checked": note.get("checked"),
        "overlap_until": note.get("overlap_until"),
        "last_good_at": good_at,
    }


async def _in_vault(vault: Vault, names: Collection[str]) -> dict[str, bool | None]:
    """Ask Key Vault which of these secrets it holds; None where it does not answer."""
    gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def ask(name: str) -> bool | None:
        async with gate:
            try:
                return await vault.holds(name)
            except VaultUnavailable:
                return None

    asked = list(names)
    return dict(zip(asked, await asyncio.gather(*(ask(name) for name in asked)), strict=True))
