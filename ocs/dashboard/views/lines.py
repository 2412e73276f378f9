"""Event lines: the search, and one line with its whole story, why it is not sent yet, and how to mend it."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Query
from pydantic import ValidationError
from starlette.responses import Response

from ocs.bad_input import BadInput, bad_input, explain
from ocs.casework import admin as casework
from ocs.casework.correct import Correction
from ocs.casework.line import line
from ocs.casework.lines import Status, Wanted, history, stores_of
from ocs.dashboard.signs import OUTCOMES
from ocs.dashboard.visit import TheDeed, TheVisit, pages
from ocs.dashboard.words import ONTARIO, lasting, number, words
from ocs.db.pool import Connection
from ocs.tenants.models import TransactionType
from ocs.tenants.reach import store_in_reach
from ocs.web.paging import Cursor
from ocs.web.roles import Role, open_to

router = pages()


class Event(NamedTuple):
    """Something that happened to a line."""

    at: datetime
    text: str
    more: str


Asked = Annotated[str, Query(max_length=100)]
Given = Annotated[str, Form(max_length=200)]
AT_ONCE = 50
TOO_WIDE = "Name a store, or something to find, or both times: a status or a type alone is too much to look through."


def _correction(
    ocs_sku: Given = "", upc: Given = "", quantity: Given = "", unit_price: Given = "", reason: Given = ""
) -> Correction:
    """Read a correction; fields that are left empty stay as they are."""
    given = {"ocs_sku": ocs_sku, "upc": upc, "quantity": quantity, "unit_price": unit_price, "reason": reason}
    try:
        return Correction.model_validate({name: text.strip() for name, text in given.items() if text.strip()})
    except ValidationError as error:
        raise BadInput(explain(error)) from None


@router.get("/lines")
@open_to(Role.VIEWER)
async def search_lines(
    visit: TheVisit,
    store: Asked = "",
    find: Asked = "",
    status: Asked = "",
    type_: Annotated[str, Query(alias="type", max_length=100)] = "",
    since: Asked = "",
    until: Asked = "",
    cursor: Cursor = None,
) -> Response:
    """Find event lines: of a store by anything, of all stores by something that narrows."""
    asked = {"store": store, "find": find, "status": status, "type": type_, "since": since, "until": until}
    asked = {name: given.strip() for name, given in asked.items()}
    page: Mapping[str, Any] = {"items": [], "next": None}
    zone, said = ONTARIO, None
    async with visit.runtime.pool.transaction() as connection:
        if asked["store"]:
            found = await store_in_reach(connection, visit.caller, asked["store"])
            stores, zone = [found.store_id], found.time_zone
        else:
            stores = await stores_of(connection, visit.caller.tenants)
        wanted = await _wanted(connection, stores, asked, zone)
        if asked["store"] or wanted.narrows:
            page = await history(connection, stores, wanted, cursor=cursor, limit=AT_ONCE)
        elif any(asked.values()):
            said = TOO_WIDE
    return visit.page("lines.html", asked=asked, page=page, zone=zone, said=said)


@router.get("/stores/{store_id}/lines/{line_id}")
@open_to(Role.VIEWER)
async def show_line(store_id: str, line_id: UUID, visit: TheVisit) -> Response:
    """Show one line: why it is not sent yet, its revisions and every try to send it."""
    async with visit.runtime.pool.transaction() as connection:
        store = await store_in_reach(connection, visit.caller, store_id)
        shown = await line(connection, store, line_id)
    return visit.page("line.html", store=store, line=shown, newest=shown["revisions"][0], story=story(shown))


@router.post("/stores/{store_id}/lines/{line_id}/retry")
@open_to(Role.STAFF)
async def retry_line(store_id: str, line_id: UUID, deed: TheDeed) -> Response:
    """Send a parked line again as it is."""
    await casework.retry(casework.Retry(store_id=store_id, line_ids=[line_id]), deed.act, Response())
    return deed.back("retried", f"/stores/{store_id}/lines/{line_id}")


@router.post("/stores/{store_id}/lines/{line_id}/correct")
@open_to(Role.MANAGER)
async def correct_line(
    store_id: str,
    line_id: UUID,
    revision: Annotated[int, Form(ge=1)],
    correction: Annotated[Correction, Depends(_correction)],
    deed: TheDeed,
) -> Response:
    """Correct a line, and send it again."""
    await casework.correct_line(line_id, correction, deed.act, f'"{revision}"', store_id)
    return deed.back("corrected", f"/stores/{store_id}/lines/{line_id}")


def story(line: Mapping[str, Any]) -> list[Event]:
    """Tell what happened to a line, newest first: what was said of it, each try to send it, and what became of it."""
    events = [event for revision in line["revisions"] for event in _of_revision(revision)]
    events += [_of_attempt(attempt) for attempt in line["attempts"]]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _of_revision(one: Mapping[str, Any]) -> list[Event]:
    by = one["message"]["made_by"]
    who = f"corrected by {by}" if by else "said by the POS" if one["revision"] == 1 else "corrected by the POS"
    what = f"{number(one['quantity'])} eaches of {one['ocs_sku'] or one['pos_sku']}"
    told = Event(one["recorded_at"], f"Recorded, {who}: {what}.", one["message"]["made_why"] or "")
    if one["accepted_at"] is None:
        return [told]
    reference = f"Reference id {one['reference_id'] or 'not known'}"
    return [told, Event(one["accepted_at"], "Accepted by the OCS platform.", reference)]


def _of_attempt(one: Mapping[str, Any]) -> Event:
    status = "" if one["http_status"] is None else f" (HTTP {one['http_status']})"
    took = "" if one["seconds"] is None else f", {lasting(float(one['seconds']))}"
    many = "alone" if one["lines"] == 1 else f"with {one['lines'] - 1} others"
    outcome = OUTCOMES.get(one["outcome"], words(one["outcome"]))
    return Event(one["started_at"], f"Sent {many}{took}: {outcome}{status}.", one["message"] or "")


async def _wanted(connection: Connection, stores: list[UUID], asked: Mapping[str, str], zone: str) -> Wanted:
    """Read what was asked for; one field finds a line id, a transaction, a reference id or a SKU, in this order."""
    kind = _one_of("type", asked["type"], [one.value for one in TransactionType])
    words: dict[str, Any] = {
        "recorded_from": _instant("since", asked["since"], zone),
        "recorded_to": _instant("until", asked["until"], zone),
        "status": _one_of("status", asked["status"], get_args(Status)),
        "type": None if kind is None else TransactionType(kind),
    }
    find = asked["find"]
    if not find:
        return Wanted(**words)
    line_id = _as_id(find)
    ways: list[dict[str, Any]] = [{"line_id": line_id}] if line_id else []
    for way in (*ways, {"transaction_id": find}, {"reference_id": find}):
        wanted = Wanted(**words, **way)
        if (await history(connection, stores, wanted, limit=1))["items"]:
            return wanted
    return Wanted(**words, sku=find)


def _one_of(field: str, given: str, known: Collection[str]) -> str | None:
    if given and given not in known:
        raise bad_input(field, given, f"one of {', '.join(known)}")
    return given or None


def _instant(field: str, given: str, zone: str) -> datetime | None:
    """Read a time as a browser's field gives it: without an offset, so it is one of the store's own zone."""
    if not given:
        return None
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise bad_input(field, given, "a date and time such as 2026-11-20T10:00") from None
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


def _as_id(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None
