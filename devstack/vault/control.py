"""The control door: faults to order, and counts of how often each secret was read or refused."""

from collections import Counter
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from devstack.vault.errors import Refused

CODES = {403: "Forbidden", 429: "Throttled", 500: "InternalServerError", 503: "ServiceUnavailable"}
FIELDS = {"status", "times", "retry_after", "name"}


@dataclass
class Fault:
    """An answer to give instead of the true one, `times` more times, for one secret or (None) for any call."""

    status: int
    times: int = 1
    retry_after: str | None = None
    name: str | None = None


class Control:
    """What a test has ordered and what it may ask.

    - `POST /_control/faults` `{"status": 429, "times": 2, "retry_after": "1", "name": null}`;
      GET lists those left, DELETE clears them.
    - `GET /_control/reads` gives `{"reads": {name: n}, "refused": {name: n}}`; DELETE sets all to 0.
      Only calls for a value that came with a good token are counted; refused are those answered by an ordered fault.
    """

    def __init__(self) -> None:
        """Start without faults and with all counts at 0."""
        self._faults: list[Fault] = []
        self._reads: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()

    def routes(self) -> list[BaseRoute]:
        """Give the door's routes."""
        return [
            Route("/_control/faults", self._order, methods=["POST"]),
            Route("/_control/faults", self._list, methods=["GET"]),
            Route("/_control/faults", self._clear, methods=["DELETE"]),
            Route("/_control/reads", self._counts, methods=["GET"]),
            Route("/_control/reads", self._forget, methods=["DELETE"]),
        ]

    def read(self, name: str) -> None:
        """Count that a value was given out."""
        self._reads[name] += 1

    def pass_or_refuse(self, name: str | None, *, reads: bool) -> None:
        """Raise the first fault that fits, as Refused; does nothing when none fits."""
        fault = next((fault for fault in self._faults if fault.name in (None, name)), None)
        if fault is None:
            return
        fault.times -= 1
        if fault.times < 1:
            self._faults.remove(fault)
        if reads and name is not None:
            self._refused[name] += 1
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        code = CODES.get(fault.status, "Unknown")
        raise Refused(fault.status, code, "The stand-in was told to answer this.", headers=headers)

    async def _order(self, request: Request) -> Response:
        wanted = await request.json()
        if not isinstance(wanted, dict) or not isinstance(wanted.get("status"), int) or set(wanted) - FIELDS:
            return JSONResponse({"error": f"expected status (a number) and any of {sorted(FIELDS)}"}, status_code=422)
        self._faults.append(Fault(**wanted))
        return JSONResponse(asdict(self._faults[-1]), status_code=201)

    async def _list(self, _: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in self._faults])

    async def _clear(self, _: Request) -> Response:
        self._faults.clear()
        return Response(status_code=204)

    async def _counts(self, _: Request) -> Response:
        return JSONResponse({"reads": dict(self._reads), "refused": dict(self._refused)})

    async def _forget(self, _: Request) -> Response:
        self._reads.clear()
        self._refused.clear()
        return Response(status_code=204)
