"""A worker dies at every single step, one after the other: before each statement, around each commit and each POST.

Whatever it leaves behind, the queue's redelivery and the sweeper bring every line to the platform, once in effect, in
the store's order, with the levels right.
"""

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from ocs.dead_letters.doors import Message
from ocs.delivery import lease, sender
from ocs.events.ingest import ingest
from ocs.runtime import Runtime
from tests.integration.mortal import Died, Fate, Mortality, let_leases_end
from tests.integration.platform import FIRST, Platform
from tests.integration.pos import SKU, UPC, message, rows, transaction

BAD = "999999_bad___"


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
    mortality = Mortality(runtime, platform)
    survived = False
    for number in itertools.count(1):
        mortality.begins(Fate(ends_at=number))
        messages = [message(body) for body in SCENARIOS[scenario](number)]
        done: list[Message] = []
        try:
            await _work(runtime, messages, done)
            survived = True
        except Died:
            mortality.ends()
            await _after_the_death(runtime, [one for one in messages if one not in done])
        mortality.ends()
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
    await let_leases_end(runtime)
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
