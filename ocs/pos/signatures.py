"""Checks the signatures of messages that come by a queue, and keeps who must sign.

Whoever may put messages on a queue may put them there for any tenant; a signature proves from which tenant one comes.
A message that is signed is checked always, one that is not is refused where its tenant wants signatures. Replaying a
signed message is a repeat and nothing more, since its signature is its number.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ocs.bad_input import BadInput, FieldFault
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.pos.key_text import secret_name
from ocs.pos.keys import note_use
from ocs.pos.signed_text import SignedText, is_marked, read_signed
from ocs.runtime import Runtime
from ocs.tenants.read import as_id

SQL = load(__file__)
GRACE = timedelta(seconds=60)
"""From the wish to its effect: what this app is putting on a queue unsigned at that moment is there well before."""
FIELD = "the signature"


class BadSignature(BadInput):
    """A message's signature is missing or wrong; `tenant_id` is the tenant in whose name it came, if one is known."""

    def __init__(self, found: str, expected: str, tenant_id: UUID | None) -> None:
        """Keep the tenant beside the words."""
        super().__init__([FieldFault(FIELD, found, expected)])
        self.tenant_id = tenant_id


@dataclass(frozen=True)
class Opened:
    """A message without its signature's line.

    `signer` is the tenant whose key signed it, and `message_id` the number that the signature gives it; both are None
    of a message that is not signed.
    """

    text: str
    signer: UUID | None = None
    message_id: str | None = None


async def open_signed(runtime: Runtime, text: str, put_at: datetime) -> Opened:
    """Check a message's signature where it has one; raises BadSignature.

    `put_at` (UTC) is when it was put on its queue: a key counts that had not expired then. A revoked key never counts.
    Raises what the vault raises while that does not answer: nothing is known about the message then.
    """
    if not is_marked(text):
        return Opened(text)
    signed = read_signed(text)
    if signed is None:
        words = "`ocs-signed v1`, the key's id, a stamp and 64 hexadecimal digits in one line"
        raise await _refused(runtime, text.partition("\n")[2], "a line that is no signature", words, None)
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["find_key"], {"key_id": signed.key_id})).fetchone()
    if row is None or row["revoked_at"] is not None or not _worked(row, put_at):
        raise await _refused(runtime, signed.body, *_fault_of(signed, row), row["tenant_id"] if row else None)
    # Outside of any transaction: the vault may take seconds to answer, and connections are few.
    if not signed.is_signed_with(await runtime.vault.secret(secret_name(signed.key_id))):
        found = f"another one than the key {signed.key_id} makes of this message"
        words = "the HMAC-SHA256 of the stamp, a line feed and what follows the first line, with the whole key"
        raise await _refused(runtime, signed.body, found, words, row["tenant_id"])
    if row["note_use"]:
        async with runtime.pool.transaction() as connection:
            await note_use(connection, row)
    return Opened(signed.body, row["tenant_id"], signed.message_id)


async def require_signature(connection: Connection, opened: Opened, tenant_id: UUID, put_at: datetime) -> None:
    """Raise BadSignature unless the message's tenant signed it, or need not have; `put_at` as above."""
    if opened.signer == tenant_id:
        return
    if opened.signer is not None:
        raise BadSignature("one with the key of another tenant", "one with a key of the tenant it names", tenant_id)
    since = await required_from(connection, tenant_id)
    if since is not None and put_at >= since:
        raise BadSignature("none", "one: the tenant takes signed messages only", tenant_id)


async def required_from(connection: Connection, tenant_id: UUID) -> datetime | None:
    """Give from when on a tenant's messages must be signed (UTC); None: they need not be."""
    row = await (await connection.execute(SQL["required_from"], {"tenant_id": tenant_id})).fetchone()
    return None if row is None else row["required_from"]


async def set_required(connection: Connection, tenant_id: UUID, *, required: bool) -> datetime | None:
    """Say whether a tenant's messages must be signed; gives from when on. Signatures themselves are checked always."""
    if not required:
        await connection.execute(SQL["free_of_signatures"], {"tenant_id": tenant_id})
        return None
    words = {"tenant_id": tenant_id, "grace": GRACE}
    row = await (await connection.execute(SQL["require_signatures"], words)).fetchone()
    return None if row is None else row["required_from"]


def _worked(row: dict[str, Any], put_at: datetime) -> bool:
    return row["expires_at"] is None or put_at < row["expires_at"]


def _fault_of(signed: SignedText, row: dict[str, Any] | None) -> tuple[str, str]:
    if row is None:
        return f"the key {signed.key_id}, which nobody has", "one with a key of the tenant"
    if row["revoked_at"] is not None:
        return f"the key {signed.key_id}, which was revoked", "one with a key that works"
    return f"the key {signed.key_id}, which had expired when it was put on the queue", "one with a key that works"


async def _refused(runtime: Runtime, body: str, found: str, expected: str, signer: UUID | None) -> BadSignature:
    """Make the error, with the tenant that the message names, else the one whose key it is."""
    named = _named(body)
    if named is None:
        return BadSignature(found, expected, signer)
    words = {"named": named, "named_id": as_id(named)}
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["named_tenant"], words)).fetchone()
    return BadSignature(found, expected, signer if row is None else row["tenant_id"])


def _named(body: str) -> str | None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    named = message.get("tenant_id") if isinstance(message, dict) else None
    return named if isinstance(named, str) and "\x00" not in named else None
