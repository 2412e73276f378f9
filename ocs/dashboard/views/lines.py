"""Event lines: the search, and one line with its whole story, why it is not sent yet, and how to mend it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Form, Query
from starlette.responses import Response

from ocs.casework.lines import Status, Wanted, history, stores_of
from ocs.dashboard.visit import TheVisit, pages
from ocs.dashboard.words import ONTARIO
from ocs.tenants.models import TransactionType
from ocs.tenants.reach import store_in_reach
from ocs.web.paging import Cursor
from ocs.web.roles import Role, open_to

router = pages()
Asked = Annotated[str, Query(max_length=100)]
Given = Annotated[str, Form(max_length=200)]
AT_ONCE = 50


@router.get("/lines")
@open_to(Role.VIEWER)
async def search_lines(
    visit: TheVisit,
    store: Asked = "",
    find: Asked = "",
    status: Asked = "",
    type_: Annotated[str, Query(alias="type", max_length=100)] = "",
    from_: Annotated[str, Query(alias="from", max_length=40)] = "",
    to: Asked = "",
    cursor: Cursor = None,
) -> Response:
    """Find event lines: of a store by anything, of all stores by something that narrows."""
    asked = {"store": store.strip(), "find": find.strip(), "status": status, "type": type_, "from": from_, "to": to}
    page, zone, said = {"items": [], "next": None}, ONTARIO, None
    async with visit.runtime.pool.transaction() as connection:
        if asked["store"]:
            found = await store_in_reach(connection, visit.caller, asked["store"])
            stores, zone = [found.store_id], found.time_zone
        else:
            stores = await stores_of(connection, visit.caller.tenants)
        wanted = await _wanted(connection, stores, asked, zone)
        if asked["store"] or wanted.narrows:
            page = dict(await history(connection, stores, wanted, cursor=cursor, limit=AT_ONCE))
        elif any(asked.values()):
            said = "Name a store, or something to find, or both times: a status or type alone is too much to look through."
    return visit.page("lines.html", asked=asked, page=page, zone=zone, said=said)


async def _wanted(connection: Any, stores: list[UUID], asked: dict[str, str], zone: str) -> Wanted:
    """Read what was asked for. One field finds a line id, a transaction, a SKU or a reference id, whichever has it."""
    words: dict[str, Any] = {
        "recorded_from": _instant("from", asked["from"], zone),
        "recorded_to": _instant("to", asked["to"], zone),
        "status": _one_of("status", asked["status"], Status.__args__),  # type: ignore[attr-defined]
        "type": TransactionType(_one_of("type", asked["type"], list(TransactionType)) or "sale") if asked["type"] else None,
    }
    find = asked["find"]
    if not find:
        return Wanted(**words)
    line_id = _as_id(find)
    kinds = ({"line_id": line_id},) if line_id else ()
    for kind in (*kinds, {"transaction_id": find}, {"reference_id": find}):
        wanted = Wanted(**words, **kind)
        if (await history(connection, stores, wanted, limit=1))["items"]:
            return wanted
    return Wanted(**words, sku=find)
