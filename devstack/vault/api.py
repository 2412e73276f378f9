"""The secrets part of the Key Vault REST API, over Starlette."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devstack.control_door import SayStandIn
from devstack.vault.control import Control
from devstack.vault.errors import Refused, answer, malformed
from devstack.vault.identity import Identity
from devstack.vault.shelf import Change, Shelf, Version

RESOURCE = "https://vault.azure.net"
CHALLENGE = (
    'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000", '
    f'resource="{RESOURCE}"'
)
PAGE = 2
Handler = Callable[[Request, Exception], Awaitable[Response]]
RECOVERABLE_DAYS = 90


class VaultApi:
    """Handlers of the vault's calls; every one checks the token first, then the ordered faults."""

    def __init__(self, shelf: Shelf, identity: Identity, control: Control) -> None:
        """Take where the secrets are, whose tokens count, and what a test has ordered."""
        self._shelf = shelf
        self._identity = identity
        self._control = control

    def app(self) -> Starlette:
        """Give the app; each reply says that it is not Key Vault."""
        one, version = "/secrets/{name}", "/secrets/{name}/{version}"
        routes = [
            Route("/secrets", self._list, methods=["GET"]),
            Route(one, self._set, methods=["PUT"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route("/secrets/{name}/versions", self._versions, methods=["GET"]),
            # The SDK asks for the newest version with an empty version in the path.
            *(Route(path, self._get, methods=["GET"]) for path in (one, f"{one}/", version)),
            Route(version, self._change, methods=["PATCH"]),
            Route("/deletedsecrets/{name}", self._deleted, methods=["GET"]),
            Route("/deletedsecrets/{name}", self._purge, methods=["DELETE"]),
        ]
        handlers: Mapping[Any, Handler] = {Refused: answer, HTTPException: _unknown_call}
        return Starlette(
            routes=routes, exception_handlers=handlers, middleware=[Middleware(SayStandIn, "not Azure Key Vault")]
        )

    async def _set(self, request: Request) -> Response:
        name, body = self._admit(request), await _body(request)
        value = body.get("value")
        if not isinstance(value, str):
            raise malformed("Property value is required and must be a text")
        return JSONResponse(_bundle(request, name, self._shelf.put(name, value, _change(body)), with_value=True))

    async def _get(self, request: Request) -> Response:
        name = self._admit(request, reads=True)
        version = self._shelf.value(name, request.path_params.get("version"))
        self._control.read(name)
        return JSONResponse(_bundle(request, name, version, with_value=True))

    async def _change(self, request: Request) -> Response:
        name, body = self._admit(request), await _body(request)
        version = self._shelf.change(name, request.path_params["version"], _change(body))
        return JSONResponse(_bundle(request, name, version))

    async def _versions(self, request: Request) -> Response:
        name = self._admit(request)
        return _page(request, [_bundle(request, name, version) for version in self._shelf.versions(name)])

    async def _list(self, request: Request) -> Response:
        self._admit(request)
        items = [_bundle(request, name, version) for name, version in self._shelf.newest()]
        return _page(request, [item | {"id": item["id"].rpartition("/")[0]} for item in items])

    async def _delete(self, request: Request) -> Response:
        name = self._admit(request)
        return JSONResponse(_deleted_bundle(request, name, self._shelf.delete(name)))

    async def _deleted(self, request: Request) -> Response:
        name = self._admit(request)
        return JSONResponse(_deleted_bundle(request, name, self._shelf.deleted(name)))

    async def _purge(self, request: Request) -> Response:
        self._shelf.purge(self._admit(request))
        return Response(status_code=204)

    def _admit(self, request: Request, *, reads: bool = False) -> str:
        """Check token and ordered faults, and give the secret's name, "" where the call has none; raises Refused."""
        if not self._identity.accepts(request.headers.get("Authorization"), RESOURCE):
            message = "AKV10000: Request is missing a Bearer or PoP token."
            raise Refused(401, "Unauthorized", message, headers={"WWW-Authenticate": CHALLENGE})
        name: str = request.path_params.get("name", "")
        self._control.pass_or_refuse(name, reads=reads)
        return name


async def _unknown_call(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    said = {"code": "BadParameter", "message": "The stand-in does not know this call."}
    return JSONResponse({"error": said}, status_code=status)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise malformed("The body is not a JSON object")
    return body


def _change(body: dict[str, Any]) -> Change:
    attributes = body.get("attributes") or {}
    return Change(
        enabled=attributes.get("enabled"),
        not_before=attributes.get("nbf"),
        expires=attributes.get("exp"),
        content_type=body.get("contentType"),
        tags=body.get("tags"),
    )


def _bundle(request: Request, name: str, version: Version, *, with_value: bool = False) -> dict[str, Any]:
    attributes = {
        "enabled": version.enabled,
        "nbf": version.not_before,
        "exp": version.expires,
        "created": version.created,
        "updated": version.updated,
        "recoveryLevel": "Recoverable+Purgeable",
        "recoverableDays": RECOVERABLE_DAYS,
    }
    return {
        **({"value": version.value} if with_value else {}),
        "id": f"{_origin(request)}/secrets/{name}/{version.id}",
        "attributes": {key: value for key, value in attributes.items() if value is not None},
        **({"contentType": version.content_type} if version.content_type is not None else {}),
        "tags": version.tags,
    }


def _deleted_bundle(request: Request, name: str, version: Version) -> dict[str, Any]:
    now = int(time.time())
    return _bundle(request, name, version) | {
        "recoveryId": f"{_origin(request)}/deletedsecrets/{name}",
        "deletedDate": now,
        "scheduledPurgeDate": now + RECOVERABLE_DAYS * 86_400,
    }


def _page(request: Request, items: list[dict[str, Any]]) -> Response:
    skip = int(request.query_params.get("$skiptoken", "0"))
    more = skip + PAGE < len(items)
    following = str(request.url.include_query_params(**{"$skiptoken": skip + PAGE})) if more else None
    return JSONResponse({"value": items[skip : skip + PAGE], "nextLink": following})


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"
