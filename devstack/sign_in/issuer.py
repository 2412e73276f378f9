"""The issuer's own addresses: discovery, keys, authorize, token, logout."""

import base64
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from devstack.sign_in.keys import KeyRing
from devstack.sign_in.page import message_page, sign_in_page
from devstack.sign_in.people import Person
from devstack.sign_in.tokens import TokenMaker

CODE_SECONDS = 600
LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
ASKED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)


class Wrong(Exception):  # noqa: N818 - it names what the request is
    """A request that the issuer does not serve; the message says what is wrong with it."""


@dataclass(frozen=True)
class Grant:
    """What a code was given for; it is good once, until `until` (seconds since 1970)."""

    person: Person
    asked: Mapping[str, str]
    until: float


class Issuer:
    """Serves the sign-in; `people` are those who can sign in now, by key."""

    def __init__(self, tokens: TokenMaker, keys: KeyRing, people: dict[str, Person]) -> None:
        """Take what makes tokens, what is published, and who there is."""
        self.people = people
        self.calls: Counter[str] = Counter()
        """How often each address was asked, by its last word."""
        self.down = False
        """Whether every address answers 503."""
        self._tokens = tokens
        self._keys = keys
        self._codes: dict[str, Grant] = {}

    def routes(self) -> list[BaseRoute]:
        """Give the routes under the issuer's own path."""
        base = urlsplit(self._tokens.issuer).path
        return [
            Route(f"{base}/.well-known/openid-configuration", self._discovery, methods=["GET"]),
            Route(f"{base}/keys", self._published, methods=["GET"]),
            Route(f"{base}/authorize", self._ask, methods=["GET"]),
            Route(f"{base}/authorize", self._picked, methods=["POST"]),
            Route(f"{base}/token", self._token, methods=["POST"]),
            Route(f"{base}/logout", self._logout, methods=["GET"]),
        ]

    def forget_codes(self) -> None:
        """Make all codes that were not used yet useless."""
        self._codes.clear()

    async def _discovery(self, _: Request) -> Response:
        at = self._tokens.issuer
        return JSONResponse(
            {
                "issuer": at,
                "authorization_endpoint": f"{at}/authorize",
                "token_endpoint": f"{at}/token",
                "jwks_uri": f"{at}/keys",
                "end_session_endpoint": f"{at}/logout",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "subject_types_supported": ["pairwise"],
                "scopes_supported": ["openid", "profile", "email"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        )

    async def _published(self, _: Request) -> Response:
        return JSONResponse({"keys": [key.jwk for key in self._keys.published]})

    async def _ask(self, request: Request) -> Response:
        try:
            asked = self._checked(request.query_params)
        except Wrong as wrong:
            return _said(wrong)
        return HTMLResponse(sign_in_page(f"{self._tokens.issuer}/authorize", asked, self.people.values()))

    async def _picked(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        try:
            asked = self._checked(form)
        except Wrong as wrong:
            return _said(wrong)
        person = self.people.get(form.get("person", ""))
        if person is None:
            return _back(asked, error="access_denied", error_description="nobody of that name is known")
        code = secrets.token_urlsafe(24)
        self._codes[code] = Grant(person, asked, time.time() + CODE_SECONDS)
        return _back(asked, code=code)

    def _checked(self, given: Mapping[str, str]) -> dict[str, str]:
        """Give what an authorization request asks; raises Wrong, which is shown and never sent to the redirect URI."""
        asked = {name: given[name] for name in ASKED if given.get(name)}
        if asked.get("client_id") != self._tokens.client_id:
            raise Wrong("client_id: no app of that id is known")
        if not _is_here(asked.get("redirect_uri", "")):
            raise Wrong("redirect_uri: expected an http address of this machine")
        if asked.get("response_type") != "code":
            raise Wrong("response_type: expected code")
        if "code_challenge" not in asked or asked.get("code_challenge_method") != "S256":
            raise Wrong("code_challenge, code_challenge_method: expected PKCE with S256")
        if "openid" not in asked.get("scope", "").split():
            raise Wrong("scope: expected openid among others")
        return asked

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.get("grant_type") != "authorization_code":
            return _refused("unsupported_grant_type", "only authorization_code is served")
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.until < time.time():
            return _refused("invalid_grant", "the code is unknown, used or expired")
        if any(form.get(name) != grant.asked[name] for name in ("client_id", "redirect_uri")):
            return _refused("invalid_grant", "client_id and redirect_uri must be those of the code")
        if not secrets.compare_digest(_challenge(form.get("code_verifier", "")), grant.asked["code_challenge"]):
            return _refused("invalid_grant", "the code_verifier does not fit the code_challenge")
        return JSONResponse(self._granted(grant), headers={"Cache-Control": "no-store"})

    def _granted(self, grant: Grant) -> dict[str, Any]:
        of_id = self._tokens.claims(grant.person, "id")
        if "nonce" in grant.asked:
            of_id["nonce"] = grant.asked["nonce"]
        return {
            "token_type": "Bearer",
            "scope": grant.asked["scope"],
            "expires_in": int(self._tokens.seconds),
            "id_token": self._tokens.sign(of_id),
            "access_token": self._tokens.sign(self._tokens.claims(grant.person, "access")),
        }

    async def _logout(self, request: Request) -> Response:
        target = request.query_params.get("post_logout_redirect_uri", "")
        if _is_here(target):
            return RedirectResponse(target, status_code=302)
        return HTMLResponse(message_page("Signed out", "You are signed out."))


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.netloc.rpartition(":")[0] in LOOPBACK


def _challenge(verifier: str) -> str:
    """Give the S256 challenge of a verifier (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _back(asked: Mapping[str, str], **words: str) -> Response:
    if "state" in asked:
        words["state"] = asked["state"]
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return RedirectResponse(f"{asked['redirect_uri']}{joint}{urlencode(words)}", status_code=302)


def _said(wrong: Wrong) -> Response:
    return HTMLResponse(message_page("This sign-in cannot be served", str(wrong)), status_code=400)


def _refused(error: str, words: str) -> Response:
    return JSONResponse({"error": error, "error_description": words}, status_code=400)
