"""When shipping notices are due; the sweeps read them, put receipts on the queue and find shipments that agree."""

import azure.functions as func

from ocs import runtime
from ocs.alerts import heartbeats
from ocs.shipping import fetch

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SHIPPING_SCHEDULE%", use_monitor=False)
async def make_shipping_due(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Make the reading of shipping notices due for every reporting store."""
    own = await runtime.current()
    await fetch.make_due(own)
    await heartbeats.tick(own, "make_shipping_due")
