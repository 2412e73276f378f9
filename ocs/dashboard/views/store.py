"""A store: its day, what waits and why, with the button that mends it, its positions and its shipments."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import Form, Path, Query
from starlette.responses import Response

from ocs.casework import admin as casework
from ocs.casework.lines import Wanted, history
from ocs.casework.pending import pending
from ocs.dashboard.chart import chart_of
from ocs.dashboard.visit import TheDeed, TheVisit, Visit, pages
from ocs.errors import Conflict, NotFound
from ocs.onboarding import pauses
from ocs.onboarding.models import PauseBody
from ocs.positions import admin as positions
from ocs.shipping import admin as shipping
from ocs.shipping.models import FetchAsked, Receive, Reference
from ocs.status.day import day_of_store
from ocs.status.overview import store_status
from ocs.tenants import configuration
from ocs.tenants.models import Store
from ocs.tenants.pause import Place
from ocs.tenants.reach import store_in_reach
from ocs.web.roles import Role, open_to

router = pages()
ONE_DAY = timedelta(days=1)
SHOWN = 10
"""Rows of each list of a store; each leads to the whole."""
WAITING = 50
NOTICES = timedelta(days=7)
Text = Annotated[str, Form(min_length=1, max_length=200)]
Number = Annotated[int, Path(ge=1, lt=2**63)]
PlaceAsked = Annotated[Place, Form()]


@router.get("/stores/{store_id}")
@open_to(Role.VIEWER)
async def show_store(
    store_id: str,
    visit: TheVisit,
    day: date | None = None,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """Show how a store stands, why what waits there waits, and what it sold and reported."""
    own = visit.runtime
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, visit.caller, store_id)
        judged = await store_status(connection, store, own.now())
        today = judged.figures.today
        shown = min(day or today, today)
        quarters = await day_of_store(connection, store, shown)
        waiting = await pending(connection, [store.store_id], cursor=cursor, limit=WAITING)
        newest = await history(connection, [store.store_id], Wanted(), limit=SHOWN)
        setup = await configuration.store_configuration(connection, store.tenant_id, store.store_id)
    words = await _lists(visit, store)
    return visit.page(
        "store.html",
        store=store,
        judged=judged,
        chart=chart_of(quarters, store.time_zone),
        days=(shown - ONE_DAY, shown, shown + ONE_DAY if shown < today else None),
        waiting=waiting,
        newest=newest,
        setup=setup,
        now=own.now(),
        **words,
    )


async def _store(visit: Visit, store_id: str) -> Store:
    async with visit.runtime.pool.transaction() as connection:
        return await store_in_reach(connection, visit.caller, store_id)


async def _lists(visit: Visit, store: Store) -> dict[str, Any]:
    positions_of = await positions.history(store.crsa, visit.caller, None, SHOWN)
    shipments = await shipping.list_shipments(store.crsa, visit.caller, None, None, SHOWN)
    return {"positions": positions_of["positions"], "shipments": shipments["shipments"]}


@router.get("/stores/{store_id}/positions/{snapshot_id}")
@open_to(Role.VIEWER)
async def show_position(store_id: str, snapshot_id: Number, visit: TheVisit) -> Response:
    """Show one position as it was frozen, and every try to send it."""
    store = await _store(visit, store_id)
    position = await positions.snapshot(snapshot_id, visit.caller)
    if position["store_id"] != store.store_id:
        raise NotFound(f"no position {snapshot_id} of store {store.crsa}")
    return visit.page("position.html", store=store, position=position)


@router.get("/stores/{store_id}/shipment")
@open_to(Role.VIEWER)
async def show_shipment(store_id: str, number: Reference, visit: TheVisit) -> Response:
    """Show one shipment: its lines, what was received, and what is different."""
    store = await _store(visit, store_id)
    shipment = await shipping.get_shipment(number, visit.caller, store.crsa)
    return visit.page("shipment.html", store=store, shipment=shipment)


@router.post("/stores/{store_id}/shipment/receive")
@open_to(Role.STAFF)
async def receive_shipment(store_id: str, number: Text, deed: TheDeed) -> Response:
    """Receive a shipment whose every line came as shipped."""
    await shipping.receive_shipment(number, Receive(store_id=store_id), deed.act, Response())
    return deed.back("received", f"/stores/{store_id}")


@router.post("/stores/{store_id}/submit")
@open_to(Role.STAFF)
async def submit_now(store_id: str, transaction_id: Text, deed: TheDeed) -> Response:
    """Send one recorded transaction now."""
    await casework.submit(casework.Submit(store_id=store_id, transaction_id=transaction_id), deed.act)
    return deed.back("retried", f"/stores/{store_id}")


@router.post("/stores/{store_id}/position")
@open_to(Role.STAFF)
async def send_position(store_id: str, deed: TheDeed, business_date: Annotated[date | None, Form()] = None) -> Response:
    """Make a position now and send it: that of a date, of yesterday without one."""
    await positions.submit(positions.Submit(store_id=store_id, business_date=business_date), deed.act)
    return deed.back("position", f"/stores/{store_id}")


@router.post("/stores/{store_id}/pause")
@open_to(Role.MANAGER)
async def pause_store(store_id: str, why: Text, deed: TheDeed) -> Response:
    """Pause a store's delivery, for a reason that is shown wherever somebody asks why a line is not sent."""
    await pauses.pause_store(store_id, PauseBody(why=why), deed.act)
    return deed.back("paused", f"/stores/{store_id}")


@router.post("/stores/{store_id}/resume")
@open_to(Role.MANAGER)
async def resume(store_id: str, place: PlaceAsked, deed: TheDeed) -> Response:
    """Let delivery go on: of the store, or of the connection or company through which it is paused."""
    async with deed.runtime.pool.transaction() as connection:
        store = await store_in_reach(connection, deed.act.caller, store_id)
    if place is Place.STORE:
        await pauses.resume_store(store_id, deed.act)
    elif place is Place.CONNECTION:
        await pauses.resume_connection(store.crol, str(store.connection_id), deed.act)
    else:
        await pauses.resume_tenant(store.crol, deed.act)
    return deed.back("resumed", f"/stores/{store_id}")


@router.post("/stores/{store_id}/notices")
@open_to(Role.STAFF)
async def fetch_notices(store_id: str, deed: TheDeed) -> Response:
    """Have the shipping notices of the last week read now."""
    now = deed.runtime.now()
    asked = FetchAsked.model_validate({"store_id": store_id, "from": now - NOTICES, "to": now})
    await shipping.start_fetch(asked, deed.act)
    return deed.back("fetching", f"/stores/{store_id}")


@router.post("/stores/{store_id}/retry")
@open_to(Role.STAFF)
async def retry_parked(store_id: str, deed: TheDeed) -> Response:
    """Send everything of a store again that is parked and can go as it is."""
    answer = await casework.retry(casework.Retry(store_id=store_id), deed.act, Response())
    if answer.job is None:
        raise Conflict("no line matches: there is nothing to send again")
    return deed.back("retried", f"/stores/{store_id}")
