"""Where delivery is woken: the doorbell and its poison queue. Bells that were lost are found by a sweep."""

from uuid import UUID

import azure.functions as func
from pydantic import BaseModel, ValidationError

from ocs import runtime, telemetry
from ocs.delivery import sender

bp = func.Blueprint()
log = telemetry.logger("delivery")


class Doorbell(BaseModel):
    """Which store has something to send. It is only a bell: the work is the row in Postgres."""

    store_id: UUID


@bp.queue_trigger(arg_name="bell", queue_name=sender.DOORBELLS, connection="OCS_STORAGE")
async def deliver(bell: func.QueueMessage, context: func.Context) -> None:
    """Send what the store has due. A bell that cannot be read is logged and forgotten: the sweeper rings anew."""
    try:
        store_id = Doorbell.model_validate_json(bell.get_body()).store_id
    except ValidationError:
        log.exception("a doorbell that names no store", message_id=bell.id)
        return
    with telemetry.within(context):
        await sender.answer_bell(await runtime.current(), store_id)


@bp.queue_trigger(arg_name="bell", queue_name=f"{sender.DOORBELLS}-poison", connection="OCS_STORAGE")
async def forget_doorbell(bell: func.QueueMessage) -> None:
    """Say that a bell was answered five times in vain; nothing is lost, the sweeper rings while work is due."""
    log.error("a doorbell was given up by the host", message_id=bell.id, body=bell.get_body().decode(errors="replace"))
