"""The engine on a real Postgres when the platform or its sign-in fails: waits, alerts and the breaker."""

from datetime import timedelta

import httpx
import pytest

from ocs.delivery import lease, sender
from ocs.runtime import Runtime
from tests.integration.platform import FIRST, SECOND, THIRD, Platform, status
from tests.integration.pos import SKU, UPC, make_due, rows, sell, states

BAD = "999999_bad___"


async def _wait(runtime: Runtime) -> tuple[str | None, float]:
    """Give why the one waiting stream waits, and for how many seconds."""
    found = await rows(
        runtime,
        "select wait_cause, extract(epoch from due_at - clock_timestamp())::float8 as seconds "
        "from delivery_streams where due_at is not null",
    )
    assert len(found) == 1
    return found[0]["wait_cause"], found[0]["seconds"]


@pytest.mark.parametrize(
    ("failure", "wait"), [(1, 60), (2, 300), (3, 900), (4, 3600), (5, 21600), (6, 86400), (7, 86400)]
)
async def test_the_waits_follow_the_schedule(runtime: Runtime, platform: Platform, failure: int, wait: float) -> None:
    taken = await sell(runtime, "T1")
    for _ in range(failure):
        platform.answers = [status(500)]
        await make_due(runtime)
        await _calm_breaker(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    cause, seconds = await _wait(runtime)
    assert cause == "upstream"
    assert 0.89 * wait <= seconds <= 1.1 * wait
    alerts = await rows(runtime, "select cause from alerts where closed_at is null")
    assert [row["cause"] for row in alerts] == (["undeliverable"] if failure >= 7 else [])
    platform.answers = []
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await rows(runtime, "select cause from alerts where closed_at is null") == []


async def test_a_line_on_which_the_platform_fails_is_got_alone_and_parked_at_last(
    runtime: Runtime, platform: Platform
) -> None:
    """Some servers answer a bad line with a 500: it must not stop its store for good."""
    platform.failing_skus = {BAD}
    items = [{"ocs_sku": sku, "upc": UPC, "quantity": 1} for sku in (SKU, SKU, BAD, SKU)]
    taken = await sell(runtime, "T1", items=items)
    for _ in range(8):
        await make_due(runtime)
        await _calm_breaker(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted", "accepted", "parked", "accepted"]
    parked = await rows(runtime, "select parked_cause, parked_reason from outbox where state = 'parked'")
    assert parked[0]["parked_cause"] == "platform_failed"
    assert "8 times" in parked[0]["parked_reason"]


async def test_a_long_outage_is_an_alert_until_the_platform_answers(runtime: Runtime, platform: Platform) -> None:
    """Also for a store that is alone on its connection: nothing counts while the breaker is open."""
    platform.answers = [status(500)] * 12
    taken = await sell(runtime, "T1")
    for _ in range(12):
        await make_due(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    alerts = await rows(runtime, "select cause from alerts where closed_at is null")
    assert [row["cause"] for row in alerts] == ["platform_down"]
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"]
    assert await rows(runtime, "select cause from alerts where closed_at is null") == []


@pytest.mark.parametrize("code", [404, 405, 200])
async def test_a_wrong_address_parks_nothing(runtime: Runtime, platform: Platform, code: int) -> None:
    """Nor does a 200 that proves nothing; both say nothing of the lines, however often they come."""
    platform.answers = [status(code)] * 10
    taken = await sell(runtime, "T1", lines=2)
    while platform.answers:
        await make_due(runtime)
        await _calm_breaker(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["frozen", "frozen"]
    assert len(await rows(runtime, "select * from delivery_batches")) == 1, "nothing was split"


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
    assert await states(runtime) == ["accepted"]
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
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"]
    assert await rows(runtime, "select cause from alerts where closed_at is null") == []


async def test_an_outage_opens_the_breaker_and_recovery_sends_all_in_order(
    runtime: Runtime, platform: Platform
) -> None:
    stores = [(await sell(runtime, "T1", store=crsa, lines=2)).store_id for crsa in (FIRST, SECOND, THIRD)]
    platform.answers = [status(503)] * 8
    while platform.answers:
        await make_due(runtime)
        await sender.answer_bell(runtime, stores[len(platform.answers) % 3])
    pace = (await rows(runtime, "select state, allowed, times_opened from connection_pace"))[0]
    counted = await rows(
        runtime, "select counted, count(*) as n from delivery_attempts where outcome = 'upstream' group by 1"
    )
    assert {row["counted"]: row["n"] for row in counted}[True] == 5, "what failed while the breaker was open counts not"
    await make_due(runtime)
    for _ in range(3):
        for store_id in stores:
            await sender.answer_bell(runtime, store_id)
    assert (pace["state"], pace["allowed"]) == ("open", 1)
    assert await states(runtime) == ["accepted"] * 6
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
    assert await states(runtime) == ["accepted"] * 2


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
    await make_due(runtime)
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


async def _calm_breaker(runtime: Runtime) -> None:
    """Let other stores' successes have closed the breaker meanwhile: this batch fails alone."""
    async with runtime.pool.transaction() as connection:
        await connection.execute("update connection_pace set state = 'closed', failures = 0, allowed = cap")


@pytest.mark.parametrize("code", [200, 400, 401, 429, 500])
async def test_a_reply_that_echoes_our_headers_leaves_no_secret_on_record(
    runtime: Runtime, platform: Platform, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Error pages of web servers show the request's headers, the token and the hash key among them."""
    seen: list[str] = []

    def echo(request: httpx.Request) -> httpx.Response:
        seen.extend([request.headers["Authorization"].partition(" ")[2], request.headers["retailer_hashkey"]])
        return httpx.Response(code, text=f"sorry: {dict(request.headers)}")

    platform.answers = [echo, echo]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    kept = [str(row) for row in await rows(runtime, "select * from delivery_attempts")]
    kept += [str(row) for row in await rows(runtime, "select * from outbox")]
    kept += [str(row) for row in await rows(runtime, "select * from audit_calls")]
    said = capsys.readouterr()
    assert seen
    assert any("sorry: " in text for text in kept)
    assert [secret for secret in seen for text in (*kept, said.out, said.err) if secret in text] == []
