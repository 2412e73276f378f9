"""Finds what was done and what was called, newest first, within the tenants that the caller may see."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ocs.access.caller import Caller
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.db.wall import behind_the_wall
from ocs.runtime import Runtime
from ocs.web.paging import Page, decode, page_of

SQL = load(__file__)

Kind = Literal["all", "acts", "calls"]
ROWS_AT_ONCE = 500
NO_STATUS = 999
"""Outside all that HTTP knows: matches no reply, but a call without one where that is asked for."""
STATUS = re.compile(r"^(failed|no-reply|[1-5]xx|[1-5][0-9][0-9])$")

ACT_FIELDS = ("who_subject", "who_name", "what", "subject", "before", "after", "why", "way")
CALL_FIELDS = (
    "connection_id",
    "method",
    "url",
    "status",
    "error",
    "ms",
    "request_bytes",
    "request_sha256",
    "response_bytes",
    "response_sha256",
    "batch_id",
    "attempt_id",
)
COMMON_FIELDS = ("kind", "id", "at", "tenant_id", "store_id", "crsa", "correlation_id", "place", "hash")


@dataclass(frozen=True)
class Asked:
    """What is looked for; a condition that only acts have leaves calls out, and the other way round.

    Times are aware; `since` is in, `until` is out. `who` is a subject or a name, `what` an act (`store.paused`) or all
    acts of a noun (`store`), `status` an HTTP status (`404`), a class (`5xx`), `no-reply` or `failed`.
    """

    kind: Kind = "all"
    since: datetime | None = None
    until: datetime | None = None
    tenant_id: UUID | None = None
    store_id: UUID | None = None
    who: str | None = None
    what: str | None = None
    subject: str | None = None
    status: str | None = None
    correlation_id: str | None = None

    def words(self, caller: Caller) -> dict[str, Any]:
        """Give the queries' parameters; raises BadInput for a status that is none."""
        tenants = None if caller.tenants is None else sorted(caller.tenants)
        low, high, unanswered = _statuses(self.status)
        return {
            "kind": self._only,
            "since": self.since,
            "until": self.until,
            # One tenant by itself: its index gives the rows in order.
            "tenant_id": self.tenant_id or (tenants[0] if tenants is not None and len(tenants) == 1 else None),
            "tenants": tenants,
            "store_id": self.store_id,
            "who": self.who,
            "what": None if self.what is None else _pattern(self.what),
            "subject": self.subject,
            "low": low,
            "high": high,
            "unanswered": unanswered,
            "correlation_id": self.correlation_id,
        }

    @property
    def _only(self) -> str | None:
        """The one kind that can meet the conditions; None: either; the empty text: neither."""
        kinds = {"act", "call"} if self.kind == "all" else {self.kind.removesuffix("s")}
        if any(one is not None for one in (self.who, self.what, self.subject)):
            kinds.discard("call")
        if self.status is not None:
            kinds.discard("act")
        return None if len(kinds) > 1 else "".join(kinds)


async def search(
    connection: Connection, caller: Caller, asked: Asked, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """Give a page of acts and calls, newest first; what belongs to no tenant is for super admins only.

    Raises BadInput for a cursor or a status that is none.
    """
    after_at, after_id = decode(cursor, datetime, UUID)
    words = asked.words(caller) | {"after_at": after_at, "after_id": after_id, "most": limit + 1, "skip": 0}
    rows = await (await connection.execute(SQL["search"], words)).fetchall()
    return page_of([_row(row) for row in rows], limit, "at", "id")


async def finds_more_than(connection: Connection, caller: Caller, asked: Asked, rows: int) -> bool:
    """Tell whether a search finds more than so many rows; it looks at no more than those."""
    words = asked.words(caller) | {"after_at": None, "after_id": None, "most": 1, "skip": rows}
    return await (await connection.execute(SQL["search"], words)).fetchone() is not None


async def all_pages(runtime: Runtime, caller: Caller, asked: Asked) -> AsyncIterator[list[dict[str, Any]]]:
    """Give all that a search finds, a page at a time, each read in a transaction of its own.

    An answer that is streamed is read after its route has ended, so each page stands behind the wall by itself.
    """
    cursor: str | None = None
    while True:
        with behind_the_wall(None if caller.super_admin else caller.grants.keys()):
            async with runtime.pool.transaction() as connection:
                page = await search(connection, caller, asked, cursor=cursor, limit=ROWS_AT_ONCE)
        yield page["items"]
        cursor = page["next"]
        if cursor is None:
            return


def _row(row: dict[str, Any]) -> dict[str, Any]:
    own = ACT_FIELDS if row["kind"] == "act" else CALL_FIELDS
    shown = {name: row[name] for name in (*COMMON_FIELDS, *own)}
    return {name: bytes(one).hex() if isinstance(one, bytes | memoryview) else one for name, one in shown.items()}


def _pattern(what: str) -> str:
    """Give the LIKE pattern of an act's name, or of all acts of a noun."""
    literal = re.sub(r"([\\%_])", r"\\\1", what)
    return literal if "." in what else f"{literal}.%"


def _statuses(status: str | None) -> tuple[int | None, int | None, bool]:
    """Give the lowest and the highest status, and whether a call without a reply counts too."""
    if status is None:
        return None, None, False
    if not STATUS.match(status):
        raise bad_input("status", status, "a status such as 404, a class such as 5xx, no-reply, or failed")
    if status == "failed":
        return 400, NO_STATUS, True
    if status == "no-reply":
        return NO_STATUS, NO_STATUS, True
    if status.endswith("xx"):
        return int(status[0]) * 100, int(status[0]) * 100 + 99, False
    return int(status), int(status), False
