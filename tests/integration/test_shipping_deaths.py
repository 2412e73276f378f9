"""A worker dies at every single step of receiving a shipment and of reading notices: the effect is always one."""

import itertools
from typing import cast
from uuid import UUID

import pytest

from ocs.runtime import Runtime
from ocs.shipping import fetch
from ocs.shipping.differences import reconcile
from ocs.shipping.models import Receive
from ocs.shipping.put import put_receipts
from ocs.shipping.receive import receive
from ocs.tenants.read import store_of
from tests.integration.mortal import Died, Fate, Mortality, let_leases_end
from tests.integration.platform import CROL, FIRST, FakeQueues, Platform
from tests.integration.pos import rows
from tests.integration.shipments import Wholesaler, ask, let_receipts_rest, let_time_pass, notice_line, read, take_in

MOST_STEPS = 60
CLICK = Receive(store_id=FIRST)


class MortalQueues(FakeQueues):
    """Queues around each put of which the worker can die."""

    def __init__(self, queues: FakeQueues, fate: Fate) -> None:
        """Wrap queues."""
        super().__init__()
        self._queues, self._fate = queues, fate

    async def put(self, queue: str, text: str, *, hidden_seconds: int = 0) -> str:
        """Put one message, if the worker still lives."""
        self._fate.step()
        message_id = await self._queues.put(queue, text, hidden_seconds=hidden_seconds)
        self._fate.step()
        return message_id


async def click(runtime: Runtime, shipment_id: str) -> None:
    """Do what the route does."""
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
        await receive(connection, store, shipment_id, CLICK, "super admin")
    await put_receipts(runtime, store.store_id, shipment_id)


async def _click_and_die(runtime: Runtime, mortality: Mortality, number: int) -> bool:
    """Click on "receive" as a worker that dies at one of its steps; gives whether it lived."""
    fate, queues = Fate(ends_at=number), runtime.queues
    mortality.begins(fate)
    runtime.queues = MortalQueues(cast("FakeQueues", queues), fate)
    try:
        await click(runtime, f"S{number}")
    except Died:
        return False
    finally:
        mortality.ends()
        runtime.queues = queues
    return True


@pytest.mark.parametrize("clicked_again", [True, False])
async def test_a_death_at_any_step_of_receiving_leaves_one_receipt_or_none(
    runtime: Runtime, platform: Platform, clicked_again: bool
) -> None:
    """None where nothing was committed and nobody clicks again; else every line is reported once, with its quantity."""
    Wholesaler(platform, [notice_line(lot, shipmentID=f"S{n}") for n in range(1, MOST_STEPS) for lot in (1, 2)])
    await read(runtime)
    mortality = Mortality(runtime, platform)
    for number in itertools.count(1):
        survived = await _click_and_die(runtime, mortality, number)
        await let_receipts_rest(runtime)
        if clicked_again:
            await click(runtime, f"S{number}")
        await put_receipts(runtime)
        await take_in(runtime)
        await _prove(runtime, f"S{number}", certain=clicked_again or survived)
        if survived:
            break
    assert number > 10, "receiving takes more steps than that"


async def _prove(runtime: Runtime, shipment_id: str, *, certain: bool) -> None:
    own = f"where shipment_id = '{shipment_id}'"
    receipts = await rows(runtime, f"select number from receipts {own}")  # noqa: S608
    assert len(receipts) in ({1} if certain else {0, 1})
    expected = [(1, 24, "accepted")] * 2 if receipts else []
    lines = await rows(
        runtime,
        "select r.revision, r.quantity, r.state "  # noqa: S608
        f"from reported_lines r join shipment_lines using (store_id, line_id) {own}",
    )
    assert [(row["revision"], row["quantity"], row["state"]) for row in lines] == expected
    waiting = await rows(runtime, f"select queued_at from receipt_messages {own} and queued_at is null")  # noqa: S608
    assert waiting == []
    await reconcile(runtime)
    [shipment] = await rows(runtime, f"select state from shipments {own}")  # noqa: S608
    assert shipment["state"] == ("reconciled" if receipts else "expected")


async def test_a_death_at_any_step_of_reading_loses_and_doubles_nothing(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time OCS has added a line: after the next worker it is there, once, and the reading is done, once."""
    monkeypatch.setattr(fetch, "AT_ONCE", 1)
    ocs = Wholesaler(platform, [])
    mortality, done = Mortality(runtime, platform), set[UUID]()
    survived = False
    for number in itertools.count(1):
        ocs.lines.append(notice_line(number))
        await ask(runtime)
        mortality.begins(Fate(ends_at=number))
        try:
            await fetch.fetch_due(runtime)
            survived = True
        except Died:
            mortality.ends()
            await let_leases_end(runtime)
            await let_time_pass(runtime)
            await fetch.fetch_due(runtime)
        mortality.ends()
        lines = await rows(runtime, "select batch_lot from shipment_lines")
        assert sorted(row["batch_lot"] for row in lines) == sorted(line["batchLot"] for line in ocs.lines)
        changes = await rows(runtime, "select kind from notice_changes")
        assert [row["kind"] for row in changes] == ["added"] * (number - 1), "the first notice changed nothing"
        readings = await rows(runtime, "select fetch_id, state from shipping_fetches")
        assert {row["state"] for row in readings} == {"done"}
        assert len({row["fetch_id"] for row in readings} - done) == 1
        done |= {row["fetch_id"] for row in readings}
        if survived:
            break
    assert number > 10, "a reading takes more steps than that"
