"""What the control door tells the platform: who there is, and what it tolerates."""

from typing import Annotated

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devstack.regulator.contract import shape
from devstack.regulator.contract.access import Access, Client, Store
from devstack.regulator.contract.reports import Reports
from devstack.regulator.control.order import Order, StoreScope, read_order

Text = Annotated[str, Field(min_length=1)]


class _ClientOrder(Order):
    client_secret: Text
    expires_in: float = Field(3600.0, gt=0)


class _StoreOrder(Order):
    crol: Text
    hash_key: Text
    client_id: Text


class _WhoOrder(Order):
    client_id: str | None = None


class _FieldsOrder(StoreScope):
    fields: frozenset[Text]


class _EmptyOrder(StoreScope):
    accepted: bool


class Said:
    """Clients, stores, tokens, and what is tolerated."""

    def __init__(self, access: Access, reports: Reports) -> None:
        """Tell these."""
        self._access = access
        self._reports = reports

    async def client(self, request: Request) -> Response:
        """Make a client known, or change its secret."""
        order = await read_order(request, _ClientOrder)
        client_id = request.path_params["client_id"]
        self._access.clients[client_id] = Client(order.client_secret, order.expires_in)
        return JSONResponse({"client_id": client_id})

    async def store(self, request: Request) -> Response:
        """Make a store known, or change its hash key."""
        order = await read_order(request, _StoreOrder)
        crsa = request.path_params["crsa"]
        self._access.stores[crsa] = Store(order.crol, order.hash_key, order.client_id)
        return JSONResponse({"crsa": crsa})

    async def revoke(self, request: Request) -> Response:
        """Refuse the tokens given so far."""
        order = await read_order(request, _WhoOrder)
        return JSONResponse({"revoked": self._access.revoke(order.client_id)})

    async def extra_fields(self, request: Request) -> Response:
        """Tolerate fields beyond the documented ones."""
        order = await read_order(request, _FieldsOrder)
        documented = order.fields & shape.EVENT_FIELDS.keys()
        if documented:
            raise HTTPException(400, f"{min(documented)} is a documented field")
        self._reports.allow(order.crsa, order.fields)
        return JSONResponse({"fields": sorted(order.fields), "crsa": order.crsa})

    async def empty_positions(self, request: Request) -> Response:
        """Take or refuse positions without lines."""
        order = await read_order(request, _EmptyOrder)
        self._reports.take_empty_positions(order.crsa, accepted=order.accepted)
        return JSONResponse({"accepted": order.accepted, "crsa": order.crsa})
