"""The control door: who there is, what OCS publishes, what goes wrong, and what the platform has seen. All in JSON.

Not part of the Data Platform. A wrong order is answered with 400 and `{"error": …}`.
"""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.regulator.calls import History
from devstack.regulator.contract import shape
from devstack.regulator.contract.access import Access, Client, Store
from devstack.regulator.contract.reads import Reads
from devstack.regulator.contract.reports import Reports
from devstack.regulator.faults import ORDER, Faults
from devstack.regulator.ledger import Entry, Ledger

Text = Annotated[str, Field(min_length=1)]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ClientOrder(_Order):
    client_secret: Text
    expires_in: float = Field(3600.0, gt=0)


class _StoreOrder(_Order):
    crol: Text
    hash_key: Text
    client_id: Text


class _WhoOrder(_Order):
    client_id: str | None = None


class _StoreScope(_Order):
    crsa: str | None = None


class _FieldsOrder(_StoreScope):
    fields: frozenset[Text]


class _CatalogueOrder(_Order):
    itemList: list[dict[str, Any]]  # noqa: N815 - the platform's own name


class _ShipmentsOrder(_Order):
    retailerASNList: list[dict[str, Any]]  # noqa: N815 - the platform's own name


OrderKind = TypeVar("OrderKind", bound=_Order)


def control_door(
    access: Access, ledger: Ledger, faults: Faults, history: History, reports: Reports, reads: Reads
) -> Starlette:
    """Give the control door as an ASGI application."""
    said = _Said(access, reports, reads)
    broken = _Broken(faults)
    seen = _Seen(ledger, history)

    async def reset(request: Request) -> Response:
        """Go back to the start, for one store (which is then unknown) or for all."""
        crsa = (await _order(request, _StoreScope)).crsa
        for part in (faults, access, ledger, history, reports, reads):
            part.forget(crsa)
        return JSONResponse({"reset": crsa or "everything"})

    routes = [
        Route("/_control/clients/{client_id}", said.client, methods=["PUT"]),
        Route("/_control/stores/{crsa}", said.store, methods=["PUT"]),
        Route("/_control/tokens/revoke", said.revoke, methods=["POST"]),
        Route("/_control/extra-fields", said.extra_fields, methods=["PUT"]),
        Route("/_control/catalogue", said.catalogue, methods=["PUT"]),
        Route("/_control/shipments/{crsa}", said.shipments, methods=["PUT"]),
        Route("/_control/faults", broken.add, methods=["POST"]),
        Route("/_control/faults", broken.listing, methods=["GET"]),
        Route("/_control/faults", broken.clear, methods=["DELETE"]),
        Route("/_control/faults/{fault_id:int}", broken.delete, methods=["DELETE"]),
        Route("/_control/calls", seen.calls, methods=["GET"]),
        Route("/_control/in-flight", seen.in_flight, methods=["GET"]),
        Route("/_control/ledger", seen.counts, methods=["GET"]),
        Route("/_control/ledger/{crsa}", seen.lines, methods=["GET"]),
        Route("/_control/positions/{crsa}", seen.positions, methods=["GET"]),
        Route("/_control/reset", reset, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused})


class _Said:
    """What the control door tells the platform."""

    def __init__(self, access: Access, reports: Reports, reads: Reads) -> None:
        self._access = access
        self._reports = reports
        self._reads = reads

    async def client(self, request: Request) -> Response:
        order = await _order(request, _ClientOrder)
        client_id = request.path_params["client_id"]
        self._access.clients[client_id] = Client(order.client_secret, order.expires_in)
        return JSONResponse({"client_id": client_id})

    async def store(self, request: Request) -> Response:
        order = await _order(request, _StoreOrder)
        crsa = request.path_params["crsa"]
        self._access.stores[crsa] = Store(order.crol, order.hash_key, order.client_id)
        return JSONResponse({"crsa": crsa})

    async def revoke(self, request: Request) -> Response:
        order = await _order(request, _WhoOrder)
        return JSONResponse({"revoked": self._access.revoke(order.client_id)})

    async def extra_fields(self, request: Request) -> Response:
        order = await _order(request, _FieldsOrder)
        documented = order.fields & shape.EVENT_FIELDS.keys()
        if documented:
            raise HTTPException(400, f"{min(documented)} is a documented field")
        self._reports.allow(order.crsa, order.fields)
        return JSONResponse({"fields": sorted(order.fields), "crsa": order.crsa})

    async def catalogue(self, request: Request) -> Response:
        items = (await _order(request, _CatalogueOrder)).itemList
        try:
            self._reads.publish_items(items)
        except ValueError as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"items": len(items)})

    async def shipments(self, request: Request) -> Response:
        lines = (await _order(request, _ShipmentsOrder)).retailerASNList
        try:
            self._reads.ship(request.path_params["crsa"], lines)
        except (TypeError, ValueError) as error:
            raise HTTPException(400, str(error)) from None
        return JSONResponse({"lines": len(lines)})


