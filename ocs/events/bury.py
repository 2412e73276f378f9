"""What becomes of a message that cannot be taken in: a dead letter, and its next try."""

import psycopg

from ocs import telemetry
from ocs.bad_input import BadInput
from ocs.clock import utc_now
from ocs.db.pool import again_when_the_database_drops
from ocs.dead_letters import letters
from ocs.dead_letters.letters import Burial, Letter
from ocs.delivery.sender import ring
from ocs.events.ingest import Message, Taken, ingest
from ocs.message_text import decode
from ocs.runtime import Runtime

log = telemetry.logger("events")
QUEUE = "pos-transactions"
POISON = "pos-transactions-poison"
AGAIN_LATER = 300
"""Seconds that a poison message rests when even burying it fails; the host would give it up after five tries."""


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
    """Take in again what is due of the dead letters that are our own fault; gives how many were taken in."""
    async with runtime.pool.transaction() as connection:
        due = await letters.claim_due(connection, QUEUE)
    taken = 0
    for letter in due:
        try:
            taken += await redrive(runtime, letter) is not None
        except Exception:  # one letter must not keep the others; its own next try is set already
            log.exception("dead letter not taken in", letter_id=letter.letter_id)
    return taken


async def redrive(runtime: Runtime, letter: Letter, *, by_hand: bool = False) -> Taken | None:
    """Take a dead letter in again, as the same message; None when it stays, with the newest reason.

    `by_hand`: somebody has looked, so what it says may replace what is on record of its lines.
    """
    is_copy = letter.cause == "ours" and not by_hand
    message = Message(letter.message_id, letter.body.encode(), letter.inserted_at, is_copy)
    try:
        taken = await ingest(runtime, message)
    except BadInput as error:
        async with runtime.pool.transaction() as connection:
            await letters.keep(connection, letter.letter_id, "message", str(error), wait=None)
        return None
    async with runtime.pool.transaction() as connection:
        await letters.settle(connection, letter.letter_id)
    await ring(runtime, taken.store_id)
    log.info("dead letter taken in", letter_id=letter.letter_id, waited=str(utc_now() - letter.inserted_at))
    return taken


def _text(message: Message) -> str:
    """Give the body as text, whole: bytes that are not text are shown as escapes."""
    try:
        return decode(message.body)
    except BadInput:
        return message.body.decode("utf-8", errors="backslashreplace")
