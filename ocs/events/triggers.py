"""Where events come in: the transactions' queue, its poison queue, and the timer for dead letters."""

from datetime import UTC

import azure.functions as func

from ocs import runtime, telemetry
from ocs.bad_input import BadInput
from ocs.clock import utc_now
from ocs.delivery.sender import ring
from ocs.events import bury
from ocs.events.ingest import Message, ingest
from ocs.events.release import release_mapped

bp = func.Blueprint()
log = telemetry.logger("events")


@bp.queue_trigger(arg_name="message", queue_name=bury.QUEUE, connection="OCS_STORAGE")
async def ingest_transaction(message: func.QueueMessage) -> None:
    """Take one POS transaction in and ring for its store; a wrong one becomes a dead letter at once."""
    own = await runtime.current()
    received = _received(message)
    try:
        taken = await ingest(own, received)
    except BadInput as error:
        await bury.bury_bad(own, received, error)
        return
    if taken.ring:
        await ring(own, taken.store_id)


@bp.queue_trigger(arg_name="message", queue_name=bury.POISON, connection="OCS_STORAGE")
async def bury_transaction(message: func.QueueMessage) -> None:
    """Bury what the host gave up on; poison messages would vanish after seven days without a word."""
    await bury.bury_poison(runtime.unchecked(), _received(message))


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def redrive_dead_letters(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Take in again what failed through our own fault, when its time has come."""
    await bury.redrive_due(await runtime.current())


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def release_lines(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Let lines go whose POS SKU has been mapped since they were taken in."""
    await release_mapped(await runtime.current())


def _received(message: func.QueueMessage) -> Message:
    inserted = message.insertion_time or utc_now()
    if inserted.tzinfo is None:  # the Functions library drops an offset that it does not take for UTC; the host's is
        inserted = inserted.replace(tzinfo=UTC)
    return Message(str(message.id), message.get_body(), inserted)