class _Broken:
    """What the control door makes go wrong."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    async def add(self, request: Request) -> Response:
        try:
            order = ORDER.validate_json(await request.body())
        except ValidationError as error:
            raise HTTPException(400, _what(error)) from None
        return JSONResponse({"fault_id": self._faults.add(order)})

    async def listing(self, _request: Request) -> Response:
        return JSONResponse(self._faults.listing())

    async def clear(self, _request: Request) -> Response:
        self._faults.forget(None)
        return JSONResponse({"deleted": "everything"})

    async def delete(self, request: Request) -> Response:
        fault_id = request.path_params["fault_id"]
        if not self._faults.delete(fault_id):
            raise HTTPException(404, f"there is no fault {fault_id}")
        return JSONResponse({"deleted": fault_id})


class _Seen:
    """What the platform has seen."""

    def __init__(self, ledger: Ledger, history: History) -> None:
        self._ledger = ledger
        self._history = history

    async def calls(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise HTTPException(400, f"after: found {after}, expected a number")
        return JSONResponse(self._history.listing(int(after), request.query_params.get("crsa")))

    async def in_flight(self, _request: Request) -> Response:
        return JSONResponse(self._history.in_flight())

    async def counts(self, _request: Request) -> Response:
        stores = self._ledger.stores()
        return JSONResponse(
            {
                crsa: {
                    "lines": len(store.lines),
                    "times_received": store.lines_received,
                    "positions": len(store.positions),
                }
                for crsa, store in stores.items()
            }
        )

    async def lines(self, request: Request) -> Response:
        entries = self._ledger.store(request.path_params["crsa"]).lines.values()
        lines = []
        for entry in entries:
            content = shape.as_sent(shape.EVENT, entry.content)
            lines.append({"line_id": content["posTransactionLineId"], "content": content} | _history_of(entry))
        return JSONResponse(lines)

    async def positions(self, request: Request) -> Response:
        positions = []
        for instant, entry in self._ledger.store(request.path_params["crsa"]).positions.items():
            timestamp, *contents = entry.content.split(shape.BETWEEN_LINES)
            lines = [shape.as_sent(shape.POSITION, content) for content in contents]
            positions.append(_position(instant, timestamp, lines) | _history_of(entry))
        return JSONResponse(positions)


def _position(instant: datetime, timestamp: str, lines: list[dict[str, str]]) -> dict[str, Any]:
    return {"instant": instant.isoformat(), "positionTimeStamp": timestamp, "lines": lines}


def _history_of(entry: Entry) -> dict[str, Any]:
    return {
        "times_received": entry.times_received,
        "contents_seen": entry.contents_seen,
        "first_number": entry.first_number,
        "last_number": entry.last_number,
        "posted_at": entry.posting.stamp,
    }


async def _order(request: Request, kind: type[OrderKind]) -> OrderKind:
    """Read an order; no body is an empty one. Raises HTTPException (400) naming what is wrong."""
    try:
        return kind.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        raise HTTPException(400, _what(error)) from None


def _what(error: ValidationError) -> str:
    # Not the values: they may be secrets.
    return "; ".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors())


async def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return JSONResponse({"error": error.detail}, status_code=error.status_code)
