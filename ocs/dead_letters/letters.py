"""Buries messages, finds those that are due again, and ends them.

`cause` says whose matter a letter is: "message", the sender's (it stays until a person acts), or "ours", when something
of ours failed (it is driven again by itself, with growing waits, and never given up).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from ocs import telemetry
from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)
log = telemetry.logger("dead_letters")

Cause = Literal["message", "ours"]
AT_A_TIME = 50
FIRST_WAIT = 60.0
"""Seconds to the first try by itself; each further wait is four times the one before …"""
LONGEST_WAIT = 6 * 3600.0
"""… up to this."""


@dataclass(frozen=True)
class Letter:
    """A message that lies in the dead letters; `inserted_at` is when its sender put it on the queue."""

    letter_id: UUID
    queue: str
    message_id: str
    body: str
    cause: Cause
    reason: str
    tries: int
    inserted_at: datetime


@dataclass(frozen=True)
class Burial:
    """What is kept of a message that could not be taken in; `wait` is the seconds to its next try, None for never."""

    queue: str
    message_id: str
    body: str
    cause: Cause
    reason: str
    inserted_at: datetime
    wait: float | None = None
    tenant_id: UUID | None = None
    store_id: UUID | None = None


async def bury(connection: Connection, burial: Burial) -> None:
    """Keep a message whole with its reason; burying it twice keeps it once."""
    words = {
        "queue": burial.queue,
        "message_id": burial.message_id,
        # Postgres keeps no NUL in text; shown as JSON writes it, nothing is lost to the reader.
        "body": burial.body.replace("\x00", "\\u0000"),
        "cause": burial.cause,
        "reason": burial.reason.replace("\x00", "\\u0000"),
        "inserted_at": burial.inserted_at,
        "wait": _interval(burial.wait),
        "tenant_id": burial.tenant_id,
        "store_id": burial.store_id,
    }
    row = await (await connection.execute(SQL["bury"], words)).fetchone()
    if row is not None:
        log.error(
            "dead letter",
            letter_id=row["letter_id"],
            queue=burial.queue,
            message_id=burial.message_id,
            cause=burial.cause,
            reason=burial.reason,
        )


async def claim_due(connection: Connection, queue: str) -> list[Letter]:
    """Take a queue's letters whose time has come; should this try fail or die, the next one comes by itself."""
    words = {"queue": queue, "first": FIRST_WAIT, "longest": LONGEST_WAIT, "most": AT_A_TIME}
    rows = await (await connection.execute(SQL["claim_due"], words)).fetchall()
    return [Letter(**row) for row in rows]


async def find(connection: Connection, letter_id: UUID) -> Letter | None:
    """Give an open letter, or None."""
    row = await (await connection.execute(SQL["find_letter"], {"letter_id": letter_id})).fetchone()
    return None if row is None else Letter(**row)


async def settle(connection: Connection, letter_id: UUID) -> None:
    """End a letter that was taken in after all."""
    await connection.execute(SQL["settle_letter"], {"letter_id": letter_id})


async def keep(connection: Connection, letter_id: UUID, cause: Cause, reason: str, wait: float | None) -> None:
    """Leave a letter open with the newest reason."""
    words = {"letter_id": letter_id, "cause": cause, "reason": reason, "wait": _interval(wait)}
    await connection.execute(SQL["keep_letter"], words)


async def open_letters(connection: Connection, most: int = 200) -> list[dict[str, Any]]:
    """Give the open letters, oldest first."""
    return await (await connection.execute(SQL["open_letters"], {"most": most})).fetchall()


def _interval(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
