"""What is recorded and not settled, oldest first, each line with why, and how many lines there are for each cause."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from ocs.casework.line import WhyShown, answer, stream_facts
from ocs.casework.lines import EARLIEST, LineRow, shown
from ocs.casework.why import PARKED, Cause, StreamFacts, why_it_waits
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.web.paging import Page, decode, page_of

SQL = load(__file__)
BEFORE_ALL = (EARLIEST, UUID(int=0), 0)


class WaitingRow(LineRow):
    """A line that waits, since when (UTC), and why."""

    received_at: AwareDatetime
    why: WhyShown


class WaitingPage(BaseModel):
    """A page of lines that wait, oldest first, and how many there are in all for each cause."""

    items: list[WaitingRow]
    next: str | None
    counts: dict[str, int]


async def pending(
    connection: Connection,
    store_ids: Sequence[UUID],
    cause: Cause | None = None,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """Give a page of what is pending or parked in stores, with counts by cause; raises BadInput for a wrong cursor.

    The counts are of all causes, whichever one the page is of. What is not parked waits for its store: the cause is the
    same for all of a store's lines, so it is worked out once a store.
    """
    counted = await (await connection.execute(SQL["counts_of_unsettled"], {"store_ids": list(store_ids)})).fetchall()
    waiting = {row["store_id"] for row in counted}
    rows = await (await connection.execute(SQL["streams_of_stores"], {"store_ids": list(waiting)})).fetchall()
    streams = {row["store_id"]: row for row in rows}
    causes = {
        store_id: {frozen: _cause(stream_facts(row), frozen=frozen) for frozen in (False, True)}
        for store_id, row in streams.items()
    }
    counts: Counter[str] = Counter()
    for row in counted:
        counts[_counted_as(row, causes)] += row["lines"]
    words = _which(cause, causes) | {"store_ids": sorted(waiting), "most": limit + 1}
    page = await _page(connection, words, cursor, limit)
    items = [row | {"why": asdict(answer(_facts(row, streams[row["store_id"]])))} for row in page["items"]]
    return {"items": items, "next": page["next"], "counts": dict(counts)}


async def _page(connection: Connection, words: dict[str, Any], cursor: str | None, limit: int) -> Page:
    after = decode(cursor, datetime, UUID, int) if cursor else BEFORE_ALL
    words |= {"after_at": after[0], "after_store": after[1], "after_sequence": after[2]}
    keys = await (await connection.execute(SQL["keys_of_waiting"], words)).fetchall()
    return page_of(await shown(connection, keys), limit, "received_at", "store_id", "sequence")


def _which(cause: Cause | None, causes: Mapping[UUID, Mapping[bool, Cause]]) -> dict[str, Any]:
    """Say in the query's words which lines have the cause: parked ones by their own, others by their store."""

    def stores(*, frozen: bool) -> list[UUID]:
        return [store_id for store_id, of_state in causes.items() if cause in (None, of_state[frozen])]

    return {
        "known_causes": [one.value for one in PARKED],
        "parked_causes": [one.value for one in PARKED if cause in (None, one)],
        "stores_of_pending": stores(frozen=False),
        "stores_of_frozen": stores(frozen=True),
    }


def _cause(stream: StreamFacts, *, frozen: bool) -> Cause:
    return why_it_waits(stream, frozen=frozen, goes_first=frozen).cause


def _counted_as(row: dict[str, Any], causes: Mapping[UUID, Mapping[bool, Cause]]) -> str:
    if row["state"] == "parked":
        return row["parked_cause"] if row["parked_cause"] in set(PARKED) else Cause.PARKED.value
    return causes[row["store_id"]][row["state"] == "frozen"].value


def _facts(row: dict[str, Any], stream: dict[str, Any]) -> dict[str, Any]:
    return row | stream | {"state": row["status"], "goes_first": row["status"] == "frozen"}
