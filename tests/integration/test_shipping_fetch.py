"""Shipping notices are read whatever the platform and our own workers do, and never counted twice."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from ocs.errors import Conflict
from ocs.runtime import Runtime
from ocs.shipping import fetch
from ocs.shipping.take import take_notices
from ocs.tenants.onboard import switch_reporting
from tests.integration.platform import CROL, FIRST, SECOND, THIRD, Platform, status
from tests.integration.pos import rows
from tests.integration.shipments import SHIPMENT, Wholesaler, ask, let_time_pass, notice_line, read


@pytest.fixture
def ocs(platform: Platform) -> Wholesaler:
    """Give a wholesaler that has shipped one shipment of two lines."""
    return Wholesaler(platform)


async def fetches(runtime: Runtime) -> list[dict[str, Any]]:
    """Give all readings, oldest first."""
    return await rows(runtime, "select * from shipping_fetches order by asked_at, store_id")


async def changes(runtime: Runtime) -> list[tuple[str, str]]:
    """Give what later notices changed: kind and lot."""
    found = await rows(
        runtime,
        "select c.kind, l.batch_lot from notice_changes c join shipment_lines l using (store_id, line_id) "
        "order by change_id",
    )
    return [(row["kind"], row["batch_lot"]) for row in found]


async def test_a_notice_becomes_a_shipment_with_its_lines(runtime: Runtime, ocs: Wholesaler) -> None:
    await read(runtime)
    [shipment] = await rows(runtime, "select * from shipments")
    assert (shipment["shipment_id"], shipment["state"]) == (SHIPMENT, "expected")
    lines = await rows(runtime, "select * from shipment_lines order by batch_lot")
    assert [(line["batch_lot"], line["quantity"], line["barcode_lot"]) for line in lines] == [
        ("L1", 24, "L1"),
        ("L2", 24, "L2"),
    ]
    [done] = await fetches(runtime)
    assert [done[name] for name in ("state", "shipments", "lines", "added", "changed")] == ["done", 1, 2, 1, 0]
    assert len(ocs.windows) == 1


@pytest.mark.parametrize("reordered", [False, True])
async def test_the_same_notice_again_changes_nothing(runtime: Runtime, ocs: Wholesaler, reordered: bool) -> None:
    ocs.lines += [notice_line(3), notice_line(3, shippedQuantity=12)]
    await read(runtime)
    before = await rows(runtime, "select * from shipment_lines order by line_id")
    if reordered:
        ocs.lines.reverse()
    await read(runtime)
    assert await rows(runtime, "select * from shipment_lines order by line_id") == before
    assert await changes(runtime) == []
    assert [(one["added"], one["changed"]) for one in await fetches(runtime)] == [(1, 0), (0, 0)]


async def test_every_reporting_store_is_read_by_the_timer(runtime: Runtime, ocs: Wholesaler) -> None:
    """One switched off is not; a second tick before the work is done adds nothing."""
    async with runtime.pool.transaction() as connection:
        await switch_reporting(connection, CROL, THIRD, reporting=False)
    await fetch.make_due(runtime)
    await fetch.make_due(runtime)
    assert await fetch.fetch_due(runtime) == 2
    assert {crsa for crsa, _, _ in ocs.windows} == {FIRST, SECOND}


async def test_overlapping_ticks_read_each_store_once(runtime: Runtime, ocs: Wholesaler) -> None:
    await fetch.make_due(runtime)
    await asyncio.gather(fetch.fetch_due(runtime), fetch.fetch_due(runtime))
    assert sorted(crsa for crsa, _, _ in ocs.windows) == [FIRST, SECOND, THIRD]


async def test_the_usual_window_is_two_weeks_and_more_after_a_long_silence(runtime: Runtime, ocs: Wholesaler) -> None:
    """It overlaps the last reading that succeeded by three days, however long ago that was."""
    await read(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "update shipping_fetches set window_to = window_to - interval '20 days', "
            "window_from = window_from - interval '20 days'"
        )
    await read(runtime)
    (_, usual_from, usual_to), (_, long_from, long_to) = ocs.windows
    assert timedelta() <= usual_to - usual_from - timedelta(days=14) <= timedelta(seconds=1), "its end is rounded up"
    assert abs(usual_to - runtime.now()) < timedelta(minutes=5)
    assert timedelta(days=23) <= long_to - long_from < timedelta(days=23, minutes=5)


async def test_a_failing_platform_is_asked_again_later_and_the_failure_shown(runtime: Runtime, ocs: Wholesaler) -> None:
    ocs.answers = [status(500)]
    await read(runtime)
    [waiting] = await fetches(runtime)
    assert (waiting["state"], waiting["failures"]) == ("due", 1)
    assert "500" in waiting["said"]
    assert waiting["due_at"] - datetime.now(waiting["due_at"].tzinfo) > timedelta(seconds=30)
    assert await fetch.fetch_due(runtime) == 0
    await let_time_pass(runtime)
    assert await fetch.fetch_due(runtime) == 1
    assert (await fetches(runtime))[0]["state"] == "done"


async def test_seven_failures_in_a_row_are_an_alert_and_the_next_success_closes_it(
    runtime: Runtime, ocs: Wholesaler
) -> None:
    ocs.answers = [status(500)] * 7
    alerts = "select closed_at, message from alerts where cause = 'shipping_notices_missing'"
    await ask(runtime)
    for _ in range(6):
        await fetch.fetch_due(runtime)
        await let_time_pass(runtime)
    assert await rows(runtime, alerts) == []
    await fetch.fetch_due(runtime)
    [alert] = await rows(runtime, alerts)
    assert alert["closed_at"] is None
    assert "7 times" in alert["message"]
    await let_time_pass(runtime)
    await fetch.make_due(runtime)
    await fetch.fetch_due(runtime)
    [alert] = await rows(runtime, alerts)
    assert alert["closed_at"] is not None


async def test_slow_down_is_nobodys_failure_and_honoured_for_the_whole_connection(
    runtime: Runtime, ocs: Wholesaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform said 429 to one store: the connection's others are not tried either, and nothing is counted."""
    monkeypatch.setattr(fetch, "AT_ONCE", 1)
    ocs.answers = [status(429, {"Retry-After": "600"})]
    await fetch.make_due(runtime)
    assert await fetch.fetch_due(runtime) == 1
    assert await fetch.fetch_due(runtime) == 0
    for waiting in await fetches(runtime):
        assert (waiting["state"], waiting["failures"]) == ("due", 0)
        assert waiting["due_at"] - datetime.now(waiting["due_at"].tzinfo) > timedelta(seconds=570)


