"""What the platform finds when it reconciles, as the control door orders and shows it."""

from datetime import UTC, datetime

from pydantic import AwareDatetime
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devstack.regulator.control.order import Order, read_order
from devstack.regulator.reconciliation.run import Reconciliation


class _ReconcileOrder(Order):
    crol: str | None = None
    at: AwareDatetime | None = None


class Found:
    """The reconciliation, its findings and its mails."""

    def __init__(self, reconciliation: Reconciliation) -> None:
        """Order and show this one."""
        self._reconciliation = reconciliation

    async def reconcile(self, request: Request) -> Response:
        """Run the ten checks, of one retailer or of all."""
        order = await read_order(request, _ReconcileOrder)
        at = order.at or datetime.now(UTC)
        try:
            found = await self._reconciliation.run(order.crol, at)
        except LookupError as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse(
            {
                "at": at.isoformat(),
                "open": [noted.as_json() for noted in found.open],
                "resolved": [noted.as_json() for noted in found.resolved],
            }
        )

    async def findings(self, request: Request) -> Response:
        """Show the findings of one store or of all, the eldest first."""
        listing = self._reconciliation.findings(request.query_params.get("crsa"))
        return JSONResponse([noted.as_json() for noted in listing])

    async def mails(self, request: Request) -> Response:
        """Show the mails to one retailer or to all, the eldest first."""
        listing = self._reconciliation.mails(request.query_params.get("crol"))
        return JSONResponse([mail.as_json() for mail in listing])
