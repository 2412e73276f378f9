"""Every call to the regulator leaves a row: where to, what came back, how long and how large; bodies are not kept.

The row is written when the call has ended, in a short transaction of its own: no connection is held while the platform
thinks. A row that cannot be written fails no delivery. It is logged with all that it would say, waits in memory, and is
written with the next one or by the next sweep.

Calls are linked into their chain by a sweep (`seal`), not as they are written: deliveries run side by side, and a link
needs the one before it, so each would wait for the others' commits. A row that is removed within those seconds leaves
no gap in the chain; it leaves one beside `delivery_attempts`, and its content cannot be changed unseen even then.
"""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
from opentelemetry.trace import Span, SpanKind
from structlog.contextvars import bound_contextvars

from ocs import telemetry
from ocs.audit import content
from ocs.clock import utc_now
from ocs.db.pool import Pool
from ocs.db.queries import load
from ocs.runtime import Runtime
from ocs.tenants.models import Store

SQL = load(__file__)
log = telemetry.logger("audit")

WRITE_SECONDS = 5.0
"""The longest that a delivery waits for the row of its call."""
MOST_WAITING = 2000
"""Rows that wait in memory for a database that is away; what comes on top is in the log only, and counted as lost."""
LOGGED = 16
LINKS_AT_ONCE = 1000
ROUNDS = 50
LONGEST_URL = 2000


@dataclass(frozen=True)
class About:
    """What a call belongs to: the id that all calls of one matter share, and the delivery's batch and attempt."""

    correlation_id: str
    batch_id: int | None = None
    attempt_id: int | None = None


@dataclass(frozen=True)
class Whose:
    """For whom a call is made; nothing of it is known when a credential is tried before it is kept."""

    tenant_id: UUID | None = None
    store_id: UUID | None = None
    connection_id: UUID | None = None


def whose(store: Store) -> Whose:
    """Say that a call is made for a store."""
    return Whose(store.tenant_id, store.store_id, store.connection_id)


@dataclass(frozen=True)
class Call:
    """One call that has ended: `at` is when it began (UTC), `ms` how long it took; sizes are in bytes."""

    call_id: UUID
    at: datetime
    tenant_id: UUID | None
    store_id: UUID | None
    connection_id: UUID | None
    method: str
    url: str
    status: int | None
    error: str | None
    ms: int
    request_bytes: int
    request_sha256: bytes | None
    response_bytes: int | None
    response_sha256: bytes | None
    correlation_id: str
    batch_id: int | None
    attempt_id: int | None


Keep = Callable[[Call], Awaitable[None]]
_about: ContextVar[About | None] = ContextVar("ocs_calls_about", default=None)


def new_correlation() -> str:
    """Make a correlation id."""
    return str(uuid4())


@contextmanager
def about(*, batch_id: int | None = None, attempt_id: int | None = None) -> Iterator[str]:
    """Say what the calls of this block belong to, under a correlation id of its own, which is given."""
    told = About(new_correlation(), batch_id, attempt_id)
    before = _about.set(told)
    try:
        with bound_contextvars(correlation_id=told.correlation_id):  # on each line of the log too
            yield told.correlation_id
    finally:
        _about.reset(before)


@contextmanager
def together() -> Iterator[None]:
    """Let the calls of this block share a correlation id: the one that is there, else a new one."""
    if _about.get() is not None:
        yield
        return
    with about():
        yield


class Calls:
    """Makes the calls to the regulator and hands each over to be kept, whatever came of it."""

    def __init__(self, http: httpx.AsyncClient, keep: Keep) -> None:
        """Hold the client that makes them, and what keeps them."""
        self.http = http
        self._keep = keep

    async def send(
        self, request: httpx.Request, whose: Whose, seconds: float, *, secret: bool = False
    ) -> httpx.Response:
        """Send a request; raises TimeoutError after `seconds`, and httpx.HTTPError.

        `secret`: the bodies and the query are secrets, so that nothing is kept of them but the bodies' sizes.
        """
        at, began = utc_now(), time.monotonic()
        response, error = None, None
        try:
            name = f"{request.method} {request.url.path}"
            with telemetry.span(name, _asked(request), kind=SpanKind.CLIENT) as span:
                async with asyncio.timeout(seconds):
                    response = await self.http.send(request)
                _answered(span, response)
        except BaseException as caught:
            error = type(caught).__name__
            raise
        finally:
            ms = round((time.monotonic() - began) * 1000)
            call = _ended(request, response, whose, secret=secret)
            await self._keep(Call(call_id=content.id_at(at), at=at, ms=ms, error=error, **call))
        return response


