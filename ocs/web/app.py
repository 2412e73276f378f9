"""The HTTP app: rooms hand in their routers, Functions serves it through its ASGI middleware."""

from collections.abc import Sequence

import azure.functions as func
from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from ocs import telemetry
from ocs.access.idempotency import Idempotency
from ocs.telemetry.requests import Traced
from ocs.web import problems
from ocs.web.guard import Guard
from ocs.web.reference import page
from ocs.web.reference.describe import describe

VERSION = "0.2.0"
OPENAPI = "/api/ocs/openapi.json"


def create_app(routers: Sequence[APIRouter]) -> FastAPI:
    """Put the routers together with the replies to errors, and describe them all in one OpenAPI document."""
    app = FastAPI(
        title="ocs",
        version=VERSION,
        summary="Reports an Ontario cannabis retailer's inventory to the OCS Data Platform.",
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    for router in routers:
        app.include_router(router)
    app.include_router(page.router)
    app.openapi = describe(app, routers)  # type: ignore[method-assign] # as FastAPI's documentation extends it
    return app


def guarded(app: FastAPI) -> ASGIApp:
    """Put the guards around the app: what no route should have to think of."""
    return Traced(Guard(Idempotency(app)))


def blueprint(routers: Sequence[APIRouter]) -> func.Blueprint:
    """Serve all routes by one function without a function key: each caller brings a token or a key of its own.

    A function key would be one secret for everybody, which says neither who calls nor for which tenant.
    """
    middleware = func.AsgiMiddleware(guarded(create_app(routers)))
    bp = func.Blueprint()

    @bp.route("{*route}", auth_level=func.AuthLevel.ANONYMOUS)
    async def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        with telemetry.within(context):
            response: func.HttpResponse = await middleware.handle_async(req, context)
        return response

    return bp
