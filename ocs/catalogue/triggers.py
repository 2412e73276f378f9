"""When the item catalogue is read: asked for each night, taken further by the sweeper's timer."""

import azure.functions as func

from ocs import runtime
from ocs.catalogue import sync

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%OCS_CATALOGUE_SCHEDULE%", use_monitor=False)
async def ask_for_catalogues(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Have the catalogue of each environment read; the other timer does it."""
    await sync.ask_nightly(await runtime.current())


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def read_catalogues(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Read the next pages of the catalogues that were asked for."""
    await sync.run_syncs(await runtime.current())
