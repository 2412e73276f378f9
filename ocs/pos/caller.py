"""Which POS system calls, by the key that it shows."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader

from ocs import runtime
from ocs.db.wall import behind_the_wall
from ocs.errors import TooMany
from ocs.pos.key_text import PREFIX
from ocs.pos.keys import PosCaller, caller_of
from ocs.runtime import Runtime
from ocs.web.rate import RateLimit

BEARER = "bearer "
HEADER = APIKeyHeader(
    name="Ocs-Key",
    scheme_name="PosKey",
    description="A key of the tenant, `ocs_…`; it is taken as `Authorization: Bearer ocs_…` too",
    auto_error=False,
)


async def the_pos(request: Request, key: Annotated[str | None, Security(HEADER)]) -> AsyncIterator[PosCaller]:
    """Give the POS that calls, and keep the request's transactions behind the wall of its tenant.

    Raises KeyRefused, and TooMany for a key with more requests than one may make; a wrong key counts for nobody.
    """
    own = await runtime.current()
    caller = await caller_of(own, key or _bearer(request))
    wait = own.once("requests of POS keys", _limit).check(caller.key_id)
    if wait is not None:
        raise TooMany(wait)
    with behind_the_wall({caller.tenant_id}):
        yield caller


def _limit(own: Runtime) -> RateLimit:
    return RateLimit(own.settings.pos_requests_per_minute)


def _bearer(request: Request) -> str | None:
    given = request.headers.get("Authorization", "")
    token = given[len(BEARER) :].strip()
    return token if given[: len(BEARER)].lower() == BEARER and token.startswith(PREFIX) else None


ThePos = Annotated[PosCaller, Depends(the_pos)]
