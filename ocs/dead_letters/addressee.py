"""Whose a message is that could not be taken in: found by what it names, if it can be read at all.

A letter whose tenant is known is shown to that tenant's staff; any other one to super admins only.
"""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID

from ocs.bad_input import BadInput
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.dead_letters.letters import Burial
from ocs.message_text import decode
from ocs.pos.signed_text import is_marked

SQL = load(__file__)


async def addressed(connection: Connection, burial: Burial) -> Burial:
    """Give the burial with the tenant, and the tenant's store, that its message names and that are known.

    A tenant that is known otherwise, by the key of a wrong signature, stays.
    """
    if burial.tenant_id is not None:
        return burial
    named = parsed(burial.body)
    tenant, store = (_reference(named, field) for field in ("tenant_id", "store_id"))
    if tenant is None:
        return burial
    words = {"tenant": tenant, "tenant_id": _as_id(tenant), "store": store, "store_id": _as_id(store)}
    row = await (await connection.execute(SQL["addressee"], words)).fetchone()
    return burial if row is None else replace(burial, tenant_id=row["tenant_id"], store_id=row["store_id"])


def parsed(body: str) -> Any:
    """Give a message as JSON where it is that, plain or in base64, below its signature's line; else None."""
    try:
        text = decode(body.encode(errors="replace"))
        return json.loads(text.partition("\n")[2] if is_marked(text) else text)
    except (BadInput, ValueError, RecursionError):
        return None


def _reference(named: Any, field: str) -> str | None:
    value = named.get(field) if isinstance(named, dict) else None
    # Postgres keeps no NUL in text, nor half a character: neither names anything here.
    good = isinstance(value, str) and "\x00" not in value and value.encode(errors="ignore").decode() == value
    return value if good else None


def _as_id(reference: str | None) -> UUID | None:
    try:
        return None if reference is None else UUID(reference)
    except ValueError:
        return None
