"""The routes of the control door; the package's docstring lists them for people."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.regulator.calls import History
from devstack.regulator.control.broken import Broken
from devstack.regulator.control.found import Found
from devstack.regulator.control.order import StoreScope, read_order, refused
from devstack.regulator.control.published import Published
from devstack.regulator.control.said import Said
from devstack.regulator.control.seen import Seen
from devstack.regulator.data_platform import DataPlatform
from devstack.regulator.faults import Faults
from devstack.regulator.pace import Pace


def control_door(platform: DataPlatform, faults: Faults, history: History, pace: Pace) -> Starlette:
    """Give the control door as an ASGI application."""

    async def reset(request: Request) -> Response:
        """Go back to the start, for one store (which is then unknown) or for all."""
        crsa = (await read_order(request, StoreScope)).crsa
        for part in (faults, platform, history, pace):
            part.forget(crsa)
        return JSONResponse({"reset": crsa or "everything"})

    routes = [
        *_telling(Said(platform.access, platform.reports), Published(platform.catalogue, platform.shipments)),
        *_breaking(Broken(faults, pace)),
        *_showing(Seen(platform.ledger, history), Found(platform.reconciliation)),
        Route("/_control/reset", reset, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: refused})


def _telling(said: Said, published: Published) -> list[Route]:
    return [
        Route("/_control/clients/{client_id}", said.client, methods=["PUT"]),
        Route("/_control/stores/{crsa}", said.store, methods=["PUT"]),
        Route("/_control/tokens/revoke", said.revoke, methods=["POST"]),
        Route("/_control/extra-fields", said.extra_fields, methods=["PUT"]),
        Route("/_control/empty-positions", said.empty_positions, methods=["PUT"]),
        Route("/_control/catalogue", published.listing, methods=["GET"]),
        Route("/_control/catalogue", published.catalogue, methods=["PUT"]),
        Route("/_control/catalogue/generated", published.generated, methods=["PUT"]),
        Route("/_control/shipments/{crsa}", published.shipments, methods=["PUT"]),
        Route("/_control/orders/{crsa}", published.order, methods=["POST"]),
    ]


def _breaking(broken: Broken) -> list[Route]:
    return [
        Route("/_control/pace", broken.pace, methods=["GET"]),
        Route("/_control/pace", broken.scale, methods=["PUT"]),
        Route("/_control/faults", broken.add, methods=["POST"]),
        Route("/_control/faults", broken.listing, methods=["GET"]),
        Route("/_control/faults", broken.clear, methods=["DELETE"]),
        Route("/_control/faults/{fault_id:int}", broken.delete, methods=["DELETE"]),
    ]


def _showing(seen: Seen, found: Found) -> list[Route]:
    return [
        Route("/_control/calls", seen.calls, methods=["GET"]),
        Route("/_control/in-flight", seen.in_flight, methods=["GET"]),
        Route("/_control/ledger", seen.counts, methods=["GET"]),
        Route("/_control/ledger/{crsa}", seen.lines, methods=["GET"]),
        Route("/_control/positions/{crsa}", seen.positions, methods=["GET"]),
        Route("/_control/reconcile", found.reconcile, methods=["POST"]),
        Route("/_control/findings", found.findings, methods=["GET"]),
        Route("/_control/mails", found.mails, methods=["GET"]),
    ]
