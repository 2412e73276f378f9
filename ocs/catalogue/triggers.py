"""When the item catalogue is asked for: each night. A sweep reads it, page by page."""

import azure.functions as func

from ocs import runtime
from ocs.alerts import heartbeats
from ocs.catalogue import sync

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%OCS_CATALOGUE_SCHEDULE%", use_monitor=False)
async def ask_for_catalogues(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Have the catalogue of each environment read."""
    own = await runtime.current()
    await sync.ask_nightly(own)
    await heartbeats.tick(own, "ask_for_catalogues")
