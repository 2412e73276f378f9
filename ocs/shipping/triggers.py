"""When shipping notices are read, receipts put on the queue, and shipments found to agree."""

import azure.functions as func

from ocs import runtime
from ocs.shipping import differences, fetch, put

bp = func.Blueprint()


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SHIPPING_SCHEDULE%", use_monitor=False)
async def make_shipping_due(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Make the reading of shipping notices due for every reporting store."""
    await fetch.make_due(await runtime.current())


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def fetch_shipping_notices(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Do the readings that are due, for about a minute."""
    await fetch.fetch_due(await runtime.current())


@bp.timer_trigger(arg_name="timer", schedule="%OCS_SWEEP_SCHEDULE%", use_monitor=False)
async def follow_receipts(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the binding's name
    """Put receipts on the queue that are not on it yet, and find the shipments that agree by now."""
    own = await runtime.current()
    await put.put_receipts(own)
    await differences.reconcile(own)