async def test_a_refused_window_is_given_up_with_the_platforms_words(runtime: Runtime, ocs: Wholesaler) -> None:
    ocs.answers = [status(400)]
    await read(runtime)
    [failed] = await fetches(runtime)
    assert failed["state"] == "failed"
    assert "scripted 400" in failed["said"]


async def test_a_reply_of_another_store_is_not_taken_in(runtime: Runtime, ocs: Wholesaler) -> None:
    """It may be another retailer's business."""
    body = {"retailerCRSA": SECOND, "retailerASNList": ocs.lines}
    ocs.answers = [lambda _request: httpx.Response(200, json=body)]
    await read(runtime)
    assert await rows(runtime, "select * from shipments") == []
    assert SECOND in (await fetches(runtime))[0]["said"]


async def test_no_connection_is_held_while_the_platform_thinks(runtime: Runtime, ocs: Wholesaler) -> None:
    """During every call all of the pool's connections can be had by others."""
    free: list[int] = []

    async def count(request: httpx.Request) -> httpx.Response:
        async with asyncio.timeout(5):
            async with asyncio.TaskGroup() as tasks:
                gate = asyncio.Barrier(runtime.settings.database_pool_size)
                for _ in range(runtime.settings.database_pool_size):
                    tasks.create_task(_one_connection(runtime, gate))
        free.append(runtime.settings.database_pool_size)
        return ocs.platform.answer(request)

    await runtime.http.aclose()
    runtime.http = httpx.AsyncClient(transport=httpx.MockTransport(count))
    await read(runtime)
    assert free


