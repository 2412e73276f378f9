"""The engine on a real Postgres: order, leases, batches, refusals and corrections."""

import httpx
import pytest

from ocs.delivery import batches, lease, outbox, sender
from ocs.events.report import EVENTS
from ocs.runtime import Runtime
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, Platform, cut
from tests.integration.pos import UPC, make_due, rows, sell, states

BAD = "999999_bad___"


async def test_a_quiet_store_sends_each_sale_by_itself(runtime: Runtime, platform: Platform) -> None:
    for number in range(3):
        taken = await sell(runtime, f"T{number}")
        await sender.answer_bell(runtime, taken.store_id)
    assert [len(call) for call in platform.calls] == [1, 1, 1]
    assert await states(runtime) == ["accepted"] * 3


async def test_what_gathered_goes_out_as_one_batch_in_the_stores_order(runtime: Runtime, platform: Platform) -> None:
    for number in range(30):
        taken = await sell(runtime, f"T{number}", lines=2)
    await sender.answer_bell(runtime, taken.store_id)
    lines = await rows(runtime, "select line_id::text from event_lines order by sequence")
    assert [len(call) for call in platform.calls] == [60]
    assert platform.order == [row["line_id"] for row in lines]


async def test_only_the_first_of_several_sales_rings(runtime: Runtime) -> None:
    assert [(await sell(runtime, f"T{number}")).ring for number in range(3)] == [True, False, False]


async def test_a_bell_without_work_calls_nobody(runtime: Runtime, platform: Platform) -> None:
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await sender.answer_bell(runtime, taken.store_id) == 0
    assert len(platform.calls) == 1


async def test_two_workers_never_hold_one_store(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1")
    async with runtime.pool.transaction() as connection:
        assert await lease.claim(connection, runtime.settings, taken.store_id, "events") is not None
    async with runtime.pool.transaction() as connection:
        assert await lease.claim(connection, runtime.settings, taken.store_id, "events") is None


async def test_a_dead_workers_batch_is_sent_again_with_the_same_members(runtime: Runtime, platform: Platform) -> None:
    """The worker dies after freezing: sales that came later are not in the batch that is sent again."""
    taken = await sell(runtime, "T1")
    async with runtime.pool.transaction() as connection:
        dead = await lease.claim(connection, runtime.settings, taken.store_id, "events")
        assert dead is not None
        frozen = await batches.next_work(connection, runtime.settings, EVENTS, dead)
    assert frozen is not None
    await sell(runtime, "T2")
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set lease_until = now() - interval '1 second'")
        assert await lease.streams_to_ring(connection) == [taken.store_id]
    await sender.answer_bell(runtime, taken.store_id)
    assert [len(call) for call in platform.calls] == [1, 1]
    assert await states(runtime) == ["accepted", "accepted"]


async def test_a_worker_that_was_overtaken_writes_nothing(runtime: Runtime, platform: Platform) -> None:
    taken = await sell(runtime, "T1")
    async with runtime.pool.transaction() as connection:
        slow = await lease.claim(connection, runtime.settings, taken.store_id, "events")
        assert slow is not None
        work = await batches.next_work(connection, runtime.settings, EVENTS, slow)
        assert work is not None
        await connection.execute("update delivery_streams set lease_until = now() - interval '1 second'")
    await sender.answer_bell(runtime, taken.store_id)
    async with runtime.pool.transaction() as connection:
        assert not await lease.hold(connection, runtime.settings, slow)
    assert len(platform.calls) == 1


async def test_a_batch_of_an_unknown_outcome_is_sent_again(runtime: Runtime, platform: Platform) -> None:
    def accept_then_cut(request: httpx.Request) -> httpx.Response:
        platform.record(request)
        return cut(request)

    platform.answers = [accept_then_cut]
    taken = await sell(runtime, "T1", lines=3)
    await sender.answer_bell(runtime, taken.store_id)
    await sell(runtime, "T2")
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert platform.calls[0] == platform.calls[1]
    assert [len(call) for call in platform.calls] == [3, 3, 1]


@pytest.mark.parametrize("reply", [{"json": {"status": "fine"}}, {"text": "<html>hello</html>"}, {"text": ""}])
async def test_a_200_that_proves_nothing_is_not_believed(
    runtime: Runtime, platform: Platform, reply: dict[str, object]
) -> None:
    platform.answers = [lambda _request: httpx.Response(200, **reply)]  # type: ignore[arg-type] # one of three bodies
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["frozen"]
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"]


async def test_bad_lines_are_parked_alone_and_the_others_go_through(runtime: Runtime, platform: Platform) -> None:
    platform.refused_skus = {BAD}
    for number in range(50):
        sku = BAD if number in (0, 17, 49) else "101955_3.5g___"
        taken = await sell(runtime, f"T{number}", items=[{"ocs_sku": sku, "upc": UPC, "quantity": 1}])
    await sender.answer_bell(runtime, taken.store_id)
    parked = await rows(runtime, "select sequence, parked_reason from outbox where state = 'parked' order by sequence")
    assert [row["sequence"] for row in parked] == [1, 18, 50]
    assert all(BAD in row["parked_reason"] for row in parked), "the platform's own words are the reason"
    lines = await rows(
        runtime, "select line_id::text from event_lines where ocs_sku <> '999999_bad___' order by sequence"
    )
    assert platform.order == [row["line_id"] for row in lines]


async def test_a_parked_line_goes_out_again_when_it_is_redriven(runtime: Runtime, platform: Platform) -> None:
    platform.refused_skus = {BAD}
    taken = await sell(runtime, "T1", items=[{"ocs_sku": BAD, "quantity": 1}])
    await sender.answer_bell(runtime, taken.store_id)
    platform.refused_skus = set()
    assert await _redrive(runtime, [1]) == [1]
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"]


async def test_a_correction_replaces_a_parked_line_for_good(runtime: Runtime, platform: Platform) -> None:
    platform.refused_skus = {BAD}
    taken = await sell(runtime, "T1", items=[{"ocs_sku": BAD, "quantity": 1}])
    await sender.answer_bell(runtime, taken.store_id)
    await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["superseded", "accepted"]
    assert await _redrive(runtime, [1]) == []
    assert [line["ocsSku"] for line in platform.accepted.values()] == ["101955_3.5g___"]


async def test_a_correction_before_sending_sends_the_newest_word_only(runtime: Runtime, platform: Platform) -> None:
    await sell(runtime, "T1")
    taken = await sell(runtime, "T1", items=[{"ocs_sku": "101955_3.5g___", "upc": UPC, "quantity": 5}])
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["superseded", "accepted"]
    assert [line["inventoryQuantityChange"] for line in platform.accepted.values()] == ["5"]


async def test_a_correction_during_an_unknown_outcome_comes_after_it(runtime: Runtime, platform: Platform) -> None:
    platform.answers = [cut]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await sell(runtime, "T1", items=[{"ocs_sku": "101955_3.5g___", "upc": UPC, "quantity": 5}])
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert [line["inventoryQuantityChange"] for line in platform.accepted.values()] == ["5"]
    assert len(platform.calls) == 3, "the frozen batch first, as it was, then the correction"


async def _redrive(runtime: Runtime, sequences: list[int]) -> list[int]:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
        stream = await outbox.lock(connection, store, "events")
        return await outbox.redrive(connection, stream, sequences)
