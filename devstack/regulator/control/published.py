"""What the control door lets OCS publish and ship."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devstack.regulator.control.order import Order, read_order
from devstack.regulator.wholesale.catalogue import Catalogue
from devstack.regulator.wholesale.shipments import USUAL_PRICE, OrderLine, Shipments

Count = Annotated[int, Field(ge=1, le=100_000)]


class _CatalogueOrder(Order):
    itemList: list[dict[str, Any]]  # noqa: N815 - the platform's own name


class _GeneratedOrder(Order):
    items: Count
    seed: int = 1


class _ShipmentsOrder(Order):
    retailerASNList: list[dict[str, Any]]  # noqa: N815 - the platform's own name


class _LineOrder(Order):
    SKU: str
    cases: Count
    eachesPerCase: Count  # noqa: N815 - in the manner of the platform's own names
    unitPrice: Annotated[Decimal, Field(ge=0)] = USUAL_PRICE  # noqa: N815 - the platform's own name


class _WholesaleOrder(Order):
    orderedAt: AwareDatetime | None = None  # noqa: N815 - in the manner of the platform's own names
    lines: Annotated[list[_LineOrder], Field(min_length=1)]


class Published:
    """The catalogue and the shipments."""

    def __init__(self, catalogue: Catalogue, shipments: Shipments) -> None:
        """Publish and ship by these."""
        self._catalogue = catalogue
        self._shipments = shipments

    async def listing(self, _request: Request) -> Response:
        """Give the whole catalogue, so that a next publication can be made from it."""
        return JSONResponse({"itemList": self._catalogue.items})

    async def catalogue(self, request: Request) -> Response:
        """Publish these items and no others."""
        items = (await read_order(request, _CatalogueOrder)).itemList
        try:
            self._catalogue.publish(items)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"items": len(items)})

    async def generated(self, request: Request) -> Response:
        """Publish the sample items and made-up ones."""
        order = await read_order(request, _GeneratedOrder)
        try:
            self._catalogue.publish_generated(order.items, order.seed)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"items": order.items, "seed": order.seed})

    async def shipments(self, request: Request) -> Response:
        """Replace a store's shipping notices."""
        lines = (await read_order(request, _ShipmentsOrder)).retailerASNList
        try:
            self._shipments.replace(request.path_params["crsa"], lines)
        except (TypeError, ValueError) as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"lines": len(lines)})

    async def order(self, request: Request) -> Response:
        """Ship what a store ordered."""
        order = await read_order(request, _WholesaleOrder)
        crsa = request.path_params["crsa"]
        at = order.orderedAt or datetime.now(UTC)
        ordered = [OrderLine(line.SKU, line.cases, line.eachesPerCase, line.unitPrice) for line in order.lines]
        try:
            lines = self._shipments.ship(crsa, ordered, at)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"retailerCRSA": crsa, "noticedAt": at.isoformat(), "retailerASNList": lines})