def _ended(request: httpx.Request, response: httpx.Response | None, whose: Whose, *, secret: bool) -> dict[str, Any]:
    """Give what is kept of a request and its reply."""
    url = request.url.copy_with(username=None, password=None, query=None if secret else request.url.query)
    reply = None if response is None else response.content
    return {
        **vars(whose),
        **vars(_about.get() or About(new_correlation())),
        "method": request.method,
        "url": content.text(str(url))[:LONGEST_URL],
        "status": None if response is None else response.status_code,
        "request_bytes": len(request.content),
        "request_sha256": None if secret else _digest(request.content),
        "response_bytes": None if reply is None else len(reply),
        "response_sha256": None if reply is None or secret else _digest(reply),
    }


def _asked(request: httpx.Request) -> dict[str, object]:
    """Say where a call goes, for its span: neither the query nor a header, among which the secrets are."""
    return {
        "http.request.method": request.method,
        "server.address": request.url.host,
        "server.port": request.url.port,
        "url.path": request.url.path,
    }


def _answered(span: Span, response: httpx.Response) -> None:
    span.set_attribute("http.response.status_code", response.status_code)
    if response.is_error:
        telemetry.failed(span, str(response.status_code))


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()


class Book:
    """Where the calls of this process are written, and those wait that could not be."""

    def __init__(self, pool: Pool) -> None:
        """Start with nothing waiting."""
        self._pool = pool
        self._waiting: list[Call] = []
        self._one_at_a_time = asyncio.Lock()
        self.failures = 0
        """How often a row could not be written at once, since the process began."""
        self.lost = 0
        """How many rows are in the log only."""

    async def keep(self, call: Call) -> None:
        """Write a call's row, and those that wait; never raises."""
        self._waiting.append(call)
        # Shielded: who gives the call up must not undo its row. In a context of its own: the app writes this row, not
        # the person for whom the call was made, and the wall between tenants is not its matter.
        await asyncio.shield(asyncio.create_task(self.write(), context=Context()))

    async def write(self) -> None:
        """Write what waits; what cannot be written is logged and waits on.

        One transaction at a time: what comes meanwhile goes into the next one, all of it together.
        """
        calls: list[Call] = []
        try:
            async with asyncio.timeout(WRITE_SECONDS), self._one_at_a_time:
                calls, self._waiting = self._waiting, []
                if calls:
                    async with self._pool.transaction() as connection, connection.cursor() as cursor:
                        await cursor.executemany(SQL["keep_call"], [_row(call) for call in calls])
        except Exception as error:  # noqa: BLE001 - whatever it is, the delivery goes on
            self._not_written(calls, error)

    def _not_written(self, calls: list[Call], error: Exception) -> None:
        self.failures += 1
        kept = [*calls, *self._waiting]
        self._waiting, left = kept[:MOST_WAITING], kept[MOST_WAITING:]
        self.lost += len(left)
        log.error(
            "the audit of a call could not be written; it waits in memory",
            error=type(error).__name__,
            said=str(error),
            calls=content.canonical(content.plain([vars(call) for call in calls[-LOGGED:]])),
            waiting=len(self._waiting),
            lost=self.lost,
        )


def _row(call: Call) -> dict[str, object]:
    row = vars(call)
    return row | {"content_hash": content.content_hash(row, content.CALL)}


def book_of(runtime: Runtime) -> Book:
    """Give the process's book."""
    return runtime.once("audit_book", lambda own: Book(own.pool))


def calls_of(runtime: Runtime) -> Calls:
    """Give what makes the process's calls to the regulator."""
    return runtime.once("audit_calls", lambda own: Calls(own.http, book_of(own).keep))


async def seal(runtime: Runtime) -> int:
    """Link the calls that are not linked yet into their chain, oldest first; gives how many.

    A quick sweep. Each round is a transaction of its own, under the lock of the chain's end; another worker that holds
    it does the same work. A death between two rounds leaves the rest to the next run.
    """
    await book_of(runtime).write()
    done = 0
    for _ in range(ROUNDS):
        async with runtime.pool.transaction() as connection:
            row = await (await connection.execute(SQL["link_calls"], {"most": LINKS_AT_ONCE})).fetchone()
        linked = int(row["linked"]) if row else 0
        done += linked
        if linked < LINKS_AT_ONCE:
            break
    return done
