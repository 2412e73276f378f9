"""The stand-in as an ASGI application: the way of a call from its arrival to the history."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from devstack.regulator.calls import Call, Ending, History, PathName, RefusedError, Reply, json_reply
from devstack.regulator.contract.reports import Commit
from devstack.regulator.control.door import control_door
from devstack.regulator.data_platform import DataPlatform
from devstack.regulator.faults import (
    AcceptThenCut,
    AcceptThenHold,
    Faults,
    Latency,
    Lie,
    Outage,
    RejectLines,
    Reset,
    SlowDown,
    Status,
)
from devstack.regulator.pace import Pace

CONTROL = "/_control"
PATHS: dict[tuple[str, str], PathName] = {
    ("POST", "/oauth2/token"): "token",
    ("POST", "/func/PosInventoryEventHttpTrigger"): "events",
    ("POST", "/func/PosInventoryPositionHttpTrigger"): "positions",
    ("GET", "/func/RetailerASNHttpTrigger"): "asn",
    ("GET", "/func/RetailerItemCatalogueHttpTrigger"): "catalogue",
    ("GET", "/func/POSInventoryEventFunction"): "reported-events",
    ("GET", "/func/POSInventoryPositionFunction"): "reported-positions",
}
TRANSPORT = "devstack.transport"
"""Where the server puts a connection's transport in the scope, so that it can really be cut."""
AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends RST instead of FIN."""


class StandIn:
    """The Data Platform's stand-in; not the real thing."""

    def __init__(self) -> None:
        """Start as at the first start: nobody known, nothing reported, nothing wrong."""
        self.platform = DataPlatform()
        self.faults = Faults()
        self.history = History()
        self.pace = Pace()
        self._turns = itertools.count(1)
        self._control: ASGIApp = control_door(self.platform, self.faults, self.history, self.pace)
        reports, reads = self.platform.reports, self.platform.reads
        self._endpoints: dict[PathName, Callable[[Call], Commit]] = {
            "token": _at_once(self.platform.access.sign_in),
            "events": reports.events,
            "positions": reports.positions,
            "asn": _at_once(reads.asn),
            "catalogue": _at_once(reads.catalogue),
            "reported-events": _at_once(reads.reported_events),
            "reported-positions": _at_once(reads.reported_positions),
            "unknown": _not_found,
        }

    def let_go(self) -> None:
        """Answer all calls that are being held or delayed, and hold no more."""
        self.faults.forget(None)
        self.pace.forget(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, by the control door or by the public one."""
        path = scope["path"]
        if path.startswith(CONTROL):
            await self._control(scope, receive, send)
            return
        call = Call.of(scope, PATHS.get((scope["method"], path), "unknown"), next(self._turns))
        ending: Ending = 500
        try:
            ending = await self._carry(call, scope, receive, send)
        finally:
            self.history.add(call, ending)

    async def _carry(self, call: Call, scope: Scope, receive: Receive, send: Send) -> Ending:
        # Only the form of a token call tells its client, so that one is read before any fault can be chosen.
        if call.path == "token" and not await _read(call, receive):
            return "gone"
        call.client_id = self.platform.access.client_of(call)
        if self._resets(call):
            await _abort(scope, receive, reset=True)
            return "reset"
        if call.path != "token" and not await _read(call, receive):
            return "gone"
        await self._delay(call)
        try:
            commit = self._check(call)
        except RefusedError as refused:
            return await _send(send, refused.reply)
        await self._work(call)
        return await self._end(call, commit, scope, receive, send)

    def _resets(self, call: Call) -> bool:
        for fault, order in self.faults.candidates(call, Reset, Outage):
            if isinstance(order, Outage) and order.how != "reset":
                continue
            self.faults.apply(fault, call)
            return True
        return False

    async def _delay(self, call: Call) -> None:
        for fault, order in self.faults.candidates(call, Latency):
            self.faults.apply(fault, call)
            with self.history.waiting(call, "latency", recorded=False):
                await _released(fault.released, order.seconds)

    async def _work(self, call: Call) -> None:
        """Take the time that the platform takes for a good answer."""
        seconds = self.pace.seconds(call.path)
        if seconds:
            with self.history.waiting(call, "pace", recorded=False):
                await _released(self.pace.changed, seconds)

    def _check(self, call: Call) -> Commit:
        """Give what is left to do for a good call; raises RefusedError for any other, and for faults that answer."""
        for fault, order in self.faults.candidates(call, Status, SlowDown, Outage):
            self.faults.apply(fault, call)
            raise RefusedError(order.reply())
        commit = self._endpoints[call.path](call)
        for fault, lines in self.faults.candidates(call, RejectLines):
            rejection = self.platform.reports.rejection(call, lines.lower_ids, lines.ocs_skus)
            if rejection is not None:
                self.faults.apply(fault, call)
                raise rejection
        return commit

    async def _end(self, call: Call, commit: Commit, scope: Scope, receive: Receive, send: Send) -> Ending:
        """Record a good call and answer it, or whatever a fault does instead of answering."""
        found = next(self.faults.candidates(call, AcceptThenCut, AcceptThenHold, Lie), None)
        if found is None:
            return await _send(send, commit())
        fault, order = found
        self.faults.apply(fault, call)
        if isinstance(order, Lie):
            if order.record:
                commit()
            call.reference_id = None
            return await _send(send, order.reply())
        reply = commit()
        if isinstance(order, AcceptThenHold):
            with self.history.waiting(call, "accept_then_hold", recorded=True):
                stayed = await _held(receive, fault.released, order.seconds)
            return await _send(send, reply) if stayed else "gone"
        await _abort(scope, receive, reset=False)
        return "cut"


def _at_once(endpoint: Callable[[Call], Reply]) -> Callable[[Call], Commit]:
    """Turn a call that records nothing into one with nothing left to do."""

    def check(call: Call) -> Commit:
        reply = endpoint(call)
        return lambda: reply

    return check


def _not_found(_call: Call) -> Commit:
    raise RefusedError(json_reply(404, {"statusCode": 404, "message": "Resource not found"}))


async def _read(call: Call, receive: Receive) -> bool:
    """Read the body whole; False where the caller left before its end."""
    chunks = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return False
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            call.body = b"".join(chunks)
            return True


async def _send(send: Send, reply: Reply) -> int:
    headers = [(b"content-type", reply.media_type.encode()), (b"content-length", b"%d" % len(reply.body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in reply.headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
    return reply.status


async def _released(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return


async def _held(receive: Receive, released: asyncio.Event, seconds: float | None) -> bool:
    """Hold a call until it is let go; False where the caller left first (only that can still be received)."""
    left = asyncio.ensure_future(receive())
    let_go = asyncio.ensure_future(released.wait())
    await asyncio.wait({left, let_go}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    stayed = not left.done()
    left.cancel()
    let_go.cancel()
    return stayed


async def _abort(scope: Scope, receive: Receive, *, reset: bool) -> None:
    """Really close the TCP connection without a reply: with RST, or with a plain end."""
    transport: asyncio.Transport = scope["extensions"][TRANSPORT]["transport"]
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    transport.abort()
    # Until the server has noticed, it would answer 500 for us.
    while (await receive())["type"] != "http.disconnect":
        pass
