"""The sender: claim a store, freeze a batch, POST it, settle it, and go on until nothing is due.

Three short transactions a batch at most, and none is open during the POST: connections are few, and a slow regulator
would hold them all. docs/delivery-cycle.md says what a death between any two lines leaves behind.
"""

import time
from uuid import UUID

from psycopg import Rollback

from ocs import telemetry
from ocs.azure.queues import doorbell
from ocs.db.pool import again_when_the_database_drops
from ocs.delivery import batches, kinds, lease
from ocs.delivery.batches import Work
from ocs.delivery.lease import Lease
from ocs.delivery.settle import settle
from ocs.regulator.client import Regulator, regulator_of
from ocs.regulator.faults import Accepted, RegulatorFault
from ocs.runtime import Runtime

log = telemetry.logger("delivery")
DOORBELLS = "ocs-deliveries"


async def answer_bell(runtime: Runtime, store_id: UUID) -> int:
    """Send all that a store has due, then help the connection's other stores while time is left.

    Gives how many batches were sent. Helping is what keeps all slots busy: a bell that found none free is not rung
    again. A ring for a store that another worker holds does nothing: that worker will see the new lines itself.
    """
    until = time.monotonic() + runtime.settings.drain_seconds
    sent = 0
    connection_id: UUID | None = None
    for kind in kinds.registered():
        work = await _begin(runtime, store_id=store_id, kind=kind.name)
        if work is not None:
            connection_id = work.lease.store.connection_id
            sent += await _drain(runtime, work, until)
    while connection_id is not None and time.monotonic() < until:
        work = await _begin(runtime, connection_id=connection_id)
        if work is None:
            break
        sent += await _drain(runtime, work, until)
    return sent


async def ring(runtime: Runtime, store_id: UUID) -> None:
    """Ring for a store. A ring that fails is no harm: the sweeper finds the row in Postgres."""
    await runtime.queues.put(DOORBELLS, doorbell(store_id))


async def sweep(runtime: Runtime) -> int:
    """Ring for every store with due work that nobody holds; gives how many."""
    async with runtime.pool.transaction() as connection:
        waiting = await lease.streams_to_ring(connection)
    await runtime.queues.put_all(DOORBELLS, [doorbell(store_id) for store_id in dict.fromkeys(waiting)])
    return len(waiting)


async def _drain(runtime: Runtime, work: Work, until: float) -> int:
    """Send one store's batches one after the other, until none is left, it must wait, or time is up."""
    sent = 0
    following: Work | None = work
    while following is not None:
        outcome, seconds = await _post(regulator_of(runtime), following)
        sent += 1
        following = await _settle_and_go_on(runtime, following, outcome, seconds, until)
    if time.monotonic() >= until:
        await ring(runtime, work.lease.store.store_id)  # there may be more: another worker's turn
    return sent


async def _post(regulator: Regulator, work: Work) -> tuple[Accepted | RegulatorFault, float]:
    began = time.monotonic()
    outcome: Accepted | RegulatorFault
    kind, lease_of_store = kinds.kind_named(work.lease.kind), work.lease
    try:
        outcome = await kind.post(regulator, lease_of_store.store, work.body, lease_of_store.post_before)
    except RegulatorFault as fault:
        outcome = fault
    return outcome, time.monotonic() - began


@again_when_the_database_drops
async def _begin(
    runtime: Runtime, *, store_id: UUID | None = None, kind: str = "", connection_id: UUID | None = None
) -> Work | None:
    """Claim a named store, or the connection's next, and freeze its batch, all in one transaction."""
    settings = runtime.settings
    work: Work | None = None
    async with runtime.pool.transaction() as connection:
        claimed: Lease | None = None
        if store_id is not None:
            claimed = await lease.claim(connection, settings, store_id, kind)
        elif connection_id is not None:
            claimed = await lease.claim_next(connection, settings, connection_id)
        if claimed is None:
            raise Rollback  # a stream that was claimed without a slot stays free
        work = await batches.next_work(connection, settings, kinds.kind_named(claimed.kind), claimed)
        if work is None:
            await lease.release(connection, claimed, empty=True)
    return work


@again_when_the_database_drops
async def _settle_and_go_on(
    runtime: Runtime, work: Work, outcome: Accepted | RegulatorFault, seconds: float, until: float
) -> Work | None:
    """Settle a batch and freeze the store's next one, or give the store back, all in one transaction."""
    settings = runtime.settings
    began = time.monotonic()
    async with runtime.pool.transaction() as connection:
        if not await lease.hold(connection, settings, work.lease):
            await batches.finish_attempt(connection, work, outcome, seconds)
            log.warning("lease lost: another worker settles this batch", crsa=work.lease.store.crsa)
            return None
        wait = await settle(connection, settings, work, outcome, seconds)
        if wait is not None:
            await lease.release(connection, work.lease, empty=False, wait=wait)
            return None
        if time.monotonic() >= until:
            await lease.release(connection, work.lease, empty=not await batches.has_work(connection, work.lease))
            return None
        held = work.lease.prolonged(began + settings.lease_seconds - settings.post_timeout_seconds)
        following = await batches.next_work(connection, settings, kinds.kind_named(held.kind), held)
        if following is None:
            await lease.release(connection, held, empty=True)
        return following
