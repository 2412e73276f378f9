"""The staff's routes to shipments: read notices now, list and show shipments, receive them, settle differences.

Quantities are eaches and amounts Canadian dollars, as strings.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Response

from ocs import runtime
from ocs.access.caller import Caller, TheCaller
from ocs.audit.acts import TheAct
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Conflict, NotFound
from ocs.shipping import differences, fetch
from ocs.shipping.models import Elsewhere, FetchAsked, Receive, Reference, Resolve
from ocs.shipping.notice.lines import WARNINGS
from ocs.shipping.put import put_receipts
from ocs.shipping.receive import newest_receipt, receive, receive_elsewhere
from ocs.tenants.models import Store
from ocs.tenants.reach import row_in_reach, store_in_reach
from ocs.web.roles import Role, open_to

SQL = load(__file__)
router = APIRouter(prefix="/api/ocs", tags=["shipping"])
State = Literal["expected", "received", "reconciled"]
ErrorId = Annotated[int, Path(ge=1, le=2**63 - 1)]
AfterError = Annotated[int, Query(ge=0, le=2**63 - 1, description="The `after` of the page before")]
AtOnce = Annotated[int, Query(ge=1, le=500)]
MOST_CHANGES = 1000


@router.post("/asn/fetch", status_code=202)
@open_to(Role.STAFF)
async def start_fetch(asked: FetchAsked, act: TheAct) -> dict[str, Any]:
    """Have a store's shipping notices read now; ask how it goes with the id. A second click gives the same reading."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        fetch_id = await fetch.ask(connection, store, asked.from_, asked.to, act.caller.name, own.now())
        window = {"from": str(asked.from_), "to": str(asked.to)}
        await act.note_of(connection, store, "shipping_notices.asked", subject=store.crsa, after=window)
        return await _fetch(connection, act.caller, fetch_id)


@router.get("/asn/fetches/{fetch_id}")
@open_to(Role.VIEWER)
async def get_fetch(fetch_id: UUID, caller: TheCaller) -> dict[str, Any]:
    """Give how a reading goes: its window, state, tries, what the platform said, and what it brought."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await _fetch(connection, caller, fetch_id)


@router.get("/stores/{store}/shipments")
@open_to(Role.VIEWER)
async def list_shipments(
    store: Reference,
    caller: TheCaller,
    state: State | None = None,
    after: Annotated[Reference | None, Query(description="The `after` of the page before")] = None,
    limit: AtOnce = 50,
) -> dict[str, Any]:
    """List a store's shipments, the newest first, with their lines and eaches in the newest notice."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await store_in_reach(connection, caller, store)
        words = {"store_id": found.store_id, "state": state, "after": after, "most": limit}
        rows = await (await connection.execute(SQL["shipments_of_store"], words)).fetchall()
    last = rows[-1]["shipment_id"] if len(rows) == limit else None
    return {"shipments": [_shown(row) for row in rows], "after": last}


@router.get("/asn/receiving-errors")
@open_to(Role.VIEWER)
async def list_receiving_errors(
    store_id: Annotated[Reference, Query()],
    caller: TheCaller,
    still_open: Annotated[bool | None, Query(alias="open")] = None,
    after: AfterError = 0,
    limit: AtOnce = 50,
) -> dict[str, Any]:
    """List a store's differences between what was shipped and received, oldest first; `open` picks open or settled."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, caller, store_id)
        rows = await differences.list_errors(connection, store.store_id, after, limit, still_open=still_open)
    last = rows[-1]["error_id"] if len(rows) == limit else None
    return {"receiving_errors": [_shown(row) for row in rows], "after": last}


@router.post("/asn/receiving-errors/{error_id}/resolve")
@open_to(Role.MANAGER)
async def resolve_receiving_error(error_id: ErrorId, asked: Resolve, act: TheAct) -> dict[str, Any]:
    """Note how a difference was settled; the counts stay as they are."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await differences.resolve(connection, act, error_id, asked.how)


