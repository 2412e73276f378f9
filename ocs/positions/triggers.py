"""When positions are made: the timer that finds what is due. A sweep takes backfills further."""

import azure.functions as func

from ocs import runtime
from ocs.alerts import heartbeats
from ocs.positions import coverage, night

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%OCS_POSITIONS_SCHEDULE%", use_monitor=False)
async def make_positions(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Make what is due in each store's own zone, then check that last night's positions were accepted."""
    own = await runtime.current()
    await night.make_due(own)
    await coverage.check_coverage(own)
    await heartbeats.tick(own, "make_positions")
