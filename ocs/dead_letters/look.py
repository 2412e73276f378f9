"""What lies in the dead letters, as staff see it: a page of them, one whole, and its end when it is not wanted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic_core import PydanticSerializationError, to_json

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.dead_letters.addressee import parsed
from ocs.dead_letters.letters import Cause
from ocs.web.paging import Page, decode, page_of

SQL = load(__file__)
State = Literal["open", "redriven", "dismissed"]
BEGINNING = 200
"""Characters of a message that a list shows."""
NEWEST = (datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1))


@dataclass(frozen=True)
class Wanted:
    """Which letters are looked for; without tenants (None) those of all, and those of nobody."""

    tenant_ids: Collection[UUID] | None
    store_id: UUID | None = None
    state: State | None = "open"
    cause: Cause | None = None
    queue: str | None = None


async def page(connection: Connection, wanted: Wanted, *, cursor: str | None = None, limit: int = 50) -> Page:
    """Give a page of letters, those buried last first; raises BadInput for a cursor that no page gave."""
    after = decode(cursor, datetime, UUID) if cursor else NEWEST
    words = {
        "tenant_ids": None if wanted.tenant_ids is None else list(wanted.tenant_ids),
        "store_id": wanted.store_id,
        "state": wanted.state,
        "cause": wanted.cause,
        "queue": wanted.queue,
        "shown": BEGINNING,
        "after_at": after[0],
        "after_letter": after[1],
        "most": limit + 1,
    }
    rows = await (await connection.execute(SQL["letters"], words)).fetchall()
    return page_of(rows, limit, "buried_at", "letter_id")


async def whole(connection: Connection, letter_id: UUID) -> dict[str, Any] | None:
    """Give a letter with its whole content, and that as JSON where it is JSON; None where there is no such letter."""
    row = await (await connection.execute(SQL["letter"], {"letter_id": letter_id})).fetchone()
    return None if row is None else row | {"parsed": _that_can_be_sent(parsed(row["body"]))}


def _that_can_be_sent(content: Any) -> Any:
    """Give JSON that can be written again: not half a character, not hundreds of lists in each other; else None."""
    try:
        to_json(content)
    except (PydanticSerializationError, ValueError, RecursionError):
        return None
    return content


async def dismiss(connection: Connection, letter_id: UUID, by: str, why: str) -> bool:
    """End an open letter that is not wanted, with who says so and why; it is kept. Gives whether it was open."""
    words = {"letter_id": letter_id, "by": by, "why": why}
    return await (await connection.execute(SQL["dismiss_letter"], words)).fetchone() is not None
