"""Where a POS's uploads come in: their queue and its poison queue."""

import azure.functions as func

from ocs import runtime, telemetry
from ocs.dead_letters import doors
from ocs.openings.messages import INVENTORIES

bp = func.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name=INVENTORIES.queue, connection="OCS_STORAGE")
async def take_inventory(message: func.QueueMessage, context: func.Context) -> None:
    """Write the levels that a POS sent; a wrong message becomes a dead letter at once."""
    with telemetry.within(context):
        await doors.receive(await runtime.current(), INVENTORIES, doors.received(message))


@bp.queue_trigger(arg_name="message", queue_name=INVENTORIES.poison, connection="OCS_STORAGE")
async def bury_inventory(message: func.QueueMessage) -> None:
    """Bury what the host gave up on; poison messages would vanish after seven days without a word."""
    await doors.bury_poison(runtime.unchecked(), INVENTORIES, doors.received(message))
