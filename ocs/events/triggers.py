"""Where events come in: the transactions' queue and its poison queue."""

import azure.functions as func

from ocs import runtime, telemetry
from ocs.dead_letters import doors
from ocs.events.ingest import TRANSACTIONS

bp = func.Blueprint()


@bp.queue_trigger(arg_name="message", queue_name=TRANSACTIONS.queue, connection="OCS_STORAGE")
async def ingest_transaction(message: func.QueueMessage, context: func.Context) -> None:
    """Take one POS transaction in and ring for its store; a wrong one becomes a dead letter at once."""
    with telemetry.within(context):
        await doors.receive(await runtime.current(), TRANSACTIONS, doors.received(message))


@bp.queue_trigger(arg_name="message", queue_name=TRANSACTIONS.poison, connection="OCS_STORAGE")
async def bury_transaction(message: func.QueueMessage) -> None:
    """Bury what the host gave up on; poison messages would vanish after seven days without a word."""
    await doors.bury_poison(runtime.unchecked(), TRANSACTIONS, doors.received(message))
