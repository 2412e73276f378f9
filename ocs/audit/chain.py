"""Looks whether a chain is whole: reckons each row's hash anew and names the first place where something is wrong.

What it finds: a row that was changed, removed or slipped in, at the end too, by whoever can get past the triggers. What
it cannot find by itself: a chain of which every hash was reckoned anew from some place on. So the retention logs the
chains' ends each day: the log is kept elsewhere, and an end that was logged must still be in the chain.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ocs.audit import content
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)

Chain = Literal["acts", "calls"]
ROWS = {"acts": SQL["acts_in_order"], "calls": SQL["calls_in_order"]}
STATE = {"acts": SQL["state_of_acts"], "calls": SQL["state_of_calls"]}
COLUMNS = {"acts": content.ACT, "calls": content.CALL}
ROWS_AT_ONCE = 1000
LOOKS = 3
"""How often it is begun anew because the retention cut the chain meanwhile."""


@dataclass(frozen=True)
class Broken:
    """The first place that is not as it was written; without an id where the row itself is not there."""

    place: int
    row_id: UUID | None
    what: str


@dataclass(frozen=True)
class Checkpoint:
    """Where the retention has cut the chain: the place of the last row that is gone, and how many are."""

    place: int
    gone: int
    at: datetime


@dataclass(frozen=True)
class Checked:
    """What a look at a chain found, from behind place `after` through `through`; `next` is where to go on."""

    chain: Chain
    rows: int
    after: int
    through: int
    first_broken: Broken | None
    checkpoint: Checkpoint
    end: int
    """The place of the newest link."""
    unlinked: int
    """Rows that wait for their link: calls of the last seconds."""
    next: int | None


async def verify(connection: Connection, chain: Chain, *, after: int = 0, most: int = 20_000) -> Checked:
    """Check a chain's rows behind a place, at most so many; a whole chain by going on at `next` until there is none.

    Raises BadInput for a place that the chain does not have yet.
    """
    for _ in range(LOOKS):
        state = await _state(connection, chain)
        if after > state["end"]:
            raise bad_input("after", after, f"a place of the chain: it ends at {state['end']}")
        checked = await _look(connection, chain, state, max(after, state["cut"]), most)
        if (await _state(connection, chain))["cut"] == state["cut"]:
            break  # else rows were retired under our eyes
    return checked


async def _state(connection: Connection, chain: Chain) -> dict[str, Any]:
    """Give the chain's end, its checkpoint and what lies beside it, all of one moment."""
    row = await (await connection.execute(STATE[chain])).fetchone()
    if row is None:
        raise LookupError(f"the chain {chain} has no end or no checkpoint: its row was removed")
    return row


async def _look(connection: Connection, chain: Chain, state: dict[str, Any], after: int, most: int) -> Checked:
    place, before, broken = await _start(connection, chain, state, after)
    rows = 0
    while broken is None and rows < most:
        words = {"after": place, "through": state["end"], "most": min(ROWS_AT_ONCE, most - rows)}
        found = await (await connection.execute(ROWS[chain], words)).fetchall()
        if not found:
            broken = _end(state, place, before)
            break
        good, broken = _follow(found, COLUMNS[chain], place, before)
        rows += good
        if good:
            place, before = found[good - 1]["place"], bytes(found[good - 1]["hash"])
    if broken is None and place >= state["end"]:
        broken = _end(state, place, before) or _beside(chain, state)
    more = broken is None and place < state["end"]
    checkpoint = Checkpoint(state["cut"], state["gone"], state["cut_at"])
    through = place if broken is None else broken.place
    return Checked(
        chain, rows, after, through, broken, checkpoint, state["end"], state["unlinked"], place if more else None
    )


async def _start(
    connection: Connection, chain: Chain, state: dict[str, Any], after: int
) -> tuple[int, bytes, Broken | None]:
    if after == state["cut"]:
        return after, bytes(state["cut_hash"]), None
    words = {"after": after - 1, "through": after, "most": 1}
    row = await (await connection.execute(ROWS[chain], words)).fetchone()
    if row is None:
        return after, b"", Broken(after, None, "no row is at this place")
    return after, bytes(row["hash"]), None


def _follow(
    rows: Sequence[dict[str, Any]], columns: Sequence[str], place: int, before: bytes
) -> tuple[int, Broken | None]:
    """Follow the links; gives how many rows are good, and what is wrong with the one behind them."""
    for good, row in enumerate(rows):
        place += 1
        if row["place"] != place:
            return good, Broken(place, None, f"the rows before place {row['place']} were removed")
        if content.content_hash(row, columns) != bytes(row["content_hash"]):
            return good, Broken(place, row[columns[0]], "the row's content was changed")
        link = content.link_hash(before, place, bytes(row["content_hash"]))
        if (bytes(row["previous_hash"] or b""), bytes(row["hash"])) != (before, link):
            return good, Broken(place, row[columns[0]], "the row's link does not follow from the row before it")
        before = link
    return len(rows), None


def _end(state: dict[str, Any], place: int, before: bytes) -> Broken | None:
    if place < state["end"]:
        return Broken(place + 1, None, f"the last rows, through place {state['end']}, were removed")
    if before != bytes(state["end_hash"]):
        return Broken(place, None, "the chain's end is not the newest row's hash")
    return None


def _beside(chain: Chain, state: dict[str, Any]) -> Broken | None:
    if state["beyond"]:
        return Broken(state["end"] + 1, None, "rows stand behind the chain's end: they were slipped in")
    if chain == "acts" and state["unlinked"]:
        return Broken(state["end"] + 1, None, "acts without a link: they were slipped in past the trigger")
    return None
