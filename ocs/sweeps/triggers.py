"""Two timers for everything that is swept: what is quick, and what waits for the platform's slow answers.

Two and not one for each room: in Flex Consumption each function that is not HTTP keeps an instance of its own
(docs/decisions/0018). A tick waits for the one before it, so nothing slow may stand among the quick ones.
"""

from collections.abc import Mapping

import azure.functions as func

from ocs import runtime
from ocs.sweeps.run import Sweep, run_all


def blueprint(quick: Mapping[str, Sweep], slow: Mapping[str, Sweep]) -> func.Blueprint:
    """Give the two timers, each with its sweeps by name."""
    bp = func.Blueprint()

    @bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
    async def sweep(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
        await run_all(await runtime.current(), quick)

    @bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
    async def read_platform(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
        await run_all(await runtime.current(), slow)

    return bp
