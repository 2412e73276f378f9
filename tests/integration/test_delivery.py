"""The engine on a real Postgres: order, leases, batches, refusals, waits and the breaker."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from ocs.delivery import batches, kinds, lease, outbox, sender
from ocs.events.report import EVENTS
from ocs.runtime import Runtime
from tests.integration.platform import FIRST, SECOND, THIRD, Platform, cut, status
from tests.integration.pos import UPC, rows, sell

BAD = "999999_bad___"


@pytest.fixture(autouse=True)
def _kinds() -> None:
    if EVENTS not in kinds.registered():
        kinds.register(EVENTS)


async def _states(runtime: Runtime) -> list[str]:
    return [row["state"] for row in await rows(runtime, "select state from outbox order by store_id, sequence")]


async def _wait(runtime: Runtime) -> tuple[str | None, float]:
    """Give why the one waiting stream waits, and for how many seconds."""
    found = await rows(
        runtime,
        "select wait_cause, extract(epoch from due_at - clock_timestamp())::float8 as seconds "
        "from delivery_streams where due_at is not null",
    )
    assert len(found) == 1
    return found[0]["wait_cause"], found[0]["seconds"]


async def _make_due(runtime: Runtime) -> None:
    """Let all waits be over, as time would."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set due_at = now() where due_at is not null")
        await connection.execute("update connection_pace set hold_until = 'epoch'")


async def test_a_quiet_store_sends_each_sale_by_itself(runtime: Runtime, platform: Platform) -> None:
    for number in range(3):
        taken = await sell(runtime, f"T{number}")
        await sender.answer_bell(runtime, taken.store_id)
    assert [len(call) for call in platform.calls] == [1, 1, 1]
    assert await _states(runtime) == ["accepted"] * 3


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
    assert await _states(runtime) == ["accepted", "accepted"]


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
    await _make_due(runtime)
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
    assert await _states(runtime) == ["frozen"]
    await _make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["accepted"]


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
    assert await _redrive(runtime, taken.store_id, [1]) == [1]
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["accepted"]


async def test_a_correction_replaces_a_parked_line_for_good(runtime: Runtime, platform: Platform) -> None:
    platform.refused_skus = {BAD}
    taken = await sell(runtime, "T1", items=[{"ocs_sku": BAD, "quantity": 1}])
    await sender.answer_bell(runtime, taken.store_id)
    await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["superseded", "accepted"]
    assert await _redrive(runtime, taken.store_id, [1]) == []
    assert [line["ocsSku"] for line in platform.accepted.values()] == ["101955_3.5g___"]


async def test_a_correction_before_sending_sends_the_newest_word_only(runtime: Runtime, platform: Platform) -> None:
    await sell(runtime, "T1")
    taken = await sell(runtime, "T1", items=[{"ocs_sku": "101955_3.5g___", "upc": UPC, "quantity": 5}])
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["superseded", "accepted"]
    assert [line["inventoryQuantityChange"] for line in platform.accepted.values()] == ["5"]


async def test_a_correction_during_an_unknown_outcome_comes_after_it(runtime: Runtime, platform: Platform) -> None:
    platform.answers = [cut]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await sell(runtime, "T1", items=[{"ocs_sku": "101955_3.5g___", "upc": UPC, "quantity": 5}])
    await _make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert [line["inventoryQuantityChange"] for line in platform.accepted.values()] == ["5"]
    assert len(platform.calls) == 3, "the frozen batch first, as it was, then the correction"


