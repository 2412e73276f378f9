"""The host's HTTP side: HTTP triggers behind their routes and keys, and the host's own two /admin addresses.

Differs on purpose: one key opens everything that needs a key, and /admin/host/status is open.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from azure.functions import meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from devstack.host.invoke import Invoker
from devstack.host.routes import Routes
from devstack.host.timers import Timer

log = logging.getLogger(__name__)

LARGEST_BODY = 100 * 1024 * 1024
"""Bytes: FUNCTIONS_REQUEST_BODY_SIZE_LIMIT's default in Azure's host."""
STAND_IN = "devstack functions host (a stand-in, not the Azure Functions host)"


class BodyTooLarge(Exception):  # noqa: N818 - it names what happened
    """The request's body is larger than the host takes."""


class Door:
    """The ASGI application that turns requests into runs of HTTP functions."""

    def __init__(
        self,
        routes: Routes,
        invoker: Invoker,
        key: str,
        timers: Sequence[Timer],
        status: Mapping[str, Any],
    ) -> None:
        """Keep what requests need; `status` is what /admin/host/status answers."""
        self._routes = routes
        self._invoker = invoker
        self._key = key
        self._timers = {timer.function.name: timer for timer in timers}
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = await self._answer(Request(scope, receive))
        await reply(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if request.url.path.startswith("/admin/"):
            return self._admin(request)
        found = self._routes.find(request.method, request.scope["path"])
        if found is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        route, values = found
        if route.trigger.needs_key and not self._has_key(request):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        try:
            value = _trigger_value(request, values, await _body(request))
        except BodyTooLarge:
            return Response(status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        result = await self._invoker.run(route.function, value)
        return _reply(result.value) if result.succeeded else Response(status_code=HTTPStatus.INTERNAL_SERVER_ERROR)

    def _has_key(self, request: Request) -> bool:
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        return secrets.compare_digest(given.encode(), self._key.encode())

    def _admin(self, request: Request) -> Response:
        match request.method, request.url.path.split("/")[2:]:
            case "GET", ["host", "status"]:
                return JSONResponse(self._status)
            case "POST", ["functions", name] if not self._has_key(request):
                return Response(status_code=HTTPStatus.UNAUTHORIZED)
            case "POST", ["functions", name] if name in self._timers:
                # As in Azure ("Manually run a non HTTP-triggered function"): accepted, the run is not waited for.
                self._timers[name].start(self._invoker)
                return Response(status_code=HTTPStatus.ACCEPTED)
        return Response(status_code=HTTPStatus.NOT_FOUND)


class Server(uvicorn.Server):
    """Uvicorn inside our loop: it says when it is up, and leaves the signals to us."""

    def __init__(self, door: Callable[[Scope, Receive, Send], Awaitable[None]], drain: float) -> None:
        """Configure it; nothing listens yet. `drain` is how many seconds running requests get at the end."""
        config = uvicorn.Config(
            door,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            headers=[("server", STAND_IN)],
            timeout_graceful_shutdown=max(1, round(drain)),
        )
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none: the host stops the queues before the HTTP side."""
        yield


async def _body(request: Request) -> bytes:
    if int(request.headers.get("content-length", "0")) > LARGEST_BODY:
        raise BodyTooLarge
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY:
            raise BodyTooLarge
        parts.append(part)
    return b"".join(parts)


def _trigger_value(request: Request, values: Mapping[str, str], body: bytes) -> Any:
    said = {
        "method": meta.Datum(request.method, "string"),
        "url": meta.Datum(str(request.url), "string"),
        "headers": _strings(_joined(request.headers.items())),
        "query": _strings(_joined(parse_qsl(request.url.query, keep_blank_values=True))),
        "params": _strings(values),
        "body": meta.Datum(body, "bytes"),
    }
    return meta.get_binding_registry().get("httpTrigger").decode(meta.Datum(said, "http"), trigger_metadata=None)


def _joined(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    # What comes twice arrives as one text with a comma, as .NET's StringValues are written.
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _strings(values: Mapping[str, str]) -> dict[str, meta.Datum]:
    return {name: meta.Datum(value, "string") for name, value in values.items()}


def _reply(returned: Any) -> Response:
    if returned is None:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    datum = meta.get_binding_registry().get("http").encode(returned, expected_type=None)
    if datum.type == "string":
        return Response(datum.value, media_type="text/plain")
    said = datum.value
    reply = Response(said["body"].value, int(said["status_code"].value))
    for name, value in said["headers"].items():
        if name.lower() not in {"content-length", "transfer-encoding"}:
            reply.headers[name] = value.value
    for cookies in said["cookies"] or ():
        for morsel in cookies.values():
            reply.headers.append("set-cookie", morsel.OutputString())
    return reply
