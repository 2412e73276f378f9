"""The door in front of the host's HTTP side: `/.auth/…`, the session, and the headers about who is signed in."""

import logging
import secrets
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import jwt
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from devstack.host.easy_auth.cookies import BEGUN, SESSION, Seal, forget
from devstack.host.easy_auth.headers import PROVIDER, of_person, typed, without_ours
from devstack.host.easy_auth.issuer import Begun, Issuer, SignInFailed, begin

log = logging.getLogger(__name__)
LONGEST_TARGET = 2000
"""Characters of an address to go to afterwards: it travels in a cookie."""


class EasyAuth:
    """An ASGI middleware that signs browsers in; all that is not under `/.auth` goes on to the app behind."""

    def __init__(self, app: ASGIApp, issuer: Issuer, secret: str) -> None:
        """Take what stands behind, who signs people in, and the host's key, by which sessions are sealed."""
        self._app = app
        self._issuer = issuer
        self._seal = Seal(secret)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `/.auth/…`, or pass the request on with what is known of its sender and nothing that it made up."""
        request = Request(scope, receive)
        if scope["path"] == "/.auth" or scope["path"].startswith("/.auth/"):
            reply = await self._answer(request)
            await reply(scope, receive, send)
            return
        headers = without_ours(scope["headers"])
        session = self._seal.read(request.cookies, SESSION)
        if session is not None:
            headers += of_person(_claims(session), session["id_token"])
        await self._app({**scope, "headers": headers}, receive, send)

    async def _answer(self, request: Request) -> Response:
        answers = {
            "/.auth/login/aad": self._login,
            "/.auth/login/aad/callback": self._callback,
            "/.auth/login/done": _signed_in,
            "/.auth/logout": self._logout,
            "/.auth/logout/done": _signed_out,
            "/.auth/me": self._me,
        }
        answer = answers.get(request.url.path)
        if answer is None or request.method != "GET":
            return Response(status_code=HTTPStatus.NOT_FOUND)
        try:
            return await answer(request)
        except SignInFailed as error:
            log.warning("sign-in failed: %s", error)
            return PlainTextResponse(f"You are not signed in: {error}.", HTTPStatus.UNAUTHORIZED)

    async def _login(self, request: Request) -> Response:
        target = request.query_params.get("post_login_redirect_uri", "/.auth/login/done")
        if not _is_own(target, request):
            return _elsewhere()
        begun = begin(target)
        reply = _go_to(await self._issuer.authorize_url(begun, _origin(request)))
        self._seal.put(reply, BEGUN, begun.words)
        return reply

    async def _callback(self, request: Request) -> Response:
        kept = self._seal.read(request.cookies, BEGUN)
        if kept is None:
            raise SignInFailed("no sign-in was begun in this browser, or too long ago")
        begun = Begun(kept["target"], kept["state"], kept["nonce"], kept["verifier"])
        if not secrets.compare_digest(request.query_params.get("state", "").encode(), begun.state.encode()):
            raise SignInFailed("this is the answer to another sign-in")
        code = request.query_params.get("code")
        if code is None:
            raise SignInFailed(request.query_params.get("error_description", "the issuer gave no code"))
        token, _ = await self._issuer.id_token(begun, _origin(request), code)
        reply = _go_to(begun.target)
        self._seal.put(reply, SESSION, {"id_token": token})
        forget(reply, BEGUN)
        return reply

    async def _logout(self, request: Request) -> Response:
        """End the session here and at the issuer, as App Service does with Microsoft Entra ID."""
        target = request.query_params.get("post_logout_redirect_uri", "/.auth/logout/done")
        if not _is_own(target, request):
            return _elsewhere()
        own = target if urlsplit(target).netloc else _origin(request) + target
        try:
            reply = _go_to(await self._issuer.logout_url(own))
        except SignInFailed:
            reply = _go_to(target)  # who wants to be signed out is signed out here in any case
        forget(reply, SESSION)
        return reply

    async def _me(self, request: Request) -> Response:
        session = self._seal.read(request.cookies, SESSION)
        if session is None:
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        claims = _claims(session)
        about = {
            "provider_name": PROVIDER,
            "user_id": claims["preferred_username"],
            "user_claims": typed(claims),
            "id_token": session["id_token"],
            "expires_on": datetime.fromtimestamp(claims["exp"], UTC).isoformat(),
        }
        return JSONResponse([about], headers={"Cache-Control": "no-store"})


async def _signed_in(_: Request) -> Response:
    return PlainTextResponse("You are signed in.")


async def _signed_out(_: Request) -> Response:
    return PlainTextResponse("You are signed out.")


def _claims(session: dict[str, Any]) -> dict[str, Any]:
    # Checked when the session began, and the session is sealed: reading is enough.
    claims: dict[str, Any] = jwt.decode(session["id_token"], options={"verify_signature": False})
    return claims


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _is_own(target: str, request: Request) -> bool:
    """Tell whether an address is of this host: no open redirect for others."""
    if len(target) > LONGEST_TARGET or not target.isprintable() or "\\" in target:
        return False
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return f"{parts.scheme}://{parts.netloc}" == _origin(request)
    return target.startswith("/") and not target.startswith("//")


def _go_to(url: str) -> RedirectResponse:
    return RedirectResponse(url, HTTPStatus.FOUND, headers={"Cache-Control": "no-store"})


def _elsewhere() -> Response:
    return PlainTextResponse("Only addresses of this app can be gone to.", HTTPStatus.FORBIDDEN)
