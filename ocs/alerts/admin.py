"""The staff's routes to alerts: look, acknowledge, silence; and where they are delivered."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.alerts import attend, destinations
from ocs.alerts.attend import Over, State, Wanted
from ocs.alerts.causes import Severity
from ocs.alerts.destinations import Destinations, GivenDestinations, Kind, Trials
from ocs.audit.acts import Act, TheAct
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.web.etags import require_match
from ocs.web.paging import Cursor, Limit, decode, page_of
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs", tags=["alerts"])
Number = Annotated[int, Path(ge=1, lt=2**63)]
Reference = Annotated[str, Query(max_length=100)]


class Shown(BaseModel):
    """An alert. Times are UTC; without a tenant it is of the whole platform, without a store of all of a tenant's."""

    alert_id: int
    cause: str
    title: str
    severity: Severity
    state: Literal["open", "acknowledged", "silenced", "closed"]
    message: str
    facts: dict[str, Any]
    tenant_id: UUID | None
    crol: str | None
    connection_id: UUID | None
    connection_name: str | None
    store_id: UUID | None
    crsa: str | None
    store_name: str | None
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    silenced_until: datetime | None


class Told(BaseModel):
    """That a destination is to be told, or was: `waiting`, `packed` into a message, or `dropped` as it was over."""

    event: Literal["opened", "closed"]
    state: Literal["waiting", "packed", "dropped"]
    kind: Kind
    target: str
    made_at: datetime
    message_id: UUID | None
    tries: int | None
    sent_at: datetime | None
    problem: str | None


class ShownWhole(Shown):
    """An alert with whom it was told."""

    notifications: list[Told]


class AlertPage(BaseModel):
    """Some alerts, the newest first; `next` is the cursor of the page behind."""

    items: list[Shown]
    next: str | None


class Acknowledgement(BaseModel):
    """What whoever looks after an alert says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    note: str = Field(default="", max_length=1000)


class Silence(BaseModel):
    """Until when nobody is told, why, and of what: this alert, or its cause at its store or in its tenant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    until: AwareDatetime
    why: str = Field(min_length=1, max_length=1000)
    over: Over = "alert"


class ShownSilence(BaseModel):
    """A cause of which nobody is told for a while."""

    silence_id: int
    tenant_id: UUID | None
    store_id: UUID | None
    crsa: str | None
    cause: str
    until: datetime
    why: str
    made_by: str
    made_at: datetime


class Silences(BaseModel):
    """The silences of causes that are in force."""

    silences: list[ShownSilence]


