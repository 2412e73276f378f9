"""The routes that pause delivery and let it go on, of a store, a connection or a whole tenant.

Nothing is lost: what is recorded meanwhile waits, and goes out in its order afterwards. A worker that is sending when
the pause begins finishes what it has in hand, for some 20 s.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from fastapi import APIRouter

from ocs import runtime
from ocs.audit.acts import Act, TheAct
from ocs.db.pool import Connection
from ocs.delivery.sender import ring, sweep
from ocs.errors import QueueUnavailable
from ocs.onboarding.models import PauseBody, Paused, PauseShown
from ocs.runtime import Runtime
from ocs.tenants import configuration, pause
from ocs.tenants.pause import Place
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs", tags=["pauses"])


@dataclass(frozen=True)
class Spot:
    """One place that can be paused, found within the caller's reach."""

    place: Place
    place_id: UUID
    name: str
    tenant_id: UUID
    store_id: UUID | None = None


async def store_spot(connection: Connection, act: Act, store: str) -> Spot:
    """Find a store by id or CRSA; raises NotFound and Forbidden."""
    found = await store_in_reach(connection, act.caller, store)
    return Spot(Place.STORE, found.store_id, found.crsa, found.tenant_id, found.store_id)


async def connection_spot(connection: Connection, act: Act, tenant: str, name: str) -> Spot:
    """Find a tenant's connection by name or id; raises NotFound and Forbidden."""
    tenant_id = await tenant_in_reach(connection, act.caller, tenant)
    found = await configuration.connection_of(connection, tenant_id, name)
    return Spot(Place.CONNECTION, found["connection_id"], found["name"], tenant_id)


async def tenant_spot(connection: Connection, act: Act, tenant: str) -> Spot:
    """Find a tenant by id or CROL; raises NotFound and Forbidden."""
    tenant_id = await tenant_in_reach(connection, act.caller, tenant)
    (found,) = await configuration.tenants_page(connection, [tenant_id])
    return Spot(Place.TENANT, tenant_id, found["crol"], tenant_id)


async def hold(connection: Connection, act: Act, spot: Spot, why: str) -> Paused:
    """Pause a place in the open transaction, and note it; one that is paused already stays so, with its own reason."""
    made = await pause.pause(connection, spot.place, spot.place_id, act.caller.name, why)
    if made is None:
        standing = await pause.standing(connection, spot.place, spot.place_id)
        return Paused(place=spot.place, name=spot.name, paused=_shown(spot, standing), changed=False)
    told = replace(act, why=act.why or why)
    await told.note(
        connection,
        f"{spot.place}.paused",
        tenant_id=spot.tenant_id,
        store_id=spot.store_id,
        subject=spot.name,
        before={"paused": False},
        after={"paused": True, "why": why},
    )
    return Paused(place=spot.place, name=spot.name, paused=_shown(spot, made), changed=True)


async def let_go(connection: Connection, act: Act, spot: Spot) -> Paused:
    """Let a place go on in the open transaction, and note it. Ring afterwards, by `wake`."""
    ended = await pause.resume(connection, spot.place, spot.place_id)
    if ended is not None:
        await act.note(
            connection,
            f"{spot.place}.resumed",
            tenant_id=spot.tenant_id,
            store_id=spot.store_id,
            subject=spot.name,
            before={"paused": True, "since": ended.at.isoformat(), "by": ended.by, "why": ended.why},
            after={"paused": False},
        )
    return Paused(place=spot.place, name=spot.name, paused=None, changed=ended is not None)


async def wake(own: Runtime, store_id: UUID | None) -> None:
    """Ring for a store, or for all that have something due; a ring that fails is the sweeper's."""
    with suppress(QueueUnavailable):
        if store_id is None:
            await sweep(own)
        else:
            await ring(own, store_id)


@router.post("/stores/{store_id}/pause")
@open_to(Role.MANAGER)
async def pause_store(store_id: str, body: PauseBody, act: TheAct) -> Paused:
    """Pause a store's delivery. Its sales are taken in and recorded, and go out in order when it is resumed."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await hold(connection, act, await store_spot(connection, act, store_id), body.why)


@router.post("/stores/{store_id}/resume")
@open_to(Role.MANAGER)
async def resume_store(store_id: str, act: TheAct) -> Paused:
    """Let a store's delivery go on; it stays held while its connection or its tenant is paused."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        spot = await store_spot(connection, act, store_id)
        result = await let_go(connection, act, spot)
    await wake(own, spot.store_id)
    return result


@router.post("/tenants/{tenant}/connections/{name}/pause")
@open_to(Role.MANAGER)
async def pause_connection(tenant: str, name: str, body: PauseBody, act: TheAct) -> Paused:
    """Pause delivery of all stores of a connection."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await hold(connection, act, await connection_spot(connection, act, tenant, name), body.why)


@router.post("/tenants/{tenant}/connections/{name}/resume")
@open_to(Role.MANAGER)
async def resume_connection(tenant: str, name: str, act: TheAct) -> Paused:
    """Let delivery of a connection's stores go on; a store that is paused itself stays so."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        result = await let_go(connection, act, await connection_spot(connection, act, tenant, name))
    await wake(own, None)
    return result


@router.post("/tenants/{tenant}/pause")
@open_to(Role.MANAGER)
async def pause_tenant(tenant: str, body: PauseBody, act: TheAct) -> Paused:
    """Pause delivery of all stores of a tenant."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await hold(connection, act, await tenant_spot(connection, act, tenant), body.why)


@router.post("/tenants/{tenant}/resume")
@open_to(Role.MANAGER)
async def resume_tenant(tenant: str, act: TheAct) -> Paused:
    """Let delivery of a tenant's stores go on; a connection or store that is paused itself stays so."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        result = await let_go(connection, act, await tenant_spot(connection, act, tenant))
    await wake(own, None)
    return result


def _shown(spot: Spot, made: pause.Pause | None) -> PauseShown | None:
    return None if made is None else PauseShown(through=spot.place, **asdict(made))
