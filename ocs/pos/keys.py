"""Makes, rotates and revokes a tenant's keys, and finds whose key a caller shows.

The key goes into the vault first, under a name made of its id, and its hash into the database second: a death in
between leaves a secret in the vault that no row knows of, which opens nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ocs.audit.acts import Act
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Conflict, KeyRefused, NotFound
from ocs.pos.key_text import Key, is_same, new_key, read_key
from ocs.runtime import Runtime

SQL = load(__file__)
MOST_KEYS = 100
"""Keys of one tenant that work at the same time: one a store and system is plenty."""

Row = dict[str, Any]


@dataclass(frozen=True)
class PosCaller:
    """A POS system that showed a key of its tenant; `name` is what the key was labelled with."""

    tenant_id: UUID
    crol: str
    key_id: str
    name: str

    def is_named(self, tenant: str) -> bool:
        """Tell whether a tenant's id or CROL, as a transaction has it, is this caller's."""
        return tenant == self.crol or tenant.lower() == str(self.tenant_id)


async def make_key(
    runtime: Runtime, act: Act, tenant_id: UUID, label: str, expires_at: datetime | None
) -> tuple[Key, Row]:
    """Make a key; gives it, for the only time, with its row. Raises Conflict where the tenant has too many."""
    async with runtime.pool.transaction() as connection:
        await _refuse_too_many(connection, tenant_id)
    key = new_key()
    await runtime.vault.store(key.secret_name, key.text)
    async with runtime.pool.transaction() as connection:
        row = await _save(connection, act, tenant_id, key, label, expires_at)
        await act.note(connection, "pos_key.made", tenant_id=tenant_id, subject=key.key_id, after=_shown(row))
    return key, row


async def rotate_key(
    runtime: Runtime, act: Act, tenant_id: UUID, key_id: str, overlap: timedelta
) -> tuple[Key, Row, Row]:
    """Make a key in place of another, which works on for a while; gives the new key, its row and the old one's.

    Raises NotFound, and Conflict for a key that works no more: make a new one then.
    """
    async with runtime.pool.transaction() as connection:
        await _living(connection, tenant_id, key_id)
    key = new_key()
    await runtime.vault.store(key.secret_name, key.text)
    async with runtime.pool.transaction() as connection:
        before = await _living(connection, tenant_id, key_id)
        words = {"key_id": key_id, "overlap": overlap}
        old = await (await connection.execute(SQL["end_key"], words)).fetchone()
        assert old is not None  # noqa: S101 - the row is locked
        row = await _save(connection, act, tenant_id, key, before["label"], None)
        after = {"old": _shown(old), "new": _shown(row)}
        what, was = "pos_key.rotated", _shown(before)
        await act.note(connection, what, tenant_id=tenant_id, subject=key_id, before=was, after=after)
    return key, row, old


async def revoke_key(connection: Connection, act: Act, tenant_id: UUID, key_id: str) -> Row:
    """End a key at once, for calls and signatures; gives its row. Raises NotFound. A second time changes nothing."""
    before = await _of_tenant(connection, tenant_id, key_id)
    if before["revoked_at"] is not None:
        return before
    row = await (await connection.execute(SQL["revoke_key"], {"key_id": key_id})).fetchone()
    assert row is not None  # noqa: S101 - the row is locked
    what, was = "pos_key.revoked", _shown(before)
    await act.note(connection, what, tenant_id=tenant_id, subject=key_id, before=was, after=_shown(row))
    return row


async def keys_of(connection: Connection, tenant_id: UUID, after: list[Any], limit: int) -> list[Row]:
    """Give a tenant's keys, revoked ones too, the oldest first; one more than `limit` where there are more."""
    words = {"tenant_id": tenant_id, "after_at": after[0], "after_id": after[1], "limit": limit + 1}
    return await (await connection.execute(SQL["keys_of_tenant"], words)).fetchall()


async def caller_of(runtime: Runtime, given: str | None) -> PosCaller:
    """Give whose key this is; raises KeyRefused, which says to a stranger only that the key is not valid."""
    if given is None:
        raise KeyRefused("no key was sent")
    key = read_key(given)
    if key is None:
        raise KeyRefused("the key is mistyped or not whole: its checksum does not fit")
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["find_key"], {"key_id": key.key_id})).fetchone()
        if not is_same(key, None if row is None else row["hash"]) or row is None:
            raise KeyRefused("the key is not valid")
        if row["revoked_at"] is not None:
            raise KeyRefused("the key was revoked")
        if row["is_over"]:
            raise KeyRefused("the key has expired")
        await note_use(connection, row)
    return PosCaller(row["tenant_id"], row["crol"], row["key_id"], row["label"])


async def note_use(connection: Connection, row: Row) -> None:
    """Note that a key was used, where that is a minute old."""
    if row["note_use"]:
        await connection.execute(SQL["note_use"], {"key_id": row["key_id"]})


async def _refuse_too_many(connection: Connection, tenant_id: UUID) -> None:
    row = await (await connection.execute(SQL["count_keys"], {"tenant_id": tenant_id})).fetchone()
    if row is not None and row["keys"] >= MOST_KEYS:
        raise Conflict(f"the tenant has {MOST_KEYS} keys that work: revoke one that nobody uses")


async def _of_tenant(connection: Connection, tenant_id: UUID, key_id: str) -> Row:
    words = {"tenant_id": tenant_id, "key_id": key_id}
    row = await (await connection.execute(SQL["key_of_tenant"], words)).fetchone()
    if row is None:
        raise NotFound(f'no key "{key_id}" in this tenant')
    return row


async def _living(connection: Connection, tenant_id: UUID, key_id: str) -> Row:
    row = await _of_tenant(connection, tenant_id, key_id)
    found = await (await connection.execute(SQL["find_key"], {"key_id": key_id})).fetchone()
    if row["revoked_at"] is not None or found is None or found["is_over"]:
        raise Conflict(f"the key {key_id} does not work any more: make a new one")
    return row


async def _save(
    connection: Connection, act: Act, tenant_id: UUID, key: Key, label: str, expires_at: datetime | None
) -> Row:
    words = {
        "key_id": key.key_id,
        "tenant_id": tenant_id,
        "label": label,
        "hash": key.hash,
        "made_by": act.caller.name,
        "expires_at": expires_at,
    }
    row = await (await connection.execute(SQL["save_key"], words)).fetchone()
    assert row is not None  # noqa: S101 - an insert without a conflict clause returns its row
    return row


def _shown(row: Row) -> dict[str, Any]:
    """Give what an act tells of a key: nothing of the key itself."""
    times = {name: row[name] and row[name].isoformat() for name in ("expires_at", "revoked_at")}
    return {"key_id": row["key_id"], "label": row["label"], **times}
