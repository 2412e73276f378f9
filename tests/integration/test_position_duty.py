"""No store is forgotten: first positions, stores that are off, positions that are missing or of every hour."""

from datetime import UTC, datetime, timedelta

import pytest

from ocs.delivery.sender import answer_bell, sweep
from ocs.positions.coverage import check_coverage
from ocs.positions.night import make_due
from ocs.runtime import Runtime
from tests.integration.night import MIDNIGHT, at, open_store, snapshots
from tests.integration.platform import FIRST, SECOND, THIRD, Platform, status
from tests.integration.pos import make_due as end_all_waits, rows, sell


async def test_the_first_position_goes_before_any_event(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set anchored_at = null")
    sold = await sell(runtime, "T1", occurred_at=(MIDNIGHT + timedelta(hours=9)).isoformat())
    await answer_bell(runtime, sold.store_id)
    assert await sweep(runtime) == 0
    assert platform.calls == [], "what the store holds is not known: nothing goes out"
    at(runtime, monkeypatch, MIDNIGHT + timedelta(minutes=10))
    await open_store(runtime)
    assert await make_due(runtime) == 1, "at once, not at 01:00"
    await answer_bell(runtime, sold.store_id)
    assert [stamp for _, stamp, _ in platform.positions] == ["2026-11-19T23:59:59-05:00"]
    assert len(platform.calls) == 1, "its events follow in the same round"
    assert (await snapshots(runtime))[0]["reason"] == "first_load"
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    assert await make_due(runtime) == 0, "that was the night's position too"


async def test_a_store_that_holds_nothing_can_say_so(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime, levels={})
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    await answer_bell(runtime, store.store_id)
    assert [lines for _, _, lines in platform.positions] == [[]]


async def test_a_store_that_is_off_makes_nothing_and_makes_it_good_when_it_is_on(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set reporting = false")
    at(runtime, monkeypatch, MIDNIGHT + timedelta(days=2, hours=1))
    assert (await make_due(runtime), await check_coverage(runtime)) == (0, [])
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set reporting = true")
    assert await make_due(runtime) == 2


async def test_a_position_that_is_missing_is_an_alert_until_it_is_accepted(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set created_at = %s", [MIDNIGHT - timedelta(days=9)])
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    platform.answers.append(status(400))
    await answer_bell(runtime, store.store_id)
    assert FIRST not in {one.store.crsa for one in await check_coverage(runtime)}, "an hour of grace"
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=2))
    assert {one.store.crsa for one in await check_coverage(runtime)} == {FIRST, SECOND, THIRD}
    alerts = await rows(
        runtime, "select crsa, message from alerts join stores using (store_id) where closed_at is null"
    )
    told = {alert["crsa"]: alert["message"] for alert in alerts}
    assert "was refused: The OCS platform refused this position: HTTP 400" in told[FIRST]
    assert "upload its inventory" in told[THIRD]
    at(runtime, monkeypatch, datetime.now(UTC) + timedelta(hours=2))
    await make_due(runtime)
    await check_coverage(runtime)
    await end_all_waits(runtime)
    await answer_bell(runtime, store.store_id)
    open_ = await rows(runtime, f"select 1 from alerts where closed_at is null and store_id = '{store.store_id}'")  # noqa: S608
    assert open_ == []


async def test_a_store_that_was_onboarded_today_is_not_missed_yet(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    at(runtime, monkeypatch, now)
    assert await check_coverage(runtime) == []
    at(runtime, monkeypatch, now + timedelta(days=2))
    assert {one.store.crsa for one in await check_coverage(runtime)} == {FIRST, SECOND, THIRD}


async def test_a_store_in_uat_can_have_a_position_of_every_full_hour(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set hourly_positions = true where crsa = %s", [FIRST])
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=14, minutes=20))
    await make_due(runtime)
    assert await make_due(runtime) == 0
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=15))
    assert await make_due(runtime) == 1
    await answer_bell(runtime, store.store_id)
    assert [stamp for _, stamp, _ in platform.positions] == [
        "2026-11-19T23:59:59-05:00",
        "2026-11-20T13:59:59-05:00",
        "2026-11-20T14:59:59-05:00",
    ]
