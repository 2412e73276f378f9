"""Where a POS's uploads come in: their queue, its poison queue, and the timer for dead letters."""

from datetime import UTC

import azure.functions as func

from ocs import runtime
from ocs.bad_input import BadInput
from ocs.clock import utc_now
from ocs.openings import messages
from ocs.openings.messages import Message

bp = func.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name=messages.QUEUE, connection="OCS_STORAGE")
async def take_inventory(message: func.QueueMessage) -> None:
    """Write the levels that a POS sent; a wrong message becomes a dead letter at once."""
    own = await runtime.current()
    received = _received(message)
    try:
        await messages.take_message(own, received)
    except BadInput as error:
        await messages.bury_bad(own, received, error)


@bp.queue_trigger(arg_name="message", queue_name=messages.POISON, connection="OCS_STORAGE")
async def bury_inventory(message: func.QueueMessage) -> None:
    """Bury what the host gave up on; poison messages would vanish after seven days without a word."""
    await messages.bury_poison(runtime.unchecked(), _received(message))


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def redrive_inventories(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Take again what failed through our own fault, when its time has come."""
    await messages.redrive_due(await runtime.current())


def _received(message: func.QueueMessage) -> Message:
    inserted = message.insertion_time or utc_now()
    if inserted.tzinfo is None:  # the Functions library drops an offset that it does not take for UTC; the host's is
        inserted = inserted.replace(tzinfo=UTC)
    return Message(str(message.id), message.get_body(), inserted)
