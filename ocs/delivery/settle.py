"""What each outcome of an attempt does to the batch, the store, the breaker and the alerts; docs/errors.md in code."""

from ocs import telemetry
from ocs.alerts.causes import Scope, of_connection
from ocs.alerts.open_close import close_alerts, close_scoped, open_alert, open_scoped
from ocs.db.pool import Connection
from ocs.delivery import batches, kinds, pace
from ocs.delivery.batches import Work
from ocs.delivery.lease import Wait
from ocs.regulator.faults import Accepted, CredentialsRefused, NotSent, RegulatorFault, Rejected, SlowDown
from ocs.settings import Settings

log = telemetry.logger("delivery")

ALERT_AFTER = 7
"""Counted failures of one batch after which staff are told; the tries go on every 24 hours."""
SPLIT_AFTER = 4
"""Counted failures after which a batch that the platform answers with an error is halved: some servers answer a bad
line with a 500, and one bad line must not stop a store. A single line that fails after the alert too is parked."""
SERVER_ERROR = 500
OWN_FAULT_WAIT = 10.0
"""Seconds before we ask our own vault, or the sign-in, again."""
UNDELIVERABLE, CREDENTIALS, PLATFORM_DOWN = "undeliverable", "credentials_refused", "platform_down"


async def settle(
    connection: Connection, settings: Settings, work: Work, outcome: Accepted | RegulatorFault, seconds: float
) -> Wait | None:
    """Write an attempt's outcome, in the open transaction and under the stream's lock; gives the wait it asks for.

    `seconds` is how long the call took. None means that the store goes on at once.
    """
    store = work.lease.store
    # The breaker looks at finished attempts, this one among them.
    await batches.finish_attempt(connection, work, outcome, seconds)
    match outcome:
        case Accepted():
            await pace.note_success(connection, store.connection_id)
            await _accepted(connection, work, outcome, seconds)
            return None
        case Rejected():
            await pace.note_success(connection, store.connection_id)
            await _rejected(connection, work, outcome)
            return None
        case SlowDown():
            await pace.hold_all(connection, store.connection_id, outcome.retry_after, "slow_down")
            return _waits(work, outcome, Wait(outcome.retry_after, "slow_down"))
        case CredentialsRefused():
            rest = settings.credentials_wait_seconds
            if outcome.whole_connection:
                await pace.hold_all(connection, store.connection_id, rest, "credentials")
                await open_scoped(connection, _all_stores(work), CREDENTIALS, outcome.message)
            else:
                await open_alert(connection, store.tenant_id, store.store_id, CREDENTIALS, outcome.message)
            return _waits(work, outcome, Wait(rest, "credentials"))
        case NotSent():
            return _waits(work, outcome, Wait(min(OWN_FAULT_WAIT, settings.retry_schedule[0]), "ours"))
        case _:
            wait = await _upstream(connection, settings, work, outcome)
            return None if wait is None else _waits(work, outcome, wait)


async def _accepted(connection: Connection, work: Work, outcome: Accepted, seconds: float) -> None:
    since_sale = await batches.accept(connection, work, outcome.reference_id)
    told = kinds.kind_named(work.lease.kind).accepted
    if told is not None:
        await told(connection, work.lease.store, work.batch_id)
    await _close_alerts(connection, work)
    log.info(
        "batch accepted",
        crsa=work.lease.store.crsa,
        kind=work.lease.kind,
        batch_id=work.batch_id,
        lines=work.lines,
        reference_id=outcome.reference_id,
        call_seconds=round(seconds, 3),
        seconds_since_sale=None if since_sale is None else round(since_sale, 3),
    )


async def _rejected(connection: Connection, work: Work, outcome: Rejected) -> None:
    """Halve a refused batch until the bad lines are alone, then park those: one bad line never stops a store."""
    if work.lines > 1:
        await _split(connection, work, outcome)
    else:
        reason = f"The OCS platform refused this {_noun(work)}: {outcome.message}"
        await _park(connection, work, "platform_rejected", reason)


async def _split(connection: Connection, work: Work, outcome: RegulatorFault) -> None:
    await batches.split(connection, work)
    log.warning("batch split in two", crsa=work.lease.store.crsa, lines=work.lines, said=outcome.message)


async def _park(connection: Connection, work: Work, cause: batches.ParkedCause, reason: str) -> None:
    sequences = await batches.park(connection, work, cause, reason)
    await _close_alerts(connection, work)  # the line waits for a person now, and its store goes on
    log.warning("line parked", crsa=work.lease.store.crsa, sequences=sequences, cause=cause, reason=reason)


async def _close_alerts(connection: Connection, work: Work) -> None:
    if work.lease.was_waiting or work.failures:
        await close_alerts(connection, work.lease.store.store_id, [UNDELIVERABLE, CREDENTIALS, PLATFORM_DOWN])
        await close_scoped(connection, _all_stores(work), [CREDENTIALS, PLATFORM_DOWN])


async def _upstream(connection: Connection, settings: Settings, work: Work, outcome: RegulatorFault) -> Wait | None:
    """Count a failure of the platform and give the wait, or None when the batch was split or its line parked."""
    store = work.lease.store
    judged = await pace.note_failure(connection, settings, store.connection_id, work.attempt_id)
    if judged.long_outage:
        text = f"The OCS platform does not serve the stores of this connection: {outcome.message}"
        await open_scoped(connection, _all_stores(work), PLATFORM_DOWN, text)
    if not outcome.about_batch:  # the sign-in failed: the breaker should know, the batch is innocent
        return Wait(min(OWN_FAULT_WAIT, settings.retry_schedule[0]), "upstream")
    if not judged.counts:
        # Due again now, so behind the others: another store makes the next probe, lest one bad batch keep it open.
        return Wait(0, "upstream")
    failures = await batches.count_failure(connection, work)
    # It failed on this batch while it serves other stores. A 404, or a 200 that proves nothing, says nothing of lines.
    answered = outcome.http_status is not None and outcome.http_status >= SERVER_ERROR
    if answered and failures >= SPLIT_AFTER and work.lines > 1:
        await _split(connection, work, outcome)
        return None
    if answered and failures > ALERT_AFTER:
        reason = f"The OCS platform failed on this {_noun(work)} {failures} times: {outcome.message}"
        await _park(connection, work, "platform_failed", reason)
        return None
    if failures >= ALERT_AFTER:
        count = f"{work.lines} {_noun(work)}{'' if work.lines == 1 else 's'}"
        text = f"{count} could not be delivered after {failures} tries: {outcome.message}"
        await open_alert(connection, store.tenant_id, store.store_id, UNDELIVERABLE, text)
    return Wait(pace.jittered(pace.backoff_seconds(settings.retry_schedule, failures)), "upstream")


def _all_stores(work: Work) -> Scope:
    """Give the scope of what is wrong with the connection, so with all its stores: one alert, not a thousand."""
    return of_connection(work.lease.store.tenant_id, work.lease.store.connection_id)


def _noun(work: Work) -> str:
    return kinds.kind_named(work.lease.kind).noun


def _waits(work: Work, outcome: RegulatorFault, wait: Wait) -> Wait:
    log.warning(
        "batch not accepted",
        crsa=work.lease.store.crsa,
        kind=work.lease.kind,
        batch_id=work.batch_id,
        lines=work.lines,
        outcome=outcome.outcome,
        said=outcome.message,
        next_try_in_seconds=round(wait.seconds, 1),
    )
    return wait
