"""The HTTP app: rooms hand in their routers, Functions serves it through its ASGI middleware."""

from collections.abc import Sequence

import azure.functions as func
from fastapi import APIRouter, FastAPI

from ocs.web import problems

VERSION = "0.1.0"


def create_app(routers: Sequence[APIRouter], openapi_url: str | None = None) -> FastAPI:
    """Put the routers together with the replies to errors; their OpenAPI description stands where it is said to."""
    app = FastAPI(
        title="ocs",
        version=VERSION,
        summary="Reports an Ontario cannabis retailer's inventory to the OCS Data Platform.",
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for router in routers:
        app.include_router(router)
    return app


def blueprint(
    for_pos: Sequence[APIRouter], for_staff: Sequence[APIRouter], for_everyone: Sequence[APIRouter]
) -> func.Blueprint:
    """Serve the POS's route and the staff's routes behind a function key each, and the rest to everyone.

    Three apps: were a keyed route in the open one too, an oddly written path (`ocs%2Ftransactions`) could reach it
    through the catch-all, where no key is asked for. A function's own key opens that function only, so a POS that has
    the key of `pos_transactions` does not get to the staff's routes.

    The Functions host tries overlapping routes in the order of the functions' names (azure-functions-host issue 3153),
    so the catch-all's name comes last.
    """
    pos = func.AsgiMiddleware(create_app(for_pos))
    people = func.AsgiMiddleware(create_app(for_staff, "/api/ocs/openapi.json"))
    everyone = func.AsgiMiddleware(create_app(for_everyone, "/api/openapi.json"))
    bp = func.Blueprint()

    @bp.route("ocs/transactions", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
    async def pos_transactions(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await pos.handle_async(req, context)
        return response

    @bp.route("ocs/{*rest}", auth_level=func.AuthLevel.FUNCTION)
    async def staff(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await people.handle_async(req, context)
        return response

    @bp.route("{*route}", auth_level=func.AuthLevel.ANONYMOUS)
    async def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await everyone.handle_async(req, context)
        return response

    return bp