@pytest.mark.parametrize(
    ("failure", "wait"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 21600), (6, 86400), (7, 86400)]
)
async def test_the_waits_follow_the_schedule(runtime: Runtime, platform: Platform, failure: int, wait: float) -> None:
    taken = await sell(runtime, "T1")
    for _ in range(failure):
        platform.answers = [status(500)]
        await _make_due(runtime)
        await _calm_breaker(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    cause, seconds = await _wait(runtime)
    assert cause == "upstream"
    assert 0.89 * wait <= seconds <= 1.1 * wait
    alerts = await rows(runtime, "select cause from alerts where closed_at is null")
    assert [row["cause"] for row in alerts] == (["undeliverable"] if failure >= 7 else [])
    platform.answers = []
    await _make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await rows(runtime, "select cause from alerts where closed_at is null") == []


@pytest.mark.parametrize("said", ["120", "Fri, 20 Nov 2026 10:02:00 GMT"])
async def test_429_waits_as_told_and_counts_for_nothing(runtime: Runtime, platform: Platform, said: str) -> None:
    platform.answers = [status(429, {"Retry-After": said, "Date": "Fri, 20 Nov 2026 10:00:00 GMT"})]
    taken = await sell(runtime, "T1")
    other = await sell(runtime, "T1", store=SECOND)
    await sender.answer_bell(runtime, taken.store_id)
    assert await sender.answer_bell(runtime, other.store_id) == 0, "the whole connection was asked to slow down"
    waits = await rows(runtime, "select wait_cause from delivery_streams where wait_cause is not null")
    batch = await rows(runtime, "select failures from delivery_batches")
    held = await rows(runtime, "select hold_until - clock_timestamp() as rest from connection_pace")
    assert [row["wait_cause"] for row in waits] == ["slow_down"]
    assert batch[0]["failures"] == 0
    assert timedelta(seconds=110) < held[0]["rest"] <= timedelta(seconds=120)


async def test_a_refused_token_is_renewed_at_once(runtime: Runtime, platform: Platform) -> None:
    platform.answers = [status(401)]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["accepted"]
    assert platform.tokens_given == 2
    assert sorted(platform.vault().fresh_reads) == ["client-secret", "hash-key"]


async def test_refused_credentials_hold_the_store_with_an_alert_and_count_for_nothing(
    runtime: Runtime, platform: Platform
) -> None:
    platform.answers = [status(401), status(401)]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert (await _wait(runtime))[0] == "credentials"
    alerts = await rows(runtime, "select cause, message from alerts where closed_at is null")
    assert [row["cause"] for row in alerts] == ["credentials_refused"]
    assert "hash-key" in alerts[0]["message"]
    assert "a" * 64 not in alerts[0]["message"]
    await _make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["accepted"]
    assert await rows(runtime, "select cause from alerts where closed_at is null") == []


async def test_an_outage_opens_the_breaker_and_recovery_sends_all_in_order(
    runtime: Runtime, platform: Platform
) -> None:
    stores = [(await sell(runtime, "T1", store=crsa, lines=2)).store_id for crsa in (FIRST, SECOND, THIRD)]
    platform.answers = [status(503)] * 8
    while platform.answers:
        await _make_due(runtime)
        await sender.answer_bell(runtime, stores[len(platform.answers) % 3])
    pace = (await rows(runtime, "select state, allowed, times_opened from connection_pace"))[0]
    counted = await rows(
        runtime, "select counted, count(*) as n from delivery_attempts where outcome = 'upstream' group by 1"
    )
    assert {row["counted"]: row["n"] for row in counted}[True] == 5, "what failed while the breaker was open counts not"
    await _make_due(runtime)
    for _ in range(3):
        for store_id in stores:
            await sender.answer_bell(runtime, store_id)
    assert (pace["state"], pace["allowed"]) == ("open", 1)
    assert await _states(runtime) == ["accepted"] * 6
    assert (await rows(runtime, "select state, allowed from connection_pace"))[0] == {"state": "closed", "allowed": 2}


async def test_stores_that_waited_for_the_platform_need_not_wait_once_it_is_back(
    runtime: Runtime, platform: Platform
) -> None:
    platform.answers = [status(500)] * 5
    taken = await sell(runtime, "T1")
    for _ in range(5):
        async with runtime.pool.transaction() as connection:
            await connection.execute("update delivery_streams set due_at = now()")
        await sender.answer_bell(runtime, taken.store_id)
    other = await sell(runtime, "T1", store=SECOND)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update connection_pace set hold_until = 'epoch'")
        await connection.execute(
            "update delivery_streams set due_at = now() + interval '6 hours' where wait_cause is not null"
        )
    await sender.answer_bell(runtime, other.store_id)
    await sender.answer_bell(runtime, taken.store_id)
    assert await _states(runtime) == ["accepted"] * 2


async def test_no_more_calls_at_a_time_than_the_cap(runtime: Runtime) -> None:
    stores = [(await sell(runtime, "T1", store=crsa)).store_id for crsa in (FIRST, SECOND, THIRD)]
    claimed = []
    for store_id in stores:
        async with runtime.pool.transaction() as connection:
            claimed.append(await lease.claim(connection, runtime.settings, store_id, "events"))
    assert [found is not None for found in claimed] == [True, True, False]


async def test_a_store_that_is_switched_off_sends_nothing_and_loses_nothing(
    runtime: Runtime, platform: Platform
) -> None:
    taken = await sell(runtime, "T1")
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set reporting = false")
    assert await sender.answer_bell(runtime, taken.store_id) == 0
    async with runtime.pool.transaction() as connection:
        assert await lease.streams_to_ring(connection) == []
        await connection.execute("update stores set reporting = true")
    await sender.answer_bell(runtime, taken.store_id)
    assert len(platform.accepted) == 1


async def test_every_attempt_is_a_row(runtime: Runtime, platform: Platform) -> None:
    platform.answers = [status(500)]
    taken = await sell(runtime, "T1", lines=2)
    await sender.answer_bell(runtime, taken.store_id)
    await _make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    attempts = await rows(
        runtime,
        "select outcome, counted, http_status, reference_id, message, reply, lines, finished_at is not null as done "
        "from delivery_attempts order by attempt_id",
    )
    assert [(a["outcome"], a["counted"], a["http_status"], a["lines"], a["done"]) for a in attempts] == [
        ("upstream", True, 500, 2, True),
        ("accepted", False, 200, 2, True),
    ]
    assert "scripted 500" in attempts[0]["reply"]
    assert attempts[1]["reference_id"] == "ref-0"


async def _redrive(runtime: Runtime, store_id: UUID, sequences: list[int]) -> list[int]:
    async with runtime.pool.transaction() as connection:
        tenant = (await (await connection.execute("select tenant_id from tenants")).fetchall())[0]["tenant_id"]
        stream = await outbox.lock(connection, tenant, store_id, "events")
        return await outbox.redrive(connection, stream, sequences)


async def _calm_breaker(runtime: Runtime) -> None:
    """Let other stores' successes have closed the breaker meanwhile: this batch fails alone."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update connection_pace set state = 'closed', failures = 0, allowed = cap")
