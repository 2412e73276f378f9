"""Where events come in: the transactions' queue, its poison queue, and the timers for what had to wait."""

import azure.functions as func

from ocs import runtime
from ocs.dead_letters import doors
from ocs.events.ingest import TRANSACTIONS
from ocs.events.release import release_mapped

bp = func.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name=TRANSACTIONS.queue, connection="OCS_STORAGE")
async def ingest_transaction(message: func.QueueMessage) -> None:
    """Take one POS transaction in and ring for its store; a wrong one becomes a dead letter at once."""
    await doors.receive(await runtime.current(), TRANSACTIONS, doors.received(message))


@bp.queue_trigger(arg_name="message", queue_name=TRANSACTIONS.poison, connection="OCS_STORAGE")
async def bury_transaction(message: func.QueueMessage) -> None:
    """Bury what the host gave up on; poison messages would vanish after seven days without a word."""
    await doors.bury_poison(runtime.unchecked(), TRANSACTIONS, doors.received(message))


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def redrive_dead_letters(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Take in again what failed through our own fault, when its time has come."""
    await doors.redrive_due(await runtime.current(), TRANSACTIONS)


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def release_lines(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Let lines go whose POS SKU has been mapped since they were taken in."""
    await release_mapped(await runtime.current())
