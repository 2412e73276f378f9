"""A worker dies at every single step, one after the other: before each statement, around each commit and each POST.

Whatever it leaves behind, the queue's redelivery and the sweeper bring every line to the platform, once in effect, in
the store's order, with the levels right.
"""

import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import httpx
import pytest

from ocs.db.pool import Connection, Pool
from ocs.dead_letters.doors import Message
from ocs.delivery import lease, sender
from ocs.events.ingest import ingest
from ocs.runtime import Runtime
from tests.integration.platform import FIRST, Platform
from tests.integration.pos import SKU, UPC, message, rows, transaction

BAD = "999999_bad___"


class Died(BaseException):
    """The process is gone: nothing catches this, nothing is cleaned up but what the database does by itself."""


@dataclass
class Fate:
    """Counts a worker's steps and ends it at one of them; 0 lets it live."""

    ends_at: int = 0
    steps: int = 0

    def step(self) -> None:
        """Take one step."""
        self.steps += 1
        if self.steps == self.ends_at:
            raise Died


class MortalConnection:
    """A connection each of whose statements is a step."""

    def __init__(self, connection: Connection, fate: Fate) -> None:
        """Wrap a connection."""
        self._connection, self._fate = connection, fate

    async def execute(self, *words: Any) -> Any:
        """Run a statement, if the worker still lives."""
        self._fate.step()
        return await self._connection.execute(*words)

    def cursor(self) -> Any:
        """Give a cursor, if the worker still lives."""
        self._fate.step()
        return self._connection.cursor()


class MortalPool:
    """A pool whose transactions can be cut off before and after their commit."""

    def __init__(self, pool: Pool, fate: Fate) -> None:
        """Wrap a pool."""
        self._pool, self._fate = pool, fate

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MortalConnection]:
        """Open a transaction; a death within it rolls it back, as the server does when a connection is gone."""
        async with self._pool.transaction() as connection:
            yield MortalConnection(connection, self._fate)
            self._fate.step()
        self._fate.step()

    async def close(self) -> None:
        """Close the real pool."""
        await self._pool.close()


def _sale(number: int, *skus: str, quantity: int = 1) -> dict[str, Any]:
    items = [{"ocs_sku": sku, "upc": UPC, "quantity": quantity} for sku in skus]
    return transaction(f"T{number}", items=items)


SCENARIOS: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "two sales": lambda number: [_sale(number, SKU, SKU), _sale(number + 10_000, SKU)],
    "a correction": lambda number: [_sale(number, SKU), _sale(number, SKU, quantity=4)],
    "a bad line among three": lambda number: [_sale(number, SKU, BAD, SKU)],
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_death_at_any_step_loses_doubles_and_reorders_nothing(
    runtime: Runtime, platform: Platform, scenario: str
) -> None:
    platform.refused_skus = {BAD}
    pool, transport = runtime.pool, platform.client()
    survived = False
    for number in itertools.count(1):
        fate = Fate(ends_at=number)
        runtime.pool = cast("Pool", MortalPool(pool, fate))
        runtime.http = _mortal_client(platform, fate)
        runtime._made.clear()  # noqa: SLF001 - a new process holds nothing of the old one
        messages = [message(body) for body in SCENARIOS[scenario](number)]
        done: list[Message] = []
        try:
            await _work(runtime, messages, done)
            survived = True
        except Died:
            runtime.pool, runtime.http = pool, transport
            runtime._made.clear()  # noqa: SLF001 - the same
            await _after_the_death(runtime, [one for one in messages if one not in done])
        runtime.pool, runtime.http = pool, transport
        await _prove(runtime, platform)
        if survived:
            break
    assert number > 30, "the worker takes more steps than that"


async def _work(runtime: Runtime, messages: list[Message], done: list[Message]) -> None:
    """Do what the triggers do: take each message in, then answer the bell; `done` are those off the queue."""
    for one in messages:
        taken = await ingest(runtime, one)
        done.append(one)
    await sender.answer_bell(runtime, taken.store_id)


async def _after_the_death(runtime: Runtime, left: list[Message]) -> None:
    """Let time pass: leases end, the queue gives messages again, the sweeper rings."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set lease_until = now() where lease_until is not null")
        await connection.execute("update call_slots set held_until = 'epoch'")
    for one in left:
        await ingest(runtime, one)
    async with runtime.pool.transaction() as connection:
        waiting = await lease.streams_to_ring(connection)
    for store_id in waiting:
        await sender.answer_bell(runtime, store_id)


async def _prove(runtime: Runtime, platform: Platform) -> None:
    lines = await rows(
        runtime,
        "select l.line_id::text, l.quantity, l.ocs_sku, o.state, o.parked_reason "
        "from outbox o join event_lines l using (store_id, sequence) order by sequence",
    )
    assert {row["state"] for row in lines} <= {"accepted", "parked", "superseded"}
    assert {row["ocs_sku"] for row in lines if row["state"] == "parked"} <= {BAD}
    accepted = [row for row in lines if row["state"] == "accepted"]
    assert list(dict.fromkeys(row["line_id"] for row in accepted)) == platform.order
    in_effect = {line_id: line["inventoryQuantityChange"] for line_id, line in platform.accepted.items()}
    assert {row["line_id"]: str(abs(row["quantity"])) for row in accepted} == in_effect
    newest = {row["line_id"]: row["quantity"] for row in lines}
    levels = await rows(runtime, "select quantity from inventory_levels")
    assert sum(row["quantity"] for row in levels) == sum(newest.values(), Decimal(0))
    held = await rows(runtime, f"select * from delivery_streams join stores using (store_id) where crsa = '{FIRST}'")  # noqa: S608
    assert [(row["due_at"], row["lease_until"]) for row in held] == [(None, None)]


def _mortal_client(platform: Platform, fate: Fate) -> httpx.AsyncClient:
    def answer(request: httpx.Request) -> httpx.Response:
        fate.step()
        response = platform.answer(request)
        fate.step()
        return response

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))
