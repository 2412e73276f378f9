"""Whether the app lives, whether what it needs is there, and which version it is. Open to anyone, so nothing secret."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal

import psycopg
from fastapi import APIRouter, Request, Response

from ocs import runtime, telemetry
from ocs.db.queries import load
from ocs.db.schema import SCHEMA_VERSION, require_current
from ocs.errors import OcsError
from ocs.runtime import Runtime
from ocs.web.roles import Role, open_to

SQL = load(__file__)
router = APIRouter(prefix="/api/health", tags=["health"])
log = telemetry.logger("web")
LONGEST_CHECK_SECONDS = 2.0
"""A platform's probe gives up soon too, and then sees nothing of which part is away."""
KEPT_SECONDS = 3.0
"""How long an answer is given again: whoever asks all the time must not make us ask the vault all the time."""
PROBED_SECRET = "ocs-ready"  # noqa: S105 - a name; there need be no such secret, a vault that says so is there
PROBED_QUEUE = "ocs-deliveries"
NOT_NOW = 503
BreakerState = Literal["closed", "ramping", "open"]


@dataclass(frozen=True)
class Live:
    """The process runs."""

    status: Literal["ok"] = "ok"


@dataclass(frozen=True)
class Version:
    """Which version runs, and which schema of the database it was written for."""

    version: str
    schema: str


@dataclass(frozen=True)
class Dependency:
    """Whether something that the app needs answered, in how many milliseconds, and what the problem was."""

    ok: bool
    ms: float
    problem: str | None = None


@dataclass(frozen=True)
class Ready:
    """Each dependency by its name. The regulator is not asked: of its connections only the breakers are told."""

    status: Literal["ready", "not ready"]
    version: str
    schema: str
    database: Dependency
    vault: Dependency
    queues: Dependency
    breakers: dict[BreakerState, int]
    """How many connections stand how; empty while the database is away. An open one does not make the app unready."""


@router.get("/live")
@open_to(Role.ANYONE)
async def live() -> Live:
    """Answer: the process runs."""
    return Live()


@router.get("/version")
@open_to(Role.ANYONE)
async def version(request: Request) -> Version:
    """Answer which version runs."""
    return Version(request.app.version, SCHEMA_VERSION)


@router.get("/ready", responses={NOT_NOW: {"model": Ready, "description": "Something that is needed is away"}})
@open_to(Role.ANYONE)
async def ready(request: Request, response: Response) -> Ready:
    """Answer which dependencies are there, with the milliseconds each took; 503 when one is not."""
    own = runtime.unchecked()
    answer = await own.once("ready", _Kept).answer(own, request.app.version)
    if answer.status != "ready":
        response.status_code = NOT_NOW
    return answer


class _Kept:
    """The newest answer of this process; one question at a time."""

    def __init__(self, _own: Runtime) -> None:
        self._lock = asyncio.Lock()
        self._answer: Ready | None = None
        self._until = 0.0

    async def answer(self, own: Runtime, app_version: str) -> Ready:
        async with self._lock:
            if self._answer is None or time.monotonic() >= self._until:
                self._answer = await _asked(own, app_version)
                self._until = time.monotonic() + KEPT_SECONDS
            return self._answer


async def _asked(own: Runtime, app_version: str) -> Ready:
    await own.pool.open()
    database, vault, queues = await asyncio.gather(
        _check(require_current(own.pool)),
        _check(own.vault.holds(PROBED_SECRET)),
        _check(own.queues.approximate_length(PROBED_QUEUE)),
    )
    return Ready(
        status="ready" if database.ok and vault.ok and queues.ok else "not ready",
        version=app_version,
        schema=SCHEMA_VERSION,
        database=database,
        vault=vault,
        queues=queues,
        breakers=await _breakers(own) if database.ok else {},
    )


async def _check(question: Awaitable[object]) -> Dependency:
    began = time.monotonic()
    problem: str | None = None
    try:
        async with asyncio.timeout(LONGEST_CHECK_SECONDS):
            await question
    except TimeoutError:
        problem = f"no answer within {LONGEST_CHECK_SECONDS:g} s"
    except OcsError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to the question
        problem = type(error).__name__  # its text may name hosts and users
    return Dependency(problem is None, round((time.monotonic() - began) * 1000, 1), problem)


async def _breakers(own: Runtime) -> dict[BreakerState, int]:
    try:
        async with asyncio.timeout(LONGEST_CHECK_SECONDS), own.pool.transaction() as connection:
            rows = await (await connection.execute(SQL["breakers"])).fetchall()
    except (psycopg.Error, TimeoutError):
        log.warning("the breakers' states could not be read")
        return {}
    return {row["state"]: row["connections"] for row in rows}
