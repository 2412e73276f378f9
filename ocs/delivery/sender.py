"""The sender: claim a store, freeze a batch, POST it, settle it, and go on until nothing is due.

Three short transactions a batch at most, and none is open during the POST: connections are few, and a slow regulator
would hold them all. docs/delivery-cycle.md says what a death between any two lines leaves behind.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from opentelemetry.trace import Span, SpanKind
from psycopg import Rollback

from ocs import telemetry
from ocs.audit.calls import about
from ocs.azure.queues import doorbell
from ocs.db.pool import Connection, again_when_the_database_drops
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
    """Send all that a store has due, then that of the connection's other stores while time is left.

    Gives how many batches were sent. Going on to others is what keeps all call slots busy: a bell that found none free
    is not rung again. A ring for a store that another worker holds does nothing: that one will see the new lines.
    """
    until = time.monotonic() + runtime.settings.drain_seconds
    sent = 0
    for kind in kinds.registered():
        work = await _begin(runtime, store_id, kind.name)
        while work is not None:
            with _traced(work) as span:
                outcome, seconds = await _post(regulator_of(runtime), work)
                _describe(span, outcome)
                sent += 1
                work = await _settle_and_go_on(runtime, work, outcome, seconds, until)
    if time.monotonic() >= until:
        await sweep(runtime)  # there may be more, of this store or of one it went on to: another worker's turn
    return sent


async def ring(runtime: Runtime, store_id: UUID) -> None:
    """Ring for a store. A ring that fails is no harm: the sweeper finds the row in Postgres."""
    await runtime.queues.put(DOORBELLS, doorbell(store_id))


async def sweep(runtime: Runtime) -> int:
    """Ring for every store with due work that nobody holds; gives how many."""
    async with runtime.pool.transaction() as connection:
        waiting = await lease.streams_to_ring(connection)
    await runtime.queues.put_all(DOORBELLS, [doorbell(store_id) for store_id in dict.fromkeys(waiting)])
    if waiting:
        log.info("sweeper rang", stores=len(waiting))
    return len(waiting)


async def _post(regulator: Regulator, work: Work) -> tuple[Accepted | RegulatorFault, float]:
    began = time.monotonic()
    outcome: Accepted | RegulatorFault
    kind, lease_of_store = kinds.kind_named(work.lease.kind), work.lease
    try:
        with about(batch_id=work.batch_id, attempt_id=work.attempt_id):
            outcome = await kind.post(regulator, lease_of_store.store, work.body, lease_of_store.post_before)
    except RegulatorFault as fault:
        outcome = fault
    return outcome, time.monotonic() - began


@contextmanager
def _traced(work: Work) -> Iterator[Span]:
    """Make a batch's way to the regulator a span, linked to the traces of the messages that it is made of."""
    attributes = {
        "messaging.operation.name": "deliver",
        "messaging.operation.type": "process",
        "messaging.destination.name": work.lease.kind,
        "messaging.batch.message_count": work.lines,
        "ocs.crsa": work.lease.store.crsa,
        "ocs.batch_id": work.batch_id,
        "ocs.attempt_id": work.attempt_id,
    }
    with telemetry.span(f"deliver {work.lease.kind}", attributes, kind=SpanKind.CONSUMER, causes=work.traces) as span:
        yield span


def _describe(span: Span, outcome: Accepted | RegulatorFault) -> None:
    span.set_attribute("ocs.outcome", outcome.outcome)
    if isinstance(outcome, Accepted):
        span.set_attribute("ocs.reference_id", outcome.reference_id)
    else:
        telemetry.failed(span, outcome)


@again_when_the_database_drops
async def _begin(runtime: Runtime, store_id: UUID, kind: str) -> Work | None:
    """Claim a store and freeze its batch, in one transaction."""
    work: Work | None = None
    async with runtime.pool.transaction() as connection:
        claimed = await lease.claim(connection, runtime.settings, store_id, kind)
        if claimed is None:
            raise Rollback  # a stream that was claimed without a slot stays free
        work = await _next(runtime, connection, claimed)
    return work  # noqa: RET504 - after a rollback too, which mypy does not see


@again_when_the_database_drops
async def _settle_and_go_on(
    runtime: Runtime, work: Work, outcome: Accepted | RegulatorFault, seconds: float, until: float
) -> Work | None:
    """Settle a batch and freeze the next one, of this store or of another, in one transaction."""
    async with runtime.pool.transaction() as connection:
        held = await lease.hold(connection, runtime.settings, work.lease)
        if held is None:
            await batches.finish_attempt(connection, work, outcome, seconds)
            log.warning("lease lost: another worker settles this batch", crsa=work.lease.store.crsa)
            return None
        wait = await settle(connection, runtime.settings, work, outcome, seconds)
        if time.monotonic() >= until:
            empty = wait is None and not await batches.has_work(connection, held)
            await lease.release_stream(connection, held, empty=empty, wait=wait)
            await lease.release_slot(connection, held)
            return None
        if wait is None:
            return await _next(runtime, connection, held)
        await lease.release_stream(connection, held, empty=False, wait=wait)
        return await _next_store(runtime, connection, held)


async def _next(runtime: Runtime, connection: Connection, held: Lease) -> Work | None:
    """Give the store's next batch; when there is none, give the store back and take the next one that is due."""
    work = await batches.next_work(connection, runtime.settings, kinds.kind_named(held.kind), held)
    if work is not None:
        return work
    await lease.release_stream(connection, held, empty=True)
    return await _next_store(runtime, connection, held)


async def _next_store(runtime: Runtime, connection: Connection, held: Lease) -> Work | None:
    """Give the next store's batch, with the call slot that this worker holds; give the slot back when there is none."""
    claimed = await lease.claim_next(connection, runtime.settings, held)
    if claimed is not None:
        return await _next(runtime, connection, claimed)
    await lease.release_slot(connection, held)
    return None
