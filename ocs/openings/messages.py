"""Takes uploads from the queue `pos-inventories`."""

from typing import Any
from uuid import UUID

from ocs.access.caller import Caller
from ocs.bad_input import bad_input, quoted
from ocs.db.pool import Connection
from ocs.dead_letters.doors import Door, Message
from ocs.errors import NotFound
from ocs.message_text import decode
from ocs.openings.models import OpeningMessage
from ocs.openings.read import from_message
from ocs.openings.upload import Sender, take_upload
from ocs.pos.signatures import open_signed, require_signature
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.web.roles import Role

POS = "POS"
"""The name under which a message's upload is on record."""


EVERYWHERE = Caller(POS, POS, super_admin=True)
"""The queue is one for all tenants: a message says itself of which it is."""


async def take_message(runtime: Runtime, message: Message) -> dict[str, Any]:
    """Write the levels of a POS's message, all or none; gives the upload's answer. Raises BadInput.

    The same message twice, or one that a later one has overtaken, changes nothing.
    """
    opened = await open_signed(runtime, decode(message.body), message.inserted_at)
    opening, given = from_message(opened.text)

    async def find_store(connection: Connection) -> Store:
        store = await _store(connection, opening)
        await require_signature(connection, opened, store.tenant_id, message.inserted_at)
        return store

    message_id = opened.message_id or message.message_id
    sender = Sender("queue", POS, message_id, message.inserted_at, message.is_copy)
    return await take_upload(runtime, find_store, given, sender, dry_run=False, good_lines_only=False)


async def _store(connection: Connection, opening: OpeningMessage) -> Store:
    """Find the store within the tenant that the message names; nobody else's store is there for it."""
    try:
        tenant_id: UUID = await tenant_in_reach(connection, EVERYWHERE, opening.tenant_id)
        return await store_in_reach(connection, Caller(POS, POS, {tenant_id: Role.STAFF}), opening.store_id)
    except NotFound:
        expected = f"the id or CRSA of a store of tenant {quoted(opening.tenant_id)}; is it onboarded?"
        raise bad_input("store_id", opening.store_id, expected) from None


INVENTORIES = Door("pos-inventories", take_message)
