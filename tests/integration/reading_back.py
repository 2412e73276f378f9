"""What the scripted platform gives back in the read-back tests: what was POSTed, altered as a test says."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from ocs.clock import utc_now
from ocs.delivery.sender import answer_bell
from ocs.reconciliation import runs
from ocs.reconciliation.read_back import Result, differences, read_back_now, result_of
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, Answer, Platform
from tests.integration.pos import rows, sell

PAGE = 100
POSTED = "2026-11-20T20:00:31.2033333Z"
Line = dict[str, Any]
EVENT_NUMBERS = ("inventoryQuantityChange", "inventoryValueChange", "soldAtPrice")
POSITION_NUMBERS = ("inventoryQuantityOnHand", "inventoryBookValue")


@dataclass
class Ledger:
    """Answers both GETs from what the platform has accepted; it is not the real platform."""

    platform: Platform
    alter: Callable[[list[Line]], list[Line]] = lambda lines: lines
    alter_positions: Callable[[list[Line]], list[Line]] = lambda lines: lines
    faults: dict[int, deque[Answer]] = field(default_factory=dict)
    """Answers that are given first when a page of the events is asked for."""
    asked: list[dict[str, str]] = field(default_factory=list)
    """The query of each GET of events that got here."""

    def __post_init__(self) -> None:
        """Put both answers into the platform."""
        self.platform.gets["/POSInventoryEventFunction"] = self.events
        self.platform.gets["/POSInventoryPositionFunction"] = self.positions

    @property
    def pages(self) -> list[int]:
        """The pages of events that were asked for, in order."""
        return [int(query["pageNumber"]) for query in self.asked]

    def events(self, request: httpx.Request) -> httpx.Response:
        """Answer GET events."""
        self.asked.append(dict(request.url.params))
        page = self.pages[-1]
        if self.faults.get(page):
            return self.faults[page].popleft()(request)
        lines = [_as_read(line, EVENT_NUMBERS) for line in self.platform.accepted.values()]
        return _page(page, "inventoryEventList", self.alter(lines))

    def positions(self, request: httpx.Request) -> httpx.Response:
        """Answer GET positions: each posting, in order."""
        lines = [
            _as_read(line, POSITION_NUMBERS) | {"inventoryPositionDate": at}
            for _, at, posted in self.platform.positions
            for line in posted
        ]
        page = int(request.url.params["pageNumber"])
        return _page(page, "inventoryPositionList", self.alter_positions(lines))


def _as_read(line: dict[str, str], numbers: tuple[str, ...]) -> Line:
    read: Line = dict(line) | {"postingDateTimeStamp": POSTED, "posVendor": "DemoPOS", "posVendorVersion": "1.0"}
    return read | {name: float(line[name]) for name in numbers}


def _page(number: int, name: str, lines: list[Line]) -> httpx.Response:
    return httpx.Response(200, json={"pageNumber": number, name: lines[(number - 1) * PAGE : number * PAGE]})


async def the_store(runtime: Runtime, crsa: str = FIRST) -> Store:
    """Give a store of the tests' tenant."""
    async with runtime.pool.transaction() as connection:
        return await store_of(connection, CROL, crsa)


async def send(runtime: Runtime) -> None:
    """Send all that the first store has due."""
    await answer_bell(runtime, (await the_store(runtime)).store_id)


async def report(runtime: Runtime, number: str = "T1", **words: Any) -> str:
    """Have a transaction taken in and sent; gives the id of its newest line."""
    await sell(runtime, number, **words)
    await send(runtime)
    return str((await rows(runtime, "select line_id from event_lines order by sequence desc limit 1"))[0]["line_id"])


async def read(runtime: Runtime) -> Result:
    """Read the first store's last hour back, as the command does."""
    now = utc_now()
    return await read_back_now(runtime, await the_store(runtime), now - timedelta(hours=1), now)


async def ask(runtime: Runtime) -> UUID:
    """Ask for the first store's last hour, as the route does."""
    store, now = await the_store(runtime), utc_now()
    async with runtime.pool.transaction() as connection:
        return await runs.ask(connection, store, (now - timedelta(hours=1), now), "test")


async def result(runtime: Runtime, read_back_id: UUID) -> Result:
    """Give how a read-back stands, with its differences."""
    async with runtime.pool.transaction() as connection:
        found = await result_of(connection, read_back_id)
        assert found is not None
        shown = await differences(connection, found.row, limit=PAGE)
    return Result(found.row, found.counts, found.verdicts, shown)


def told(found: Result) -> list[tuple[str, str, str, str]]:
    """Give the differences in short: kind, field, ours, theirs."""
    return [(one["kind"], one["field"], one["ours"], one["theirs"]) for one in found.differences]


async def end_waits(runtime: Runtime, *, leases: bool = False) -> None:
    """Let the waits of read-backs be over, as time would; with `leases`, also those of workers that died."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update read_backs set due_at = now()")
        if leases:
            await connection.execute("update read_backs set lease_until = 'epoch'")