@router.get("/asn/{asn_number}")
@open_to(Role.VIEWER)
async def get_shipment(
    asn_number: Reference, caller: TheCaller, store_id: Annotated[Reference | None, Query()] = None
) -> dict[str, Any]:
    """Give a shipment with its lines, its receipt, how each line stands at the platform, differences and changes.

    Without `store_id` the number must be that of one store only; 409 names the stores else.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await _store_of_shipment(connection, caller, asn_number, store_id)
        return await _shipment(connection, store, asn_number)


@router.post("/asn/{shipment_id}/receive", status_code=202)
@open_to(Role.STAFF)
async def receive_shipment(shipment_id: Reference, asked: Receive, act: TheAct, response: Response) -> dict[str, Any]:
    """Receive a shipment, as shipped or as counted; the receipt goes the way of a POS's transactions.

    202 for a new receipt or correction, 200 with `already` for the same click again.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        received = await receive(connection, store, shipment_id, asked, act.caller.name)
        if not received.already:
            said = asked.model_dump(mode="json", exclude={"store_id"}, exclude_none=True)
            await act.note_of(connection, store, "shipment.received", subject=shipment_id, after=said)
    # The receipt is safe in the database: where the queue is down, the sweeper's timer puts it.
    await put_receipts(own, store.store_id, shipment_id)
    async with own.pool.transaction() as connection:
        receipt = await _receipt(connection, store, shipment_id)
    response.status_code = 200 if received.already else 202
    return {"shipment_id": shipment_id, "store": store.crsa, "already": received.already, "receipt": receipt}


@router.post("/asn/{shipment_id}/received-elsewhere")
@open_to(Role.STAFF)
async def receive_shipment_elsewhere(shipment_id: Reference, asked: Elsewhere, act: TheAct) -> dict[str, Any]:
    """Note that the store's POS made the receipt itself: the shipment counts as received and no events come of it."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        already = await receive_elsewhere(connection, store, shipment_id, act.caller.name)
        if not already:
            await act.note_of(connection, store, "shipment.received_elsewhere", subject=shipment_id)
    return {"shipment_id": shipment_id, "store": store.crsa, "already": already}


async def _fetch(connection: Connection, caller: Caller, fetch_id: UUID) -> dict[str, Any]:
    row = await (await connection.execute(SQL["fetch"], {"fetch_id": fetch_id})).fetchone()
    return row_in_reach(caller, row, f"fetch {fetch_id}")


async def _store_of_shipment(connection: Connection, caller: Caller, shipment_id: str, reference: str | None) -> Store:
    if reference is not None:
        return await store_in_reach(connection, caller, reference)
    rows = await (await connection.execute(SQL["stores_of_shipment"], {"shipment_id": shipment_id})).fetchall()
    found = [row for row in rows if caller.knows(row["tenant_id"])]
    if not found:
        raise NotFound(f'no shipment "{shipment_id}"')
    if len(found) > 1:
        names = ", ".join(row["crsa"] for row in found)
        raise Conflict(f"several stores have a shipment {shipment_id}: {names}. Say which with store_id")
    return await store_in_reach(connection, caller, str(found[0]["store_id"]))


async def _shipment(connection: Connection, store: Store, shipment_id: str) -> dict[str, Any]:
    words = {"store_id": store.store_id, "shipment_id": shipment_id}
    shipment = await (await connection.execute(SQL["shipment"], words)).fetchone()
    if shipment is None:
        raise NotFound(f'no shipment "{shipment_id}" of store {store.crsa}')
    receipt = await _receipt(connection, store, shipment_id)
    more = words | {"number": None if receipt is None else receipt["number"]}
    lines = await (await connection.execute(SQL["shown_lines"], more)).fetchall()
    errors = await (await connection.execute(SQL["differences_of_shipment"], words)).fetchall()
    changes = await (await connection.execute(SQL["changes_of_shipment"], words | {"most": MOST_CHANGES})).fetchall()
    return {
        **shipment,
        "store": store.crsa,
        "lines": [_shown(line) | {"warnings": _explained(line["warnings"])} for line in lines],
        "receipt": receipt,
        "differences": [_shown(error) for error in errors],
        "changes": changes,
    }


async def _receipt(connection: Connection, store: Store, shipment_id: str) -> dict[str, Any] | None:
    receipt = await newest_receipt(connection, store.store_id, shipment_id)
    if receipt is None:
        return None
    words = {"store_id": store.store_id, "shipment_id": shipment_id, "number": receipt.number}
    rows = await (await connection.execute(SQL["messages_of_receipt"], words)).fetchall()
    occurred_at = store.local(receipt.occurred_at)
    return {
        "number": receipt.number,
        "received_on": receipt.received_on or occurred_at.date(),
        "occurred_at": occurred_at,
        "made_by": receipt.made_by,
        "made_at": receipt.made_at,
        "eaches": _number(sum((line.received for line in receipt.lines.values()), Decimal(0))),
        "transactions": rows,
    }


def _explained(codes: list[str]) -> list[dict[str, str]]:
    return [{"code": code, "meaning": WARNINGS.get(code, code)} for code in codes]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row with its numbers as strings, 24 and not 24.0000: JSON's own numbers lose cents in some readers."""
    return {name: _number(value) if isinstance(value, Decimal) else value for name, value in row.items()}


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"
