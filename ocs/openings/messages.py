"""Takes uploads from the queue; what becomes of a message that cannot be taken: a dead letter, and its next try."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from ocs import telemetry
from ocs.bad_input import BadInput, bad_input, quoted
from ocs.clock import utc_now
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.dead_letters import letters
from ocs.dead_letters.letters import Burial, Letter
from ocs.errors import NotFound
from ocs.message_text import decode
from ocs.openings.models import OpeningMessage
from ocs.openings.read import from_message
from ocs.openings.upload import Sender, take_upload
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.web.caller import Caller

log = telemetry.logger("openings")
QUEUE = "pos-inventories"
POISON = "pos-inventories-poison"
AGAIN_LATER = 300
"""Seconds that a poison message rests when even burying it fails; the host would give it up after five tries."""
POS = "POS"
"""The name under which a message's upload is on record."""


@dataclass(frozen=True)
class Message:
    """A message as the queue gave it; `inserted_at` is when its sender put it there (UTC)."""

    message_id: str
    body: bytes
    inserted_at: datetime
    is_copy: bool = False
    """Made by the host when it gave the message up: `inserted_at` is the copy's, not the sender's."""


async def take_message(runtime: Runtime, message: Message) -> dict[str, Any]:
    """Write the levels of a POS's message, all or none; gives the upload's answer. Raises BadInput.

    The same message twice, or one that a later one has overtaken, changes nothing.
    """
    opening, given = from_message(decode(message.body))

    async def find_store(connection: Connection) -> Store:
        return await _store(connection, opening)

    sender = Sender("queue", POS, message.message_id, message.inserted_at, message.is_copy)
    return await take_upload(runtime, find_store, given, sender, dry_run=False, good_lines_only=False)


async def _store(connection: Connection, opening: OpeningMessage) -> Store:
    """Find the store within the tenant that the message names; nobody else's store is there for it."""
    try:
        tenant_id: UUID = await tenant_in_reach(connection, Caller(POS), opening.tenant_id)
        return await store_in_reach(connection, Caller(POS, frozenset({tenant_id})), opening.store_id)
    except NotFound:
        expected = f"the id or CRSA of a store of tenant {quoted(opening.tenant_id)}; is it onboarded?"
        raise bad_input("store_id", opening.store_id, expected) from None


@again_when_the_database_drops
async def bury_bad(runtime: Runtime, message: Message, error: BadInput) -> None:
    """Bury a message that is wrong in itself, at once: trying it five times would not mend it."""
    burial = Burial(QUEUE, message.message_id, _text(message), "message", str(error), message.inserted_at)
    async with runtime.pool.transaction() as connection:
        await letters.bury(connection, burial)


async def bury_poison(runtime: Runtime, poison: Message) -> None:
    """Bury what the host gave up on, to be driven again by itself: something of ours failed five times.

    While the database is out of reach the message is put back, hidden for a while and without an end: the host
    would give it up again after five tries, to a queue that nobody reads.
    """
    text = _text(poison)
    reason = "The message could not be taken in five times in a row, though nothing was found wrong with it."
    wait = letters.FIRST_WAIT
    burial = Burial(QUEUE, poison.message_id, text, "ours", reason, poison.inserted_at, wait=wait)
    try:
        await runtime.pool.open()
        async with runtime.pool.transaction() as connection:
            await letters.bury(connection, burial)
    except psycopg.Error:
        log.exception("a poison message could not be buried: put back", message_id=poison.message_id)
        await runtime.queues.put(POISON, text, hidden_seconds=AGAIN_LATER)


async def redrive_due(runtime: Runtime) -> int:
    """Take again what is due of the dead letters that are our own fault; gives how many were taken."""
    async with runtime.pool.transaction() as connection:
        due = await letters.claim_due(connection, QUEUE)
    taken = 0
    for letter in due:
        try:
            taken += await redrive(runtime, letter) is not None
        except Exception:  # one letter must not keep the others; its own next try is set already
            log.exception("dead letter not taken in", letter_id=letter.letter_id)
    return taken


async def redrive(runtime: Runtime, letter: Letter, *, by_hand: bool = False) -> dict[str, Any] | None:
    """Take a dead letter again, as the same message; None when it stays, with the newest reason.

    `by_hand`: somebody has looked, so what it says may replace what is on record of the same instant.
    """
    is_copy = letter.cause == "ours" and not by_hand
    message = Message(letter.message_id, letter.body.encode(), letter.inserted_at, is_copy)
    try:
        taken = await take_message(runtime, message)
    except BadInput as error:
        async with runtime.pool.transaction() as connection:
            await letters.keep(connection, letter.letter_id, "message", str(error), wait=None)
        return None
    async with runtime.pool.transaction() as connection:
        await letters.settle(connection, letter.letter_id)
    log.info("dead letter taken in", letter_id=letter.letter_id, waited=str(utc_now() - letter.inserted_at))
    return taken


def _text(message: Message) -> str:
    """Give the body as text, whole: bytes that are not text are shown as escapes."""
    try:
        return decode(message.body)
    except BadInput:
        return message.body.decode("utf-8", errors="backslashreplace")
