"""A call as it goes through the stand-in, and the history of those that ended."""

import itertools
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

from starlette.types import Scope

PathName = Literal[
    "token", "events", "positions", "asn", "catalogue", "reported-events", "reported-positions", "unknown"
]
Ending = int | Literal["cut", "reset", "gone"]
"""An HTTP status; or how it ended without one: cut by a fault, reset by a fault, or the caller left."""
KEPT_LINES = 200_000
"""How many lines' worth of calls the history keeps; a call without lines counts as one."""
LISTS: dict[str, str] = {"events": "inventoryEventList", "positions": "inventoryPositionList"}
JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over the wire."""

    status: int
    body: bytes
    media_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()


class RefusedError(Exception):
    """The call is refused with `reply`; nothing of it was recorded."""

    def __init__(self, reply: Reply) -> None:
        """Carry the reply to the caller."""
        super().__init__(f"HTTP {reply.status}")
        self.reply = reply


def json_reply(status: int, content: object, **headers: str) -> Reply:
    """Give a JSON reply; a header's name is written with underscores."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, json.dumps(content).encode(), headers=named)


@dataclass(slots=True)
class Call:
    """One call on the public side; `turn` numbers them as they arrive."""

    path: PathName
    query: dict[str, str]
    headers: dict[bytes, bytes]
    turn: int
    arrived_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)
    body: bytes = b""
    client_id: str | None = None
    reference_id: str | None = None
    faults: list[str] = field(default_factory=list)
    _read: Any = None

    @classmethod
    def of(cls, scope: Scope, path: PathName, turn: int) -> "Call":
        """Read what an ASGI scope tells; the body comes later."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        return cls(path, query, dict(scope["headers"]), turn)

    @property
    def crsa(self) -> str | None:
        """The store that the query names, known or not."""
        return self.query.get("retailerCRSA") or self.query.get("crsa")

    def content(self) -> Any:
        """Give the body's JSON, parsed once; raises ValueError where it is none."""
        if self._read is None:
            try:
                self._read = json.loads(self.body)
            except RecursionError as error:
                raise ValueError("nested too deep") from error
        return self._read

    def lines(self) -> list[Any]:
        """Give the lines of the body as far as they can be made out."""
        name = LISTS.get(self.path)
        try:
            content = self.content() if name and self.body else None
        except ValueError:
            return []
        lines = content.get(name) if isinstance(content, dict) else None
        return lines if isinstance(lines, list) else []


@dataclass(frozen=True, slots=True)
class _Ended:
    call: dict[str, Any]
    arrived_at: float
    weight: int

    def as_json(self) -> dict[str, Any]:
        return self.call | {"at": datetime.fromtimestamp(self.arrived_at, UTC).isoformat(timespec="milliseconds")}


class History:
    """The calls that ended, in the order in which they ended, and those that a fault is keeping waiting."""

    def __init__(self) -> None:
        """Start empty; numbers go on over a reset, so that `after` stays true."""
        self._ended: deque[_Ended] = deque()
        self._weight = 0
        self._number = 0
        self._ids = itertools.count(1)
        self._waiting: dict[int, dict[str, Any]] = {}

    def add(self, call: Call, ending: Ending) -> None:
        """Keep a call that ended: no token, no hash key, no secret."""
        lines = call.lines()
        self._number += 1
        kept = {
            "number": self._number,
            "path": call.path,
            "crsa": call.crsa,
            "status": ending,
            "lines": len(lines),
            "line_ids": _line_ids(lines) if call.path == "events" else [],
            "reference_id": call.reference_id,
            "seconds": round(time.perf_counter() - call.started, 6),
            "faults": call.faults,
            "posVendor": call.query.get("posVendor"),
            "posVendorVersion": call.query.get("posVendorVersion"),
            "positionTimeStamp": call.query.get("positionTimeStamp"),
        }
        ended = _Ended(kept, call.arrived_at, max(1, len(lines)))
        self._ended.append(ended)
        self._weight += ended.weight
        while self._weight > KEPT_LINES and len(self._ended) > 1:
            self._weight -= self._ended.popleft().weight

    def listing(self, after: int, crsa: str | None) -> list[dict[str, Any]]:
        """Give the kept calls whose number is above `after`, of one store or of all."""
        newest_first = itertools.takewhile(lambda ended: ended.call["number"] > after, reversed(self._ended))
        found = [ended.as_json() for ended in newest_first if crsa is None or ended.call["crsa"] == crsa]
        return found[::-1]

    def forget(self, crsa: str | None) -> None:
        """Drop the calls of one store, or all of them."""
        self._ended = deque(ended for ended in self._ended if crsa is not None and ended.call["crsa"] != crsa)
        self._weight = sum(ended.weight for ended in self._ended)

    @contextmanager
    def waiting(self, call: Call, fault: str, *, recorded: bool) -> Iterator[None]:
        """Show the call as waiting for as long as the block runs."""
        place = next(self._ids)
        since = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._waiting[place] = {"crsa": call.crsa, "path": call.path, "fault": fault, "recorded": recorded}
        self._waiting[place] |= {"lines": len(call.lines()), "since": since}
        try:
            yield
        finally:
            del self._waiting[place]

    def in_flight(self) -> list[dict[str, Any]]:
        """Give the calls that a fault is delaying or holding right now."""
        return list(self._waiting.values())


def _line_ids(lines: list[Any]) -> list[Any]:
    return [line.get("posTransactionLineId") if isinstance(line, dict) else None for line in lines]
