"""A queue as a door by which messages come in; what cannot be taken in becomes a dead letter and is tried again."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import psycopg
from opentelemetry.trace import Span, SpanKind
from structlog.contextvars import bound_contextvars

from ocs import telemetry
from ocs.alerts.causes import of_tenant
from ocs.alerts.open_close import open_scoped
from ocs.bad_input import BadInput
from ocs.clock import utc_now
from ocs.db.pool import again_when_the_database_drops
from ocs.dead_letters import letters
from ocs.dead_letters.addressee import addressed
from ocs.dead_letters.letters import Burial, Letter
from ocs.errors import Conflict
from ocs.message_text import decode
from ocs.pos.signatures import BadSignature
from ocs.runtime import Runtime

log = telemetry.logger("dead_letters")
AGAIN_LATER = 300
"""Seconds that a poison message rests when even burying it fails; the host would give it up after five tries."""


@dataclass(frozen=True)
class Message:
    """A message as the queue gave it; `inserted_at` is when its sender put it there (UTC)."""

    message_id: str
    body: bytes
    inserted_at: datetime
    is_copy: bool = False
    """Made by the host when it gave the message up: `inserted_at` is the copy's, not the sender's."""


class QueueMessage(Protocol):
    """A message as the Functions library hands it over."""

    @property
    def id(self) -> str | None:
        """The queue's own id of it."""

    @property
    def insertion_time(self) -> datetime | None:
        """When its sender put it there."""

    def get_body(self) -> bytes:
        """Give what the sender wrote."""


@dataclass(frozen=True)
class Door:
    """A queue and the verb that takes one of its messages in, which raises BadInput and then has written nothing."""

    queue: str
    take: Callable[[Runtime, Message], Awaitable[object]]

    @property
    def poison(self) -> str:
        """The queue to which the host moves what it gives up."""
        return f"{self.queue}-poison"


_DOORS: dict[str, Door] = {}


def register(*given: Door) -> None:
    """Hand doors in, so that their letters can be driven again by whoever names the queue; a queue has one door."""
    for door in given:
        if _DOORS.setdefault(door.queue, door) is not door:
            raise ValueError(f"there is a door of the queue {door.queue} already")


def door_of(queue: str) -> Door:
    """Give the door of a queue; raises Conflict for a letter whose queue nobody reads any more."""
    if queue not in _DOORS:
        raise Conflict(f'nothing takes in what came by the queue "{queue}": it can only be dismissed')
    return _DOORS[queue]


def received(message: QueueMessage) -> Message:
    """Read a message as the Functions library hands it over."""
    inserted = message.insertion_time or utc_now()
    if inserted.tzinfo is None:  # the Functions library drops an offset that it does not take for UTC; the host's is
        inserted = inserted.replace(tzinfo=UTC)
    return Message(str(message.id), message.get_body(), inserted)


async def receive(runtime: Runtime, door: Door, message: Message) -> None:
    """Take a message in; one that is wrong in itself is buried at once: trying it five times would not mend it."""
    with _traced(door, message) as span:
        try:
            await door.take(runtime, message)
        except BadInput as error:
            telemetry.failed(span, error)
            await _bury_bad(runtime, door, message, error)


@contextmanager
def _traced(door: Door, message: Message) -> Iterator[Span]:
    """Make a message's processing a span, and put its id on each line of the log.

    What a POS wrote is not in it. Storage queues give messages no headers, so its trace begins here, or in the host's.
    """
    attributes = {
        "messaging.system": "azure_storage_queues",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": door.queue,
        "messaging.message.id": message.message_id,
        "messaging.message.body.size": len(message.body),
    }
    with (
        bound_contextvars(message_id=message.message_id),
        telemetry.span(f"process {door.queue}", attributes, kind=SpanKind.CONSUMER) as span,
    ):
        yield span


@again_when_the_database_drops
async def _bury_bad(runtime: Runtime, door: Door, message: Message, error: BadInput) -> None:
    tenant_id = error.tenant_id if isinstance(error, BadSignature) else None
    burial = Burial(
        door.queue, message.message_id, _text(message), "message", str(error), message.inserted_at, tenant_id=tenant_id
    )
    async with runtime.pool.transaction() as connection:
        await letters.bury(connection, await addressed(connection, burial))
        if isinstance(error, BadSignature):
            words = f"A message on the queue {door.queue} was not taken in. {error}"
            await open_scoped(connection, of_tenant(tenant_id), "bad_signature", words)


async def bury_poison(runtime: Runtime, door: Door, poison: Message) -> None:
    """Bury what the host gave up on, to be driven again by itself: something of ours failed five times.

    While the database is out of reach the message is put back, hidden for a while and without an end: the host
    would give it up again after five tries, to a queue that nobody reads.
    """
    text = _text(poison)
    reason = "The message could not be taken in five times in a row, though nothing was found wrong with it."
    wait = letters.FIRST_WAIT
    burial = Burial(door.queue, poison.message_id, text, "ours", reason, poison.inserted_at, wait=wait)
    try:
        await runtime.pool.open()
        async with runtime.pool.transaction() as connection:
            await letters.bury(connection, await addressed(connection, burial))
    except psycopg.Error:
        log.exception("a poison message could not be buried: put back", message_id=poison.message_id)
        await runtime.queues.put(door.poison, text, hidden_seconds=AGAIN_LATER)


async def redrive_due(runtime: Runtime, door: Door) -> int:
    """Take in again what is due of the door's letters that are our own fault; gives how many were taken in."""
    async with runtime.pool.transaction() as connection:
        due = await letters.claim_due(connection, door.queue)
    taken = 0
    for letter in due:
        try:
            taken += await redrive(runtime, door, letter)
        except Exception:  # one letter must not keep the others; its own next try is set already
            log.exception("dead letter not taken in", letter_id=letter.letter_id)
    return taken


async def redrive(runtime: Runtime, door: Door, letter: Letter, *, by_hand: bool = False) -> bool:
    """Take a dead letter in again, as the same message; gives False when it stays, with the newest reason.

    `by_hand`: somebody has looked, so what it says may replace what is on record.
    """
    is_copy = letter.cause == "ours" and not by_hand
    message = Message(letter.message_id, letter.body.encode(), letter.inserted_at, is_copy)
    try:
        with _traced(door, message):
            await door.take(runtime, message)
    except BadInput as error:
        async with runtime.pool.transaction() as connection:
            await letters.keep(connection, letter.letter_id, "message", str(error), wait=None)
        return False
    async with runtime.pool.transaction() as connection:
        await letters.settle(connection, letter.letter_id)
    log.info("dead letter taken in", letter_id=letter.letter_id, waited=str(utc_now() - letter.inserted_at))
    return True


def _text(message: Message) -> str:
    """Give the body as text, whole: bytes that are not text are shown as escapes."""
    try:
        return decode(message.body)
    except BadInput:
        return message.body.decode("utf-8", errors="backslashreplace")
