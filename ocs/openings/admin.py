"""The HTTP side of openings: staff upload what a store holds, and read what it held at any instant."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, Field

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.levels.at import levels_at
from ocs.openings.compare import as_text
from ocs.openings.models import Given, Rest
from ocs.openings.plan import total
from ocs.openings.read import CSV_TYPE, JSON_TYPE, from_csv, from_json
from ocs.openings.upload import Sender, take_upload
from ocs.spreadsheet.text import LARGEST_FILE
from ocs.tenants.models import Store
from ocs.tenants.reach import store_in_reach
from ocs.web.problems import problem
from ocs.web.roles import Role, open_to

SQL = load(__file__)
router = APIRouter(prefix="/api/ocs", tags=["inventory"])
NEWEST = 2**63 - 1
"""Above every upload's number."""


@router.put("/stores/{store}/inventory")
@open_to(Role.MANAGER)
async def put_inventory(
    store: str,
    request: Request,
    act: TheAct,
    as_of: Annotated[AwareDatetime | None, Query(description="Where the body has none: a CSV file")] = None,
    rest: Annotated[Rest | None, Query(description="What becomes of items that the upload does not name")] = None,
    dry_run: Annotated[bool, Query(description="Say what it would do, and write nothing")] = False,
    good_lines_only: Annotated[bool, Query(description="Leave wrong lines out instead of refusing all")] = False,
) -> Response:
    """Say what a store held at an instant, as JSON or CSV; what happened at or after that instant comes on top.

    Answers with the change of each item, the same in a dry run. 422 names every wrong line and field, and then nothing
    is written. The same upload again changes nothing.
    """
    content = await request.body()
    if len(content) > LARGEST_FILE:
        fix = "Send it in several parts, with rest=keep"
        return problem(413, f"The body has {len(content)} bytes, at most {LARGEST_FILE} are taken", fix)
    given = _given(request.headers, content, as_of, rest)

    async def find_store(connection: Connection) -> Store:
        return await store_in_reach(connection, act.caller, store)

    own = await runtime.current()
    sender = Sender("http", act.caller.name, act=act)
    return JSONResponse(
        await take_upload(own, find_store, given, sender, dry_run=dry_run, good_lines_only=good_lines_only)
    )


@router.get("/stores/{store}/inventory")
@open_to(Role.VIEWER)
async def get_inventory(store: str, caller: TheCaller, at: AwareDatetime | None = None) -> dict[str, Any]:
    """Give what a store held just before an instant, now where none is given, item by item with totals.

    Quantities in eaches and values at cost in Canadian dollars, as strings. `opened_at` is the first count's instant;
    without one, levels are only what the events since the store was onboarded add up to.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await store_in_reach(connection, caller, store)
        instant = at or own.now()
        levels = await levels_at(connection, found.store_id, instant)
        opened = await (await connection.execute(SQL["opened_at"], {"store_id": found.store_id})).fetchone()
    return {
        "store": found.crsa,
        "at": instant.isoformat(),
        "opened_at": None if opened is None else opened["opened_at"],
        "items": [
            {"ocs_sku": ocs_sku, "upc": upc} | as_text(level) | {"average_cost": _text(level.average_cost)}
            for (ocs_sku, upc), level in sorted(levels.items())
        ],
        "totals": {"items": len(levels)} | as_text(total(levels.values())),
    }


@router.get("/stores/{store}/inventory/uploads")
@open_to(Role.VIEWER)
async def list_uploads(
    store: str,
    caller: TheCaller,
    before: Annotated[int, Field(ge=1, le=NEWEST), Query(description="`next` of the page before")] = NEWEST,
    limit: Annotated[int, Field(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Give a store's uploads, newest first; `next` is the `before` of the next page, null at the end."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await store_in_reach(connection, caller, store)
        words = {"store_id": found.store_id, "before": before, "most": limit}
        rows = await (await connection.execute(SQL["uploads"], words)).fetchall()
    return {
        "uploads": [row | {"quantity": _text(row["quantity"]), "value": _text(row["value"])} for row in rows],
        "next": rows[-1]["upload_id"] if len(rows) == limit else None,
    }


@router.get("/stores/{store}/inventory/uploads/{upload_id}")
@open_to(Role.VIEWER)
async def get_upload(
    store: str, upload_id: Annotated[int, Field(ge=1, le=NEWEST)], caller: TheCaller
) -> dict[str, Any]:
    """Give one upload: the content as it was given, and each item as it was written."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await store_in_reach(connection, caller, store)
        words = {"store_id": found.store_id, "upload_id": upload_id}
        row = await (await connection.execute(SQL["upload"], words)).fetchone()
    if row is None:
        raise NotFound(f"no upload {upload_id} of store {found.crsa}")
    columns = (row.pop("ocs_skus"), row.pop("upcs"), row.pop("quantities"), row.pop("amounts"))
    items = [
        {"ocs_sku": ocs_sku, "upc": upc, "quantity": _text(quantity), "value": _text(value)}
        for ocs_sku, upc, quantity, value in zip(*columns, strict=True)
    ]
    return row | {"content": row["content"].decode("utf-8", errors="backslashreplace"), "items": items}


def _given(headers: Mapping[str, str], content: bytes, as_of: datetime | None, rest: Rest | None) -> Given:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == CSV_TYPE:
        return from_csv(content, as_of, rest)
    if kind == JSON_TYPE:
        return from_json(content, as_of, rest)
    raise bad_input("Content-Type", kind, f"{JSON_TYPE} or {CSV_TYPE}")


def _text(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