@router.get("/alerts", response_model=AlertPage)
@open_to(Role.VIEWER)
async def get_alerts(
    caller: TheCaller,
    state: State = "open",
    tenant: Reference | None = None,
    store: Reference | None = None,
    cause: Annotated[str | None, Query(max_length=100)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Give the alerts of the caller's tenants, the newest first: those that are not closed, unless asked otherwise."""
    (after,) = decode(cursor, int)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = None if tenant is None else await tenant_in_reach(connection, caller, tenant)
        store_id = None if store is None else (await store_in_reach(connection, caller, store)).store_id
        wanted = Wanted(state, tenant_id, store_id, cause)
        rows = await attend.open_alerts(connection, caller, wanted, after, limit + 1)
    return dict(page_of(rows, limit, "alert_id"))


@router.get("/alerts/{alert_id}", response_model=ShownWhole)
@open_to(Role.VIEWER)
async def get_alert(alert_id: Number, caller: TheCaller) -> dict[str, Any]:
    """Give one alert with the values that made it and whom it was told."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await attend.one_alert(connection, caller, alert_id)


@router.post("/alerts/{alert_id}/acknowledge", response_model=ShownWhole)
@open_to(Role.MANAGER)
async def post_acknowledge(alert_id: Number, said: Acknowledgement, act: TheAct) -> dict[str, Any]:
    """Say that you look after an alert, so that others know."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        await attend.acknowledge(connection, act, alert_id, said.note)
        return await attend.one_alert(connection, act.caller, alert_id)


@router.post("/alerts/{alert_id}/silence", response_model=ShownWhole)
@open_to(Role.MANAGER)
async def post_silence(alert_id: Number, asked: Silence, act: TheAct) -> dict[str, Any]:
    """Tell nobody until an instant: of this alert, or of its cause at its store or in its tenant. It stays in sight."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        await attend.silence(connection, act, alert_id, asked.until, asked.why, asked.over)
        return await attend.one_alert(connection, act.caller, alert_id)


@router.delete("/alerts/{alert_id}/silence", response_model=ShownWhole)
@open_to(Role.MANAGER)
async def delete_silence(alert_id: Number, act: TheAct) -> dict[str, Any]:
    """End the silence of one alert; a silence of its cause goes on."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        await attend.end_silence(connection, act, alert_id)
        return await attend.one_alert(connection, act.caller, alert_id)


@router.get("/alert-silences", response_model=Silences)
@open_to(Role.VIEWER)
async def get_silences(caller: TheCaller) -> dict[str, Any]:
    """Give the causes of which nobody is told for a while, the soonest to end first; at most 500."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return {"silences": await attend.silences(connection, caller)}


@router.delete("/alert-silences/{silence_id}", status_code=204)
@open_to(Role.MANAGER)
async def delete_silence_of_cause(silence_id: Number, act: TheAct) -> None:
    """End the silence of a cause now."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        await attend.end_silence_of_cause(connection, act, silence_id)


@router.get("/tenants/{tenant}/alert-destinations", response_model=Destinations)
@open_to(Role.MANAGER)
async def get_destinations(tenant: str, caller: TheCaller) -> dict[str, Any]:
    """Give where a tenant's alerts go; signing secrets are not shown."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        return {"destinations": await destinations.destinations_of(connection, tenant_id)}


@router.put("/tenants/{tenant}/alert-destinations", response_model=Destinations)
@open_to(Role.TENANT_ADMIN)
async def put_destinations(tenant: str, given: GivenDestinations, act: TheAct, request: Request) -> dict[str, Any]:
    """Say where a tenant's alerts go. A new webhook needs a signing secret; one that is known keeps its own without."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
    return await _replace(request, act, tenant_id, tenant, given)


@router.post("/tenants/{tenant}/alert-destinations/test", response_model=Trials)
@open_to(Role.TENANT_ADMIN)
async def post_test(tenant: str, act: TheAct) -> dict[str, Any]:
    """Send each of a tenant's destinations a message now, and say how that ended."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
    return await _try_out(act, tenant_id, tenant)


@router.get("/alert-destinations", response_model=Destinations)
@open_to(Role.SUPER_ADMIN)
async def get_operators_destinations(caller: TheCaller) -> dict[str, Any]:  # noqa: ARG001 - signed in, no more
    """Give where the alerts go that belong to no tenant."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return {"destinations": await destinations.destinations_of(connection, None)}


@router.put("/alert-destinations", response_model=Destinations)
@open_to(Role.SUPER_ADMIN)
async def put_operators_destinations(given: GivenDestinations, act: TheAct, request: Request) -> dict[str, Any]:
    """Say where the alerts go that belong to no tenant."""
    return await _replace(request, act, None, "the operator", given)


@router.post("/alert-destinations/test", response_model=Trials)
@open_to(Role.SUPER_ADMIN)
async def post_operators_test(act: TheAct) -> dict[str, Any]:
    """Send each of the operator's destinations a message now, and say how that ended."""
    return await _try_out(act, None, "the operator")


async def _replace(
    request: Request, act: Act, tenant_id: UUID | None, subject: str, given: GivenDestinations
) -> dict[str, Any]:
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        current = {"destinations": await destinations.destinations_of(connection, tenant_id)}
    require_match(request, Destinations.model_validate(current))
    await destinations.replace(own, act, tenant_id, subject, given.destinations)
    async with own.pool.transaction() as connection:
        return {"destinations": await destinations.destinations_of(connection, tenant_id)}


async def _try_out(act: Act, tenant_id: UUID | None, subject: str) -> dict[str, Any]:
    own = await runtime.current()
    tried = await destinations.try_out(own, tenant_id)
    async with own.pool.transaction() as connection:
        after = {"ok": sum(one.ok for one in tried), "failed": sum(not one.ok for one in tried)}
        await act.note(connection, "alert_destinations.tested", tenant_id=tenant_id, subject=subject, after=after)
    return {"tried": tried}
