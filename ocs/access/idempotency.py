"""Idempotency keys: a POST that is sent again with the same `Idempotency-Key` is done once and answered alike.

After the draft "The Idempotency-Key HTTP Header Field" of the IETF's httpapi group. Who sends the same key with another
request is told so. Answers are kept a day. Where a worker died on the way nothing is known of its answer: a minute
later the key is free again, and the routes themselves bear being asked twice.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ocs import runtime
from ocs.access.caller import signed_in
from ocs.db.queries import load
from ocs.errors import OcsError
from ocs.runtime import Runtime
from ocs.web.problems import problem

SQL = load(__file__)
LONGEST_KEY = 200
SERVER_ERROR = 500
SHOWN_ONCE = "Ocs-Shown-Once"
"""A header of answers that hold a secret: their body is not kept, and who asks again is told so."""


@dataclass(frozen=True)
class _Key:
    subject: str
    key: str
    fingerprint: bytes

    @property
    def words(self) -> dict[str, Any]:
        return {"subject": self.subject, "key": self.key, "fingerprint": self.fingerprint}


class Idempotency:
    """An ASGI middleware around the staff's POSTs; a request without a key passes through."""

    def __init__(self, app: ASGIApp) -> None:
        """Hold what stands behind."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or answer as it was answered before."""
        given = Headers(scope=scope).get("Idempotency-Key") if scope["type"] == "http" else None
        if given is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        if not 0 < len(given) <= LONGEST_KEY:
            fix = f"Give a key of 1 to {LONGEST_KEY} characters, a UUID for instance"
            await problem(422, "The Idempotency-Key is not one", fix)(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        again = _again(body, receive)
        try:
            own = await runtime.current()
            person = await signed_in(own, Request(scope))
        except OcsError:
            await self._app(scope, again, send)  # the route says what is wrong
            return
        key = _Key(person.subject, given, _fingerprint(scope, body))
        known = await _claim(own, key)
        if known is not None:
            await known(scope, receive, send)
            return
        await self._serve(own, key, scope, again, send)

    async def _serve(self, own: Runtime, key: _Key, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        done = False
        try:
            await self._app(scope, receive, answer.send)
            done = answer.status is not None and answer.status < SERVER_ERROR
        finally:
            query, words = ("keep_answer", answer.words) if done else ("free_key", {})
            async with own.pool.transaction() as connection:
                await connection.execute(SQL[query], key.words | words)


class _Answer:
    """Passes an answer on and keeps a copy."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self._type = ""
        self._shown_once = False
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            self.status = message["status"]
            self._type = headers.get("Content-Type", "")
            self._shown_once = SHOWN_ONCE in headers
        elif not self._shown_once:
            self._body += message.get("body", b"")
        await self._send(message)

    @property
    def words(self) -> dict[str, Any]:
        body = None if self._shown_once else self._body
        return {"status": self.status, "content_type": self._type, "body": body}


async def _claim(own: Runtime, key: _Key) -> Response | None:
    """Take the key for this request; gives the answer where another request had it."""
    async with own.pool.transaction() as connection:
        if await (await connection.execute(SQL["claim_key"], key.words)).fetchone() is not None:
            return None
        row = await (await connection.execute(SQL["answer_of_key"], key.words)).fetchone()
    if row is None or row["status"] is None:
        return problem(409, "The first request with this Idempotency-Key is still under way", "Wait, then ask again")
    if bytes(row["fingerprint"]) != key.fingerprint:
        return problem(422, "This Idempotency-Key was used for another request", "Give each request a key of its own")
    if row["body"] is None:
        return problem(409, "It was done already, and what it showed is shown only once", "Make a new one instead")
    headers = {"Content-Type": row["content_type"], "Idempotency-Replayed": "true"}
    return Response(bytes(row["body"]), row["status"], headers)


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    whole = b"\0".join([scope["path"].encode(), scope.get("query_string", b""), body])
    return hashlib.sha256(whole).digest()


def _again(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def forget_old_keys(runtime: Runtime) -> None:
    """Forget the answers of more than a day ago."""
    async with runtime.pool.transaction() as connection:
        await connection.execute(SQL["drop_old_keys"])
