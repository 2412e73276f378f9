"""What the control door makes slow, and what it makes go wrong."""

from pydantic import Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devstack.regulator.control.order import Order, read_order, what_is_wrong
from devstack.regulator.faults import ORDER, Faults
from devstack.regulator.pace import OBSERVED_SECONDS, Pace


class _PaceOrder(Order):
    factor: float = Field(ge=0, le=100)


class Broken:
    """The pace and the faults."""

    def __init__(self, faults: Faults, pace: Pace) -> None:
        """Order these."""
        self._faults = faults
        self._pace = pace

    async def pace(self, _request: Request) -> Response:
        """Show the factor, and the seconds that it makes of the observed times."""
        seconds = {path: self._pace.seconds(path) for path in OBSERVED_SECONDS}
        return JSONResponse({"factor": self._pace.factor, "seconds": seconds})

    async def scale(self, request: Request) -> Response:
        """Set the factor."""
        self._pace.scale((await read_order(request, _PaceOrder)).factor)
        return await self.pace(request)

    async def add(self, request: Request) -> Response:
        """Take an order for a fault."""
        try:
            order = ORDER.validate_json(await request.body())
        except ValidationError as error:
            raise HTTPException(400, what_is_wrong(error)) from None
        return JSONResponse({"fault_id": self._faults.add(order)})

    async def listing(self, _request: Request) -> Response:
        """Show the faults and how often each was applied."""
        return JSONResponse(self._faults.listing())

    async def clear(self, _request: Request) -> Response:
        """End all faults."""
        self._faults.forget(None)
        return JSONResponse({"deleted": "everything"})

    async def delete(self, request: Request) -> Response:
        """End one fault."""
        fault_id = request.path_params["fault_id"]
        if not self._faults.delete(fault_id):
            raise HTTPException(404, f"there is no fault {fault_id}")
        return JSONResponse({"deleted": fault_id})
