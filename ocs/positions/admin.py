"""The staff's routes to positions: history, one position with its lines and tries, submit now, backfill a range."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from ocs import runtime
from ocs.access.caller import Caller, TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery.sender import ring
from ocs.errors import Conflict, NotFound
from ocs.positions import backfill, coverage
from ocs.positions.business_day import ONE_DAY
from ocs.positions.freeze import Frozen, freeze_day, freeze_instant
from ocs.tenants.models import Store
from ocs.tenants.reach import row_in_reach, store_in_reach
from ocs.web.roles import Role, open_to

SQL = load(__file__)
router = APIRouter(prefix="/api/ocs/position", tags=["positions"])
AT_ONCE = Query(50, ge=1, le=500)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    store_id: Annotated[str, Field(min_length=1, max_length=100, description="The store's id or CRSA")]


class Submit(_Asked):
    """Which position to send now; without a date that of yesterday, with today's that of this moment."""

    business_date: date | None = None


class Range(_Asked):
    """Of which dates to make and send the positions, the first and the last included."""

    first_date: date
    last_date: date


@router.post("/submit", status_code=202)
@open_to(Role.STAFF)
async def submit(asked: Submit, act: TheAct) -> dict[str, Any]:
    """Make a store's position from the levels as they are known now, and send it; a new revision each time."""
    own = await runtime.current()
    now = own.now()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        await backfill.require_opened(connection, store)
        today = store.local(now).date()
        day = asked.business_date or today - ONE_DAY
        if day > today:
            raise bad_input("business_date", str(day), f"a date not after {today}, the store's own today")
        if day == today:
            frozen = await freeze_instant(connection, store, now.replace(microsecond=0), "by_hand", act.caller.name)
        else:
            frozen = await freeze_day(connection, store, day, "by_hand", act.caller.name)
        if frozen is None:
            raise Conflict(f"the position of {day} is being made this moment: ask again")
        await act.note_of(connection, store, "position.submitted", subject=f"{store.crsa} {day}")
    await ring(own, store.store_id)
    return _made(store, day, frozen)


@router.post("/backfill", status_code=202)
@open_to(Role.MANAGER)
async def start_backfill(asked: Range, act: TheAct) -> dict[str, Any]:
    """Have the positions of past dates made and sent, a few at a time; ask for progress with the id."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        dates = (asked.first_date, asked.last_date)
        backfill_id = await backfill.ask(connection, store, dates, act.caller.name, own.now())
        await act.note_of(
            connection, store, "backfill.started", subject=store.crsa, after=asked.model_dump(mode="json")
        )
    return {"backfill_id": str(backfill_id)}


@router.get("/backfill/{backfill_id}")
@open_to(Role.VIEWER)
async def backfill_progress(backfill_id: UUID, caller: TheCaller) -> dict[str, Any]:
    """Give how far a backfill is: its dates, how many were made, how many the platform has accepted."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await _backfill(connection, backfill_id, caller)


@router.delete("/backfill/{backfill_id}")
@open_to(Role.MANAGER)
async def cancel_backfill(backfill_id: UUID, act: TheAct) -> dict[str, Any]:
    """Stop a backfill where it is; positions that were made are sent all the same."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await _backfill(connection, backfill_id, act.caller)
        if not await backfill.cancel(connection, backfill_id, UUID(found["tenant_id"])):
            raise Conflict(f"the backfill is {found['state']} already")
        store = await store_in_reach(connection, act.caller, found["store_id"])
        await act.note_of(connection, store, "backfill.cancelled", subject=f"backfill {backfill_id}")
        return await _backfill(connection, backfill_id, act.caller)


@router.get("/history/{store_id}")
@open_to(Role.VIEWER)
async def history(store_id: str, caller: TheCaller, after: str | None = None, limit: int = AT_ONCE) -> dict[str, Any]:
    """List a store's positions, the newest date first, each with its revision, state and reference id."""
    own = await runtime.current()
    after_date, after_revision = _place(after)
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, caller, store_id)
        words = {
            "store_id": store.store_id,
            "tenant_id": store.tenant_id,
            "after_date": after_date,
            "after_revision": after_revision,
            "most": limit,
        }
        rows = await (await connection.execute(SQL["position_history"], words)).fetchall()
    last = f"{rows[-1]['business_date']}:{rows[-1]['revision']}" if len(rows) == limit else None
    return {"positions": rows, "after": last}


@router.get("/snapshots/{snapshot_id}")
@open_to(Role.VIEWER)
async def snapshot(snapshot_id: int, caller: TheCaller) -> dict[str, Any]:
    """Give one position as it was frozen: lines in eaches and Canadian dollars at cost, and every try to send it."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        row = await (await connection.execute(SQL["position"], {"snapshot_id": snapshot_id})).fetchone()
        row = row_in_reach(caller, row, f"position {snapshot_id}")
        words = {"batch_id": row["batch_id"], "store_id": row["store_id"]}
        attempts = await (await connection.execute(SQL["attempts_of_batch"], words)).fetchall()
    columns = zip(*(row.pop(name) for name in ("ocs_skus", "upcs", "quantities", "amounts")), strict=True)
    lines = [
        {"ocs_sku": ocs_sku, "upc": upc, "quantity": str(quantity), "value": str(value)}
        for ocs_sku, upc, quantity, value in columns
    ]
    return row | {"lines": lines, "attempts": attempts}


@router.get("/missing")
@open_to(Role.VIEWER)
async def missing_positions(caller: TheCaller) -> dict[str, Any]:
    """List the active stores whose newest due position was not accepted, each with the reason."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        uncovered = await coverage.missing(connection, own.now(), 0 * ONE_DAY)
    return {
        "missing": [
            {"store_id": str(one.store.store_id), "crsa": one.store.crsa, "why": one.message}
            | {"business_date": str(one.business_date), "state": one.state}
            for one in uncovered
            if caller.may_see(one.store.tenant_id)
        ]
    }


def _made(store: Store, day: date, frozen: Frozen) -> dict[str, Any]:
    return {
        "snapshot_id": frozen.snapshot_id,
        "store_id": str(store.store_id),
        "business_date": str(day),
        "revision": frozen.revision,
        "lines": frozen.lines,
    }


async def _backfill(connection: Connection, backfill_id: UUID, caller: Caller) -> dict[str, Any]:
    found = await backfill.progress(connection, backfill_id)
    if found is None or not caller.knows(found["tenant_id"]):
        raise NotFound(f"no backfill {backfill_id}")
    return {name: str(value) if isinstance(value, UUID) else value for name, value in found.items()}


def _place(after: str | None) -> tuple[date | None, int]:
    """Read where a page goes on: the `after` of the page before."""
    if after is None:
        return None, 0
    day, _, revision = after.partition(":")
    try:
        return date.fromisoformat(day), int(revision)
    except ValueError:
        raise bad_input("after", after, "the `after` of the page before, such as 2026-11-20:1") from None
