"""Alerts: what is wrong now or was, who looks after it, and what nobody wants to hear of for a while."""

from datetime import timedelta
from typing import Annotated

from fastapi import Form, Path
from starlette.responses import Response

from ocs.alerts import attend
from ocs.alerts.attend import Over, State, Wanted
from ocs.clock import utc_now
from ocs.dashboard.visit import TheDeed, TheVisit, pages
from ocs.web.paging import Cursor, decode, page_of
from ocs.web.roles import Role, open_to

router = pages()
Number = Annotated[int, Path(ge=1, lt=2**63)]
AT_ONCE = 50
LONGEST_HOURS = 30 * 24


@router.get("/alerts")
@open_to(Role.VIEWER)
async def list_alerts(visit: TheVisit, state: State = "open", cursor: Cursor = None) -> Response:
    """List the alerts of a state, the newest first, and the silences that are in force."""
    (after,) = decode(cursor, int)
    async with visit.runtime.pool.transaction() as connection:
        rows = await attend.open_alerts(connection, visit.caller, Wanted(state), after, AT_ONCE + 1)
        silences = await attend.silences(connection, visit.caller)
    page = page_of(rows, AT_ONCE, "alert_id")
    return visit.page("alerts.html", page=page, silences=silences, state=state, now=utc_now())


@router.post("/alerts/{alert_id}/acknowledge")
@open_to(Role.MANAGER)
async def acknowledge(alert_id: Number, deed: TheDeed) -> Response:
    """Say that you look after an alert."""
    async with deed.runtime.pool.transaction() as connection:
        await attend.acknowledge(connection, deed.act, alert_id, deed.act.why)
    return deed.back("acknowledged", "/alerts")


@router.post("/alerts/{alert_id}/silence")
@open_to(Role.MANAGER)
async def silence(
    alert_id: Number,
    hours: Annotated[int, Form(ge=1, le=LONGEST_HOURS)],
    why: Annotated[str, Form(min_length=1, max_length=500)],
    deed: TheDeed,
    over: Annotated[Over, Form()] = "alert",
) -> Response:
    """Tell nobody for some hours."""
    async with deed.runtime.pool.transaction() as connection:
        await attend.silence(connection, deed.act, alert_id, utc_now() + timedelta(hours=hours), why, over)
    return deed.back("silenced", "/alerts")


@router.post("/alerts/{alert_id}/end-silence")
@open_to(Role.MANAGER)
async def end_silence(alert_id: Number, deed: TheDeed) -> Response:
    """Let an alert be told again."""
    async with deed.runtime.pool.transaction() as connection:
        await attend.end_silence(connection, deed.act, alert_id)
    return deed.back("heard", "/alerts")
