"""What stands before every route: the body's size, other sites' forms, ETags, and the headers of every answer."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocs.web.etags import etag_of, matches
from ocs.web.problems import problem

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes: a whole store's inventory as CSV has a tenth of it. Routes that take less say so themselves."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
"""Where an answer does not say otherwise itself, as the page does with its own policy."""
LARGEST_TAGGED = 1024 * 1024
OK = 200


class _TooLarge(Exception):  # noqa: N818 - never leaves this file
    pass


class Guard:
    """An ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        """Hold what stands behind."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it before any route sees it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = _Answer(scope, headers, send)
        refusal = _refused(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, answer.send)
            return
        try:
            await self._app(scope, _counted(receive), answer.send)
        except _TooLarge:
            await _too_large()(scope, receive, answer.send)


def _refused(scope: Scope, headers: Headers) -> Response | None:
    length = headers.get("Content-Length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
        return _too_large()
    if scope["method"] not in SAFE and _comes_from_another_site(headers):
        return problem(
            403, "This request comes from another site's page", "Send it from this app's own page, or with a token"
        )
    return None


def _comes_from_another_site(headers: Headers) -> bool:
    """Tell whether a browser made this request for another site: it would bring the session's cookie all the same.

    Browsers send Sec-Fetch-Site, and Origin with every unsafe request; a POS or a script sends neither, and no cookie.
    """
    if headers.get("Authorization"):
        return False
    site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and urlsplit(origin).netloc != headers.get("Host")


def _too_large() -> Response:
    return problem(413, f"The body has more than {LARGEST_BODY} bytes", "Send it in several parts")


def _counted(receive: Receive) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > LARGEST_BODY:
            raise _TooLarge
        return message

    return counted


class _Answer:
    """An answer on its way out: gets the headers that all have, and an ETag where it is JSON that a GET asked for."""

    def __init__(self, scope: Scope, asked: Headers, send: Send) -> None:
        self._tags = scope["method"] == "GET"
        self._asked = asked.get("If-None-Match")
        self._send = send
        self._held: MutableMapping[str, Any] | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            if self._tags and message["status"] == OK and _is_small_json(headers):
                self._held = message
                return
            await self._send(message)
            return
        if self._held is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._send_tagged(self._held)

    async def _send_tagged(self, start: Message) -> None:
        tag = etag_of(self._body)
        headers = MutableHeaders(scope=start)
        headers["ETag"] = tag
        body = self._body
        if self._asked is not None and matches(self._asked, tag):
            start["status"], body = 304, b""
            del headers["Content-Length"]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_small_json(headers: Headers) -> bool:
    length = headers.get("Content-Length", "")
    return headers.get("Content-Type", "").startswith("application/json") and 0 < int(length or 0) <= LARGEST_TAGGED
