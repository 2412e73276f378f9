"""Whether the app lives, and whether what it needs is there."""

import time
from collections.abc import Awaitable

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from ocs import runtime
from ocs.db.schema import SCHEMA_VERSION, require_current
from ocs.errors import OcsError
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/health", tags=["health"])


@router.get("/live")
@open_to(Role.ANYONE)
async def live() -> dict[str, str]:
    """Answer: the process runs."""
    return {"status": "ok"}


@router.get("/ready")
@open_to(Role.ANYONE)
async def ready() -> JSONResponse:
    """Answer which dependencies are there, with the milliseconds each took; 503 when one is not."""
    own = runtime.unchecked()
    await own.pool.open()
    database = await _check(require_current(own.pool))
    body = {"status": "ok" if database["ok"] else "not ready", "schema": SCHEMA_VERSION, "database": database}
    return JSONResponse(body, 200 if database["ok"] else 503)


async def _check(question: Awaitable[None]) -> dict[str, object]:
    began = time.monotonic()
    problem: str | None = None
    try:
        await question
    except OcsError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to the question
        problem = type(error).__name__
    answer: dict[str, object] = {"ok": problem is None, "ms": round((time.monotonic() - began) * 1000, 1)}
    return answer if problem is None else answer | {"problem": problem}
