"""Lines go again: named ones, a filter's as a job, accepted ones as a replay; jobs die, go on and are cancelled."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ocs.casework import jobs
from ocs.casework.jobs import run_jobs
from ocs.delivery import batches
from ocs.delivery.sender import answer_bell
from ocs.runtime import Runtime
from tests.integration.mortal import Died, Fate, Mortality, let_leases_end
from tests.integration.platform import CROL, FIRST, SECOND, Platform, status
from tests.integration.pos import SKU, UPC, make_due, rows, sell, states

BAD, WORSE = "999999_bad___", "888888_worse___"
RETRY, REPLAY = "/api/ocs/events/retry", "/api/ocs/events/replay"


async def refuse(runtime: Runtime, platform: Platform, numbers: int, store: str = FIRST) -> list[str]:
    """Have a line of each of some transactions refused; gives their ids in the store's order."""
    platform.refused_skus = {BAD}
    for number in range(numbers):
        sold = await sell(
            runtime, f"R{number}", store=store, items=[{"ocs_sku": BAD, "upc": UPC, "quantity": number + 1}]
        )
    await answer_bell(runtime, sold.store_id)
    platform.refused_skus = set()
    found = await rows(
        runtime,
        "select l.line_id::text, l.store_id from event_lines l join outbox o using (store_id, sequence) "  # noqa: S608
        f"join stores using (store_id) where o.state = 'parked' and crsa = '{store}' order by sequence",
    )
    assert len(found) == numbers
    return [row["line_id"] for row in found]


async def work(runtime: Runtime) -> None:
    """Let the sweep and the sender do what is due, until a job has nothing left to do."""
    for _ in range(20):
        again = await run_jobs(runtime)
        for row in await rows(runtime, "select store_id from delivery_streams where due_at is not null"):
            await answer_bell(runtime, row["store_id"])
        if not again and await rows(runtime, "select from retry_jobs where state = 'running'") == []:
            return
    pytest.fail("the job came to no end")


def times() -> dict[str, str]:
    """Give a time around now."""
    now = datetime.now(UTC)
    return {
        "recorded_from": (now - timedelta(hours=1)).isoformat(),
        "recorded_to": (now + timedelta(hours=1)).isoformat(),
    }


