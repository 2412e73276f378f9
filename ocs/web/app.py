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


def blueprint(keyed: FastAPI, open_app: FastAPI) -> func.Blueprint:
    """Serve the POS's route behind the function key, and everything else by the roles of its routes.

    Two apps: were the POS's route in the open one too, an oddly written path (`ocs%2Ftransactions`) could reach it
    through the catch-all, where no key is asked for.

    The Functions host tries overlapping routes in the order of the functions' names (azure-functions-host issue 3153),
    so the catch-all's name comes last.
    """
    behind_the_key, behind_roles = func.AsgiMiddleware(keyed), func.AsgiMiddleware(open_app)
    bp = func.Blueprint()

    @bp.route("ocs/transactions", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
    async def pos_transactions(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await behind_the_key.handle_async(req, context)
        return response

    @bp.route("{*route}", auth_level=func.AuthLevel.ANONYMOUS)
    async def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        response: func.HttpResponse = await behind_roles.handle_async(req, context)
        return response

    return bp
