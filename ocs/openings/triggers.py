"""Where a POS's uploads come in: their queue, its poison queue, and the timer for dead letters."""

import azure.functions as func

from ocs import runtime
from ocs.dead_letters import doors
from ocs.openings.messages import INVENTORIES

bp = func.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name=INVENTORIES.queue, connection="OCS_STORAGE")
async def take_inventory(message: func.QueueMessage) -> None:
    """Write the levels that a POS sent; a wrong message becomes a dead letter at once."""
    await doors.receive(await runtime.current(), INVENTORIES, doors.received(message))


@bp.queue_trigger(arg_name="message", queue_name=INVENTORIES.poison, connection="OCS_STORAGE")
async def bury_inventory(message: func.QueueMessage) -> None:
    """Bury what the host gave up on; poison messages would vanish after seven days without a word."""
    await doors.bury_poison(runtime.unchecked(), INVENTORIES, doors.received(message))


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def redrive_inventories(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Take again what failed through our own fault, when its time has come."""
    await doors.redrive_due(await runtime.current(), INVENTORIES)