async def test_named_lines_go_again_at_once_in_their_old_places_with_a_result_each(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    refused = await refuse(runtime, platform, 2)
    sold = await sell(runtime, "T9")
    body = {"store_id": FIRST, "line_ids": [refused[1]], "sequences": [1, 3]}
    reply = await staff.post(RETRY, json=body)
    assert reply.status_code == 200, reply.text
    assert {one["sequence"]: one["due"] for one in reply.json()["lines"]} == {1: True, 2: True, 3: False}
    await answer_bell(runtime, sold.store_id)
    assert platform.order[:2] == refused
    assert await states(runtime) == ["accepted"] * 3
    whole = (await staff.get(f"/api/ocs/events/lines/{refused[0]}")).json()
    assert whole["attempts"][0]["outcome"] == "accepted"
    assert "rejected" in [one["outcome"] for one in whole["attempts"]], "the tries before are still told"
    act = (await rows(runtime, "select what, after from audit_acts"))[0]
    assert (act["what"], act["after"]["sequences"]) == ("lines.retried", [1, 2])


async def test_a_line_that_is_not_the_stores_is_404_and_then_none_goes(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    refused = await refuse(runtime, platform, 1)
    for wrong in ({"line_ids": [refused[0], str(uuid4())]}, {"line_ids": refused, "sequences": [77]}):
        assert (await staff.post(RETRY, json={"store_id": FIRST} | wrong)).status_code == 404
    assert (await staff.post(RETRY, json={"store_id": SECOND, "line_ids": refused})).status_code == 404
    assert await states(runtime) == ["parked"]


async def test_a_filter_is_tried_dry_first_and_then_a_job_with_progress(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.STEP, "retry", 2)
    refused = await refuse(runtime, platform, 5)
    elsewhere = await refuse(runtime, platform, 3, SECOND)
    body = {"tenant": CROL, "cause": "platform_rejected"} | times()
    dry = await staff.post(RETRY, json=body | {"dry_run": True})
    assert dry.status_code == 200, dry.text
    assert (dry.json()["found"]["lines"], dry.json()["found"]["stores"]) == (8, 2)
    sampled = {line["line_id"] for line in dry.json()["found"]["sample"]}
    assert sampled in (set(refused), set(elsewhere))
    assert await rows(runtime, "select from retry_jobs") == []
    made = await staff.post(RETRY, json=body)
    job = made.json()["job"]
    assert (made.status_code, job["lines"], job["state"]) == (202, 8, "running")
    assert await run_jobs(runtime) == 4, "two lines of each store"
    assert await run_jobs(runtime) == 0, "what went again is not settled yet"
    half = (await staff.get(f"/api/ocs/events/jobs/{job['job_id']}")).json()
    assert (half["sent_again"], half["state"]) == (4, "running")
    await work(runtime)
    done = (await staff.get("/api/ocs/events/jobs")).json()["items"][0]
    assert (done["sent_again"], done["left_as_is"], done["stores_done"], done["state"]) == (8, 0, 2, "done")
    assert [line for line in platform.order if line in refused] == refused
    assert [line for line in platform.order if line in elsewhere] == elsewhere
    nothing = await staff.post(RETRY, json=body)
    assert (nothing.status_code, "nothing to send again" in nothing.text) == (409, True)


async def test_a_job_that_is_cancelled_stops_where_it_is(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.STEP, "retry", 1)
    await refuse(runtime, platform, 3)
    job = (await staff.post(RETRY, json={"store_id": FIRST})).json()["job"]
    assert await run_jobs(runtime) == 1
    path = f"/api/ocs/events/jobs/{job['job_id']}/cancel"
    stopped = await staff.post(path)
    assert (stopped.status_code, stopped.json()["state"], stopped.json()["sent_again"]) == (200, "cancelled", 1)
    await work(runtime)
    assert await states(runtime) == ["accepted", "parked", "parked"]
    assert (await staff.post(path)).status_code == 409
    assert [row["what"] for row in await rows(runtime, "select what from audit_acts order by act_id")] == [
        "retry.asked",
        "retry.cancelled",
    ]


async def test_a_line_that_is_refused_again_ends_the_job_and_is_tried_once(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await refuse(runtime, platform, 2)
    platform.refused_skus = {BAD}
    await staff.post(RETRY, json={"store_id": FIRST})
    before = len(platform.calls)
    await work(runtime)
    assert await states(runtime) == ["parked", "parked"]
    assert len(platform.calls) - before == 3, "both together, then each alone"


async def test_a_retry_by_filter_of_what_cannot_go_says_what_can(staff: httpx.AsyncClient) -> None:
    unmapped = await staff.post(RETRY, json={"store_id": FIRST, "cause": "sku_unmapped"})
    assert (unmapped.status_code, "platform_rejected" in unmapped.text) == (422, True)
    for wrong in ({}, {"store_id": FIRST, "tenant": CROL}, {"line_ids": [str(uuid4())]}, {"store_id": FIRST, "x": 1}):
        assert (await staff.post(RETRY, json=wrong)).status_code == 422, wrong


async def test_a_replay_sends_newest_revisions_again_with_their_ids_and_in_order(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(jobs.STEP, "replay", 2)
    for number in range(4):
        sold = await sell(runtime, f"T{number}")
        await answer_bell(runtime, sold.store_id)
    await sell(runtime, "T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 7, "unit_price": "49.95"}])
    await answer_bell(runtime, sold.store_id)
    ledger, platform.accepted = platform.accepted, {}
    order = [row["line_id"] for row in await rows(runtime, "select line_id::text from event_lines order by sequence")]
    platform.calls.clear()
    dry = (await staff.post(REPLAY, json={"store_id": FIRST, "dry_run": True} | times())).json()["found"]
    assert dry["lines"] == 4
    assert (await staff.post(REPLAY, json={"store_id": FIRST} | times())).status_code == 202
    await work(runtime)
    assert [line for call in platform.calls for line in call] == [order[0], order[2], order[3], order[4]]
    assert platform.accepted == ledger, "as it was, the correction included"
    assert await states(runtime) == ["accepted"] * 5
    assert (await rows(runtime, "select sum(quantity) as eaches from inventory_levels"))[0]["eaches"] == -10
    found = await staff.get(f"/api/ocs/events/history/{FIRST}", params={"reference_id": "ref-0"})
    assert [line["transaction_id"] for line in found.json()["items"]] == ["T0"], "by its first reference id too"


async def test_a_correction_during_a_replay_stays_the_last_word(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    sold = await sell(runtime, "T1")
    await answer_bell(runtime, sold.store_id)
    await staff.post(REPLAY, json={"store_id": FIRST} | times())
    assert await run_jobs(runtime) == 1
    platform.answers = [status(503)]
    await answer_bell(runtime, sold.store_id)
    await sell(runtime, "T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 7, "unit_price": "49.95"}])
    await make_due(runtime)
    await answer_bell(runtime, sold.store_id)
    assert [line["inventoryQuantityChange"] for line in platform.accepted.values()] == ["7"]


async def test_tries_before_a_retry_are_kept_until_the_line_is_through_and_retired_then(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    refused = await refuse(runtime, platform, 1)
    await staff.post(RETRY, json={"store_id": FIRST, "line_ids": refused})
    later = datetime.now(UTC) + timedelta(days=1)
    async with runtime.pool.transaction() as connection:
        assert await batches.retire(connection, later, 10) == 0, "the line is not delivered yet"
    await work(runtime)
    async with runtime.pool.transaction() as connection:
        assert await batches.retire(connection, later, 10) == 2
    shown = (await staff.get(f"/api/ocs/events/lines/{refused[0]}")).json()
    assert (shown["status"], shown["attempts"]) == ("accepted", [])


async def test_a_replay_has_an_end_and_is_not_too_long(staff: httpx.AsyncClient) -> None:
    now = datetime.now(UTC)
    for of, days in (("store_id", -1), ("store_id", 0), ("store_id", 93), ("tenant", 8)):
        body = {"recorded_from": now.isoformat(), "recorded_to": (now + timedelta(days=days)).isoformat()}
        named = {of: FIRST if of == "store_id" else CROL}
        assert (await staff.post(REPLAY, json=named | body)).status_code == 422, (of, days)
    edge = {"recorded_from": "9999-12-31T00:00:00Z", "recorded_to": "9999-12-31T23:59:59-14:00"}
    assert (await staff.post(REPLAY, json={"store_id": FIRST} | edge)).status_code == 409, "there are no lines"


async def survives(runtime: Runtime) -> bool:
    """Run the sweep, and tell whether its worker outlived it."""
    try:
        await run_jobs(runtime)
    except Died:
        return False
    return True


@pytest.mark.parametrize("what", ["retry", "replay"])
async def test_a_job_that_dies_at_any_step_goes_on_and_sends_each_line_once(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setitem(jobs.STEP, what, 2)
    mortality = Mortality(runtime, platform)
    for ends_at in itertools.count(1):
        async with runtime.pool.transaction() as connection:
            await connection.execute(
                "truncate event_lines, event_messages, outbox, retry_jobs, delivery_batches cascade"
            )
        body: dict[str, Any] = {"store_id": FIRST} | times()
        lines = await refuse(runtime, platform, 3)
        if what == "replay":
            await staff.post(RETRY, json={"store_id": FIRST, "line_ids": lines})
            await work(runtime)
        assert (await staff.post(f"/api/ocs/events/{what}", json=body)).status_code == 202
        platform.order.clear()
        platform.accepted.clear()
        mortality.begins(Fate(ends_at=ends_at))
        survived = await survives(runtime)
        mortality.ends()
        await let_leases_end(runtime)
        await work(runtime)
        assert platform.order == lines
        job = (await rows(runtime, "select sum(sent_again) as again from retry_job_stores"))[0]
        assert job["again"] == 3
        if survived:
            break
    assert ends_at > 8, "a step takes more steps than that"
