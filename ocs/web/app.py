"""The HTTP app: rooms hand in their routers, Functions serves it through its ASGI middleware."""

from collections.abc import Sequence

import azure.functions as func
from fastapi import APIRouter, FastAPI

from ocs.web import problems

VERSION = "0.1.0"


def create_app(routers: Sequence[APIRouter]) -> FastAPI:
    """Put the routers together with the replies to errors."""
    app = FastAPI(
        title="ocs",
        version=VERSION,
        summary="Reports an Ontario cannabis retailer's inventory to the OCS Data Platform.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for router in routers:
        app.include_router(router)
    return app


def blueprint(app: FastAPI) -> func.Blueprint:
    """Serve the app: the POS's route behind the function key, everything else by the roles of its routes.

    The Functions host tries overlapping routes in the order of the functions' names (azure-functions-host issue 3153),
    so the catch-all's name comes last.
    """
    middleware = func.AsgiMiddleware(app)
    bp = func.Blueprint()

    @bp.route("ocs/transactions", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
    async def pos_transactions(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await middleware.handle_async(req, context)
        return response

    @bp.route("{*route}", auth_level=func.AuthLevel.ANONYMOUS)
    async def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await middleware.handle_async(req, context)
        return response

    return bp
