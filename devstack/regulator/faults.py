"""What can be made to go wrong, for whom, and how often; a fault never touches a call outside its scope.

Order within one call: reset (nothing is read), latency, a reply instead of any work (status, slow_down, outage), the
checks, reject_lines, and for a call that was found good: accept_then_cut, accept_then_hold or lie. Of the faults of one
step the eldest applies; only latencies add up.
"""

import asyncio
import itertools
import json
import math
import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from devstack.regulator.calls import Call, PathName, Reply, json_reply

Seconds = Annotated[float, Field(ge=0, le=3600)]
HTML = "text/html; charset=utf-8"
UNAVAILABLE_PAGE = (
    b"<html><head><title>503 Service Unavailable</title></head><body>The service is unavailable.</body></html>"
)
SIGN_IN_PAGE = b"<!DOCTYPE html><html><body><h1>Welcome</h1><p>Please sign in to continue.</p></body></html>"


class _Scope(BaseModel):
    """Whom a fault touches: a path, a store, a client, each or all; and how often (until cleared where not said).

    Calls for a token and for the catalogue name no store, so a fault with a CRSA never touches them: use the client.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    path: PathName | None = None
    crsa: str | None = None
    client_id: str | None = None
    times: int | None = Field(None, ge=1)


class _Answering(_Scope):
    @abstractmethod
    def reply(self) -> Reply:
        """Write what is answered instead of the truth."""


class Latency(_Scope):
    """Waits, then goes on normally, also when the caller has left."""

    fault: Literal["latency"]
    seconds: Seconds


class Status(_Answering):
    """Answers with this status instead of doing anything; a text is sent as text, anything else as JSON."""

    fault: Literal["status"]
    status: int = Field(500, ge=200, le=599)
    body: JsonValue = None
    headers: dict[str, str] = Field(default_factory=dict)

    def reply(self) -> Reply:
        """Write it."""
        headers = tuple(self.headers.items())
        if isinstance(self.body, str):
            return Reply(self.status, self.body.encode(), "text/plain; charset=utf-8", headers)
        content = b"" if self.body is None else json.dumps(self.body).encode()
        return Reply(self.status, content, headers=headers)


class SlowDown(_Answering):
    """Answers 429 with a Retry-After, as a number of seconds or as a date."""

    fault: Literal["slow_down"]
    form: Literal["seconds", "date"] = "seconds"
    seconds: int = Field(1, ge=0, le=86400)

    def reply(self) -> Reply:
        """Write the reply; a date knows whole seconds only, so it is rounded up."""
        until = datetime.fromtimestamp(math.ceil(time.time()), UTC) + timedelta(seconds=self.seconds)
        after = str(self.seconds) if self.form == "seconds" else format_datetime(until, usegmt=True)
        message = f"Rate limit is exceeded. Try again in {self.seconds} seconds."
        return json_reply(429, {"statusCode": 429, "message": message}, Retry_After=after)


class AcceptThenCut(_Scope):
    """Records, then closes the connection without a reply."""

    fault: Literal["accept_then_cut"]


class AcceptThenHold(_Scope):
    """Records, then answers only when the fault is deleted or the seconds have passed."""

    fault: Literal["accept_then_hold"]
    seconds: Seconds | None = None


class Reset(_Scope):
    """Resets the connection before anything is read or recorded (of a call for a token, after reading it)."""

    fault: Literal["reset"]


class RejectLines(_Scope):
    """Refuses (400) every batch that has one of these line ids or OCS SKUs, naming the first of them."""

    fault: Literal["reject_lines"]
    line_ids: frozenset[str] = frozenset()
    ocs_skus: frozenset[str] = frozenset()

    @property
    def lower_ids(self) -> frozenset[str]:
        """The line ids in small letters: a UUID is the same in both."""
        return frozenset(line_id.lower() for line_id in self.line_ids)


class Outage(_Answering):
    """Is down, for some seconds or until cleared: 503 with a page in HTML, or a reset connection."""

    fault: Literal["outage"]
    seconds: Seconds | None = None
    how: Literal["503", "reset"] = "503"

    def reply(self) -> Reply:
        """Write it."""
        return Reply(503, UNAVAILABLE_PAGE, HTML)


class Lie(_Answering):
    """Answers 200 to a good call without a reference id, with an HTML page or with nothing, recording it or not."""

    fault: Literal["lie"]
    how: Literal["no_reference_id", "html", "empty"] = "no_reference_id"
    record: bool = True

    def reply(self) -> Reply:
        """Write it."""
        if self.how == "html":
            return Reply(200, SIGN_IN_PAGE, HTML)
        return Reply(200, b"" if self.how == "empty" else b'{"status": "Success"}')


Ordered = Latency | Status | SlowDown | AcceptThenCut | AcceptThenHold | Reset | RejectLines | Outage | Lie
ORDER: TypeAdapter[Ordered] = TypeAdapter(Annotated[Ordered, Field(discriminator="fault")])
"""Reads what the control door was told; raises pydantic's ValidationError."""
Kind = TypeVar("Kind", bound=_Scope)


@dataclass(slots=True)
class _Active:
    fault_id: int
    order: Ordered
    applied: int = 0
    ends: float = math.inf
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def touches(self, call: Call) -> bool:
        order = self.order
        return (
            order.path in {None, call.path}
            and order.crsa in {None, call.crsa}
            and order.client_id in {None, call.client_id}
            and (order.times is None or self.applied < order.times)
            and time.monotonic() < self.ends
        )

    def as_json(self) -> dict[str, Any]:
        return {"fault_id": self.fault_id, **self.order.model_dump(mode="json"), "applied": self.applied}


class Faults:
    """The faults that were ordered, until they are deleted."""

    def __init__(self) -> None:
        """Start with none."""
        self._active: dict[int, _Active] = {}
        self._ids = itertools.count(1)

    def add(self, order: Ordered) -> int:
        """Take an order; give its id. The seconds of an outage count from here."""
        fault = _Active(next(self._ids), order)
        if isinstance(order, Outage) and order.seconds is not None:
            fault.ends = time.monotonic() + order.seconds
        self._active[fault.fault_id] = fault
        return fault.fault_id

    def listing(self) -> list[dict[str, Any]]:
        """Give all orders and how often each was applied, also those that are used up."""
        return [fault.as_json() for fault in self._active.values()]

    def delete(self, fault_id: int) -> bool:
        """End a fault and let go what it holds; False where there is none of that id."""
        fault = self._active.pop(fault_id, None)
        if fault is not None:
            fault.released.set()
        return fault is not None

    def forget(self, crsa: str | None) -> None:
        """End the faults of one store, or all of them."""
        for fault in list(self._active.values()):
            if crsa is None or fault.order.crsa == crsa:
                self.delete(fault.fault_id)

    def candidates(self, call: Call, *kinds: type[Kind]) -> Iterator[tuple[_Active, Kind]]:
        """Give the faults of these kinds that touch the call, the eldest first, without applying them."""
        for fault in list(self._active.values()):
            if isinstance(fault.order, kinds) and fault.touches(call):
                yield fault, fault.order

    def apply(self, fault: _Active, call: Call) -> None:
        """Count a fault as applied to the call."""
        fault.applied += 1
        call.faults.append(fault.order.fault)
