"""Three timers for everything that is swept: what is quick, what waits for slow answers, and what watches the others.

Three and not one for each room: in Flex Consumption each function that is not HTTP keeps an instance of its own
(docs/decisions/0018). A tick waits for the one before it, so nothing slow may stand among the quick ones; and a timer
that is dead cannot tell that it is.
"""

from collections.abc import Mapping

import azure.functions as func

from ocs import runtime
from ocs.sweeps.run import Sweep, run_all

Sweeps = Mapping[str, Sweep]


def blueprint(quick: Sweeps, slow: Sweeps, watching: Sweeps) -> func.Blueprint:
    """Give the three timers, each with its sweeps by name."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
    async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
        await run_all(await runtime.current(), quick)

    @bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
    async def read_platform(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
        await run_all(await runtime.current(), slow)

    @bp.timer_trigger(arg_name="timer", schedule="%OCS_ALERTS_SCHEDULE%", use_monitor=False)
    async def watch(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
        await run_all(await runtime.current(), watching)

    return bp
