"""When read-backs are taken further: the sweeper's timer."""

import azure.functions as func

from ocs import runtime
from ocs.reconciliation import read_back

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def step_read_backs(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Read and compare the next pages of the read-backs that were asked for."""
    await read_back.run_read_backs(await runtime.current())