async def _one_connection(runtime: Runtime, gate: asyncio.Barrier) -> None:
    async with runtime.pool.transaction():
        await gate.wait()


class Died(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("written", [False, True])
async def test_a_worker_that_dies_leaves_the_reading_to_the_next(
    runtime: Runtime, ocs: Wholesaler, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    """Before or after the reply was taken in: the lease ends, the reading is done again, and counts once."""
    take = take_notices

    async def die(*words: Any) -> Any:
        if written:
            await take(*words)
        raise Died

    await ask(runtime)
    monkeypatch.setattr(fetch, "take_notices", die)
    with pytest.raises(Died):
        await fetch.fetch_due(runtime)
    monkeypatch.undo()
    assert await rows(runtime, "select * from shipments") == []
    assert await fetch.fetch_due(runtime) == 0
    await let_time_pass(runtime)
    assert await fetch.fetch_due(runtime) == 1
    assert [(one["state"], one["added"], one["tries"]) for one in await fetches(runtime)] == [("done", 1, 2)]
    assert len(ocs.windows) == 2


async def test_a_worker_that_comes_back_late_writes_nothing(runtime: Runtime, ocs: Wholesaler) -> None:
    """Its lease had ended and another one has done the reading meanwhile."""
    answer, is_first = ocs.platform.answer, True

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal is_first
        if request.method == "GET" and is_first:
            is_first = False
            await let_time_pass(runtime)
            assert await fetch.fetch_due(runtime) == 1
            ocs.lines = [notice_line(9, shipmentID="of long ago")]
        return answer(request)

    await runtime.http.aclose()
    runtime.http = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    await ask(runtime)
    await fetch.fetch_due(runtime)
    assert [row["shipment_id"] for row in await rows(runtime, "select * from shipments")] == [SHIPMENT]


async def test_a_notice_that_comes_again_changes_what_differs_and_keeps_what_it_was(
    runtime: Runtime, ocs: Wholesaler
) -> None:
    await read(runtime)
    ocs.lines[0]["shippedQuantity"] = 12
    await read(runtime)
    [change] = await rows(runtime, "select * from notice_changes")
    assert (change["kind"], change["before"], change["after"]) == ("changed", {"quantity": "24"}, {"quantity": "12"})
    assert change["after_receipt"] is False
    lines = await rows(runtime, "select quantity from shipment_lines order by batch_lot")
    assert [line["quantity"] for line in lines] == [12, 24]


async def test_a_line_that_leaves_the_notice_is_kept_as_gone_and_may_come_back(
    runtime: Runtime, ocs: Wholesaler
) -> None:
    lines = ocs.lines
    ocs.lines = []
    await read(runtime)
    ocs.lines = lines
    await read(runtime)
    ocs.lines = lines[:1]
    await read(runtime)
    assert await changes(runtime) == [("gone", "L2")]
    ocs.lines = lines
    await read(runtime)
    assert await changes(runtime) == [("gone", "L2"), ("back", "L2")]
    assert [row["in_notice"] for row in await rows(runtime, "select in_notice from shipment_lines")] == [True, True]


async def test_a_store_that_is_switched_off_is_not_read(runtime: Runtime, ocs: Wholesaler) -> None:
    async with runtime.pool.transaction() as connection:
        await switch_reporting(connection, CROL, FIRST, reporting=False)
    with pytest.raises(Conflict):
        await ask(runtime)
    assert ocs.windows == []
