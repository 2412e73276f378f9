"""The sign-in's control door: who there is, tokens right and wrong, keys, and going down. Not part of Entra ID.

A wrong order is answered with 400 and `{"error": …}`. All under `/_control`, in JSON unless said otherwise.

    GET  people                  everybody, with `oid` and `sub`
    PUT  people/{key}            {"name"?, "user_name"?, "oid"?}: makes or changes somebody; DELETE takes away
    GET  tokens/{key}            an access token of that person, as plain text: made for `$(curl …)`
    POST tokens                  {"person", "use"?: "access" | "id", "seconds"?, "claims"?, "signed"?} answers {"token"}
                                 `seconds`: how long it is good; below 0: it expired so long ago
                                 `claims`: written over those of the person; null takes a claim out
                                 `signed`: "well", "unknown-key", "wrong-key", "public-key-as-secret", "not-at-all"
    GET  keys                    {"current", "published"}: key ids
    POST keys/rotate             sign with a new key; the one before stays published
    POST keys/retire             publish the current key only
    PUT  down                    {"down": true}: every address of the issuer answers 503 until {"down": false}
    GET  calls                   how often each address was asked: {"openid-configuration": 1, "keys": 1, …}
    POST reset                   the people of the start, no codes, no counts, up; keys stay
"""

import uuid
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from devstack.sign_in.issuer import Issuer
from devstack.sign_in.keys import KeyRing
from devstack.sign_in.people import PEOPLE, Person, oid_of
from devstack.sign_in.tokens import Signed, TokenMaker, Use


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PersonOrder(_Order):
    name: str | None = None
    user_name: str | None = None
    oid: uuid.UUID | None = None


class _TokenOrder(_Order):
    person: str
    use: Use = "access"
    seconds: float | None = Field(None, ge=-1e9, le=1e9)
    claims: dict[str, Any] = {}
    signed: Signed = "well"


class _DownOrder(_Order):
    down: bool


class Control:
    """The door's routes."""

    def __init__(self, issuer: Issuer, tokens: TokenMaker, keys: KeyRing) -> None:
        """Order these."""
        self._issuer = issuer
        self._tokens = tokens
        self._keys = keys

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        return [
            Route("/_control/people", self._everybody, methods=["GET"]),
            Route("/_control/people/{key}", self._name, methods=["PUT"]),
            Route("/_control/people/{key}", self._take_away, methods=["DELETE"]),
            Route("/_control/tokens/{key}", self._plain_token, methods=["GET"]),
            Route("/_control/tokens", self._token, methods=["POST"]),
            Route("/_control/keys", self._show_keys, methods=["GET"]),
            Route("/_control/keys/rotate", self._rotate, methods=["POST"]),
            Route("/_control/keys/retire", self._retire, methods=["POST"]),
            Route("/_control/down", self._down, methods=["PUT"]),
            Route("/_control/calls", self._calls, methods=["GET"]),
            Route("/_control/reset", self._reset, methods=["POST"]),
        ]

    async def _everybody(self, _: Request) -> Response:
        return JSONResponse([_shown(person) for person in self._issuer.people.values()])

    async def _name(self, request: Request) -> Response:
        key = request.path_params["key"]
        order = _PersonOrder.model_validate_json(await request.body() or b"{}")
        before = self._issuer.people.get(key, Person(key, key, f"{key}@ocs.example", oid_of(key)))
        person = Person(
            key, order.name or before.name, order.user_name or before.user_name, str(order.oid or before.oid)
        )
        self._issuer.people[key] = person
        return JSONResponse(_shown(person))

    async def _take_away(self, request: Request) -> Response:
        found = self._issuer.people.pop(request.path_params["key"], None)
        return Response(status_code=204 if found else 404)

    async def _plain_token(self, request: Request) -> Response:
        person = self._issuer.people.get(request.path_params["key"])
        if person is None:
            return _unknown(request.path_params["key"])
        return PlainTextResponse(self._tokens.sign(self._tokens.claims(person, "access")))

    async def _token(self, request: Request) -> Response:
        order = _TokenOrder.model_validate_json(await request.body())
        person = self._issuer.people.get(order.person)
        if person is None:
            return _unknown(order.person)
        claims = self._tokens.claims(person, order.use, seconds=order.seconds) | order.claims
        kept = {name: value for name, value in claims.items() if value is not None}
        return JSONResponse({"token": self._tokens.sign(kept, order.signed)})

    async def _show_keys(self, _: Request) -> Response:
        published = [key.kid for key in self._keys.published]
        return JSONResponse({"current": self._keys.current.kid, "published": published})

    async def _rotate(self, request: Request) -> Response:
        self._keys.rotate()
        return await self._show_keys(request)

    async def _retire(self, request: Request) -> Response:
        self._keys.retire()
        return await self._show_keys(request)

    async def _down(self, request: Request) -> Response:
        self._issuer.down = _DownOrder.model_validate_json(await request.body()).down
        return JSONResponse({"down": self._issuer.down})

    async def _calls(self, _: Request) -> Response:
        return JSONResponse(self._issuer.calls)

    async def _reset(self, _: Request) -> Response:
        self._issuer.people.clear()
        self._issuer.people.update({person.key: person for person in PEOPLE})
        self._issuer.forget_codes()
        self._issuer.calls.clear()
        self._issuer.down = False
        return JSONResponse({"reset": "everything but the keys"})


def _unknown(key: str) -> Response:
    return JSONResponse({"error": f"nobody is known by the key {key!r}"}, status_code=404)


def _shown(person: Person) -> dict[str, str]:
    return asdict(person) | {"sub": person.sub}
