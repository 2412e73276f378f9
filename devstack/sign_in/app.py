"""The sign-in as one app: the issuer behind its switch, the control door beside it; every reply says what it is."""

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from devstack.control_door import SayStandIn, wrong_order
from devstack.sign_in.control import Control
from devstack.sign_in.issuer import Issuer
from devstack.sign_in.keys import KeyRing
from devstack.sign_in.people import DIRECTORY, PEOPLE
from devstack.sign_in.tokens import TokenMaker

STAND_IN = "not Microsoft Entra ID"


def create_app(url: str, client_id: str, seconds: float) -> ASGIApp:
    """Give the app that answers at `url`; tokens are for `client_id` and good for so many seconds."""
    keys = KeyRing()
    tokens = TokenMaker(issuer_at(url), client_id, keys, seconds)
    issuer = Issuer(tokens, keys, {person.key: person for person in PEOPLE})
    routes = [*issuer.routes(), *Control(issuer, tokens, keys).routes()]
    app = Starlette(routes=routes, exception_handlers={ValidationError: wrong_order})
    return SayStandIn(_Switch(app, issuer), STAND_IN)


def issuer_at(url: str) -> str:
    """Give the issuer's name: it has a path, as Entra's has, so that who puts addresses together wrongly sees it."""
    return f"{url}/{DIRECTORY}/v2.0"


class _Switch:
    """Counts what the issuer is asked, and answers for it while it is down."""

    def __init__(self, app: ASGIApp, issuer: Issuer) -> None:
        self._app = app
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._app
        if not scope["path"].startswith("/_control"):
            self._issuer.calls[scope["path"].rpartition("/")[2]] += 1
            if self._issuer.down:
                app = JSONResponse({"error": "temporarily_unavailable"}, status_code=503)
        await app(scope, receive, send)
