"""One event line as a whole: its revisions, the messages that brought them, every try to send it, and why it waits."""

from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from ocs.casework.lines import Status, Warned, warned
from ocs.casework.why import LineFacts, StreamFacts, Why, why
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Conflict, NotFound
from ocs.tenants.models import Store

SQL = load(__file__)
MOST_REVISIONS = 100
MOST_ATTEMPTS = 200
"""The newest ones are shown; a line that the platform fails on for months has more tries than anybody reads."""


class FixShown(BaseModel):
    """What would mend it: the act, in words, the route that does it, and until when to wait."""

    action: str
    says: str
    route: str | None
    until: AwareDatetime | None


class WhyShown(BaseModel):
    """Why a line is not sent yet, or that it is."""

    cause: str
    says: str
    fix: FixShown


class MessageShown(BaseModel):
    """The message of the POS, or of staff, that brought a revision: when it was queued, and what it came to."""

    message_id: str
    inserted_at: AwareDatetime
    lines_new: int
    lines_corrected: int
    lines_unchanged: int
    made_by: str | None
    """Who corrected the line by hand; null: the POS said it."""
    made_why: str | None


class RevisionShown(BaseModel):
    """One revision; quantity in eaches with the ledger's sign, money in Canadian dollars, times in UTC."""

    revision: int
    sequence: int
    transaction_id: str
    transaction_type: str
    ocs_type: str
    wire_sign: str
    pos_sku: str | None
    ocs_sku: str | None
    upc: str
    quantity: Decimal
    unit_cost: Decimal | None
    value: Decimal
    unit_price: Decimal | None
    counterparty_crsa: str
    reason: str
    occurred_at: AwareDatetime
    effective_at: AwareDatetime
    process_on: str | None
    recorded_at: AwareDatetime
    accepted_at: AwareDatetime | None
    status: Status
    reference_id: str | None
    warnings: list[Warned]
    parked_cause: str | None
    parked_reason: str | None
    message: MessageShown


class AttemptShown(BaseModel):
    """One try to send a revision, in its batch: how it ended, and what the platform said."""

    revision: int
    attempt_id: int
    batch_id: int
    lines: int
    started_at: AwareDatetime
    finished_at: AwareDatetime | None
    seconds: Decimal | None
    outcome: str
    counted: bool
    http_status: int | None
    reference_id: str | None
    message: str | None


class LineShown(BaseModel):
    """A line with all its revisions and tries, the newest first, and the answer to "why is this not sent yet?"."""

    store_id: UUID
    crsa: str
    line_id: UUID
    revision: int
    """Of the newest revision: what `If-Match` of a correction names."""
    status: Status
    why: WhyShown
    revisions: list[RevisionShown]
    attempts: list[AttemptShown]


_OF_MESSAGE = ("message_id", "inserted_at", "lines_new", "lines_corrected", "lines_unchanged", "made_by", "made_why")


async def line(connection: Connection, store: Store, line_id: UUID) -> dict[str, Any]:
    """Give a store's line as `LineShown` has it; raises NotFound."""
    words: dict[str, Any] = {"store_id": store.store_id, "line_id": line_id}
    rows = await (await connection.execute(SQL["revisions_of_line"], words | {"most": MOST_REVISIONS})).fetchall()
    if not rows:
        raise NotFound(f"no line {line_id} in store {store.crsa}")
    revision_of = {row["sequence"]: row["revision"] for row in rows}
    words |= {"sequences": list(revision_of), "most": MOST_ATTEMPTS}
    attempts = await (await connection.execute(SQL["attempts_of_line"], words)).fetchall()
    answer = await why_of(connection, store, line_id)
    return {
        "store_id": store.store_id,
        "crsa": store.crsa,
        "line_id": line_id,
        "revision": rows[0]["revision"],
        "status": rows[0]["status"],
        "why": asdict(answer),
        "revisions": [_revision(row) for row in rows],
        "attempts": [row | {"revision": revision_of[row["sequence"]]} for row in attempts],
    }


async def why_of(connection: Connection, store: Store, line_id: UUID) -> Why:
    """Answer why a line's newest revision is not sent yet; raises NotFound."""
    words = {"store_id": store.store_id, "line_id": line_id}
    row = await (await connection.execute(SQL["facts_of_line"], words)).fetchone()
    if row is None:
        raise NotFound(f"no line {line_id} in store {store.crsa}")
    return answer(row)


async def find_line(connection: Connection, store_ids: list[UUID], line_id: UUID) -> UUID:
    """Give the one of some stores in which a line is; raises NotFound, and Conflict where it is in several."""
    words = {"store_ids": store_ids, "line_id": line_id}
    rows = await (await connection.execute(SQL["line_in_view"], words)).fetchall()
    if not rows:
        raise NotFound(f"no line {line_id}")
    if len(rows) > 1:
        raise Conflict(f"the line {line_id} is in {len(rows)} stores: name the store too, as ?store=CRSA…")
    store_id: UUID = rows[0]["store_id"]
    return store_id


def answer(row: dict[str, Any]) -> Why:
    """Answer for a row of facts about a line and its store's stream, with the routes' places filled in."""
    facts = LineFacts(
        state=row["state"],
        parked_cause=row["parked_cause"],
        parked_reason=row["parked_reason"],
        pos_sku=row["pos_sku"],
        goes_first=row["goes_first"],
        reference_id=row["reference_id"],
    )
    told = why(facts, stream_facts(row))
    places = {"{tenant}": row["crol"], "{pos_sku}": row["pos_sku"] or "", "{line_id}": str(row["line_id"])}
    route = told.fix.route
    for place, value in places.items():
        route = route and route.replace(place, quote(value, safe=""))
    return replace(told, fix=replace(told.fix, route=route))


def stream_facts(row: dict[str, Any]) -> StreamFacts:
    """Read how a store's stream stands from a row of facts."""
    return StreamFacts(
        now=row["now"],
        switched_on=row["switched_on"],
        paused_through=row["paused_through"],
        paused_why=f"{row['paused_by']} paused it: {row['paused_why']}" if row["paused_through"] else None,
        anchored=row["anchored"],
        hold_until=row["hold_until"],
        hold_cause=row["hold_cause"],
        due_at=row["due_at"],
        is_due=row["is_due"],
        wait_cause=row["wait_cause"],
        lease_until=row["lease_until"],
        has_free_slot=row["has_free_slot"],
        said=row["said"],
    )


def _revision(row: dict[str, Any]) -> dict[str, Any]:
    message = {name: row[name] for name in _OF_MESSAGE}
    process_on = None if row["process_on"] is None else row["process_on"].isoformat()
    return row | {"message": message, "process_on": process_on, "warnings": warned(row["warnings"])}
