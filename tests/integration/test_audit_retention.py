"""What is old goes, the chains stay whole behind their checkpoints, and nothing that is not delivered is touched."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from ocs.audit import acts, calls, chain, retention
from ocs.audit.calls import Whose, calls_of, seal
from ocs.audit.retention import Retire, retire
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.delivery import batches, sender
from ocs.events.ingest import ingest
from ocs.levels.at import levels_at
from ocs.positions import freeze
from ocs.runtime import Runtime
from tests.integration.auditing import check, note
from tests.integration.night import at, open_store, send_all, snapshots
from tests.integration.platform import Platform, status
from tests.integration.pos import make_due, message, rows, sell, states, transaction

SUBMISSIONS = (Retire("batches", batches.retire), Retire("snapshots", freeze.retire))
LATER = timedelta(days=91)
MUCH_LATER = timedelta(days=1096)


async def _again(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, now: datetime) -> int:
    """Run the retention as on a later day."""
    at(runtime, monkeypatch, now)
    async with runtime.pool.transaction() as connection:
        await connection.execute("delete from audit_timers")
    return await retire(runtime, SUBMISSIONS)


async def _call(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, when: datetime) -> None:
    monkeypatch.setattr(calls, "utc_now", lambda: when)
    await calls_of(runtime).send(runtime.http.build_request("POST", "https://platform.example/token"), Whose(), 5)


async def test_old_calls_go_and_the_rest_is_still_a_chain(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    for days in (0, 0, 0, 5, 6):
        await _call(runtime, monkeypatch, now + timedelta(days=days))
    await seal(runtime)
    assert await _again(runtime, monkeypatch, now + LATER) == 3
    checked = await check(runtime, "calls")
    assert (checked.first_broken, checked.rows, checked.end) == (None, 2, 5)
    assert (checked.checkpoint.place, checked.checkpoint.gone) == (3, 3)
    assert await _again(runtime, monkeypatch, now + LATER + timedelta(days=5)) == 1
    await _call(runtime, monkeypatch, now + timedelta(days=90))
    await seal(runtime)
    checked = await check(runtime, "calls")
    assert (checked.first_broken, checked.rows, checked.end, checked.checkpoint.gone) == (None, 2, 6, 4)


async def test_a_chain_that_is_gone_altogether_goes_on(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    await _call(runtime, monkeypatch, now)
    await seal(runtime)
    assert await _again(runtime, monkeypatch, now + LATER) == 1
    assert (await check(runtime, "calls")).first_broken is None
    await _call(runtime, monkeypatch, now + LATER)
    await seal(runtime)
    checked = await check(runtime, "calls")
    assert (checked.first_broken, checked.rows, checked.end) == (None, 1, 2)


async def test_a_cut_at_another_place_is_seen(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    for days in (0, 5, 6):
        await _call(runtime, monkeypatch, now + timedelta(days=days))
    await seal(runtime)
    await _again(runtime, monkeypatch, now + LATER)
    async with runtime.pool.transaction() as connection:
        await connection.execute("set local ocs.audit_retires = 'on'")
        await connection.execute("delete from audit_calls where place = 2")
    broken = (await check(runtime, "calls")).first_broken
    assert broken is not None
    assert (broken.place, broken.what) == (2, "the rows before place 3 were removed")


async def test_calls_go_in_batches_and_never_past_a_young_one(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that ended late has its link behind younger ones: the chain is cut before them."""
    monkeypatch.setattr(retention, "ROWS_AT_ONCE", 2)
    now = utc_now()
    for days in (0, 0, 0, 0, 0, 50):
        await _call(runtime, monkeypatch, now + timedelta(days=days))
    await seal(runtime)
    await _call(runtime, monkeypatch, now)
    await seal(runtime)
    assert await _again(runtime, monkeypatch, now + LATER) == 5
    checked = await check(runtime, "calls")
    assert (checked.first_broken, checked.rows, checked.checkpoint.place) == (None, 2, 5)


async def test_a_check_that_the_retention_overtakes_is_begun_anew(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    for days in (0, 0, 5):
        await _call(runtime, monkeypatch, now + timedelta(days=days))
    await seal(runtime)
    look = chain._look  # noqa: SLF001 - the moment between two of its steps
    overtaken: list[int] = []

    async def slow_look(*words: Any) -> Any:
        if not overtaken:
            overtaken.append(await _again(runtime, monkeypatch, now + LATER))
        return await look(*words)

    monkeypatch.setattr(chain, "_look", slow_look)
    checked = await check(runtime, "calls")
    assert overtaken == [2]
    assert (checked.first_broken, checked.rows, checked.checkpoint.gone) == (None, 1, 2)


async def test_calls_without_a_link_stay(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await _call(runtime, monkeypatch, utc_now())
    assert await _again(runtime, monkeypatch, utc_now() + LATER) == 0
    assert len(await rows(runtime, "select call_id from audit_calls")) == 1


async def test_acts_go_after_three_years_and_that_is_an_act(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    for number in range(3):
        await note(runtime, "store.changed", number)
    assert await _again(runtime, monkeypatch, now + timedelta(days=1094)) == 0
    monkeypatch.setattr(acts, "utc_now", lambda: now + timedelta(days=1095))
    await note(runtime, "store.changed", 3)
    assert await _again(runtime, monkeypatch, now + MUCH_LATER) == 3
    kept = await rows(runtime, "select what, who_subject, after from audit_acts order by place")
    assert [row["what"] for row in kept] == ["store.changed", "audit.retired"]
    assert (kept[1]["who_subject"], kept[1]["after"]["gone"]) == ("ocs", {"acts": 3})
    checked = await check(runtime, "acts")
    assert (checked.first_broken, checked.rows, checked.checkpoint.place) == (None, 2, 3)


async def test_ticks_side_by_side_do_the_work_once_a_day(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utc_now()
    await _call(runtime, monkeypatch, now)
    await seal(runtime)
    at(runtime, monkeypatch, now + LATER)
    assert sorted(await asyncio.gather(*(retire(runtime) for _ in range(3)))) == [0, 0, 1]
    assert await retire(runtime) == 0
    due = await rows(runtime, "select due_at - clock_timestamp() > interval '23 hours' as tomorrow from audit_timers")
    assert due == [{"tomorrow": True}]


async def test_a_run_that_dies_is_taken_over_and_has_lost_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = utc_now()
    await _call(runtime, monkeypatch, now)
    await seal(runtime)
    at(runtime, monkeypatch, now + LATER)

    async def die(_connection: Connection, _before: datetime, _most: int) -> int:
        raise RuntimeError("died")

    with pytest.raises(RuntimeError, match="died"):
        await retire(runtime, (Retire("deadly", die),))
    assert (await check(runtime, "calls")).first_broken is None
    claimed = await rows(runtime, "select due_at - clock_timestamp() < interval '6 minutes' as soon from audit_timers")
    assert claimed == [{"soon": True}]


async def test_what_is_not_delivered_stays_however_old(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accepted, refused and parked, in a batch that is open, and not yet in a batch: only the first may go."""
    good = await sell(runtime, "good")
    await sender.answer_bell(runtime, good.store_id)
    platform.refused_skus = {"999999_bad___"}
    bad = [{"ocs_sku": "999999_bad___", "upc": "00708762000695", "quantity": 1}]
    both = transaction("mixed")["items"] + bad
    await sell(runtime, "mixed", items=both)
    await sender.answer_bell(runtime, good.store_id)  # halved; the bad one is parked
    platform.answers = [status(500)]
    await sell(runtime, "open")
    await make_due(runtime)
    await sender.answer_bell(runtime, good.store_id)
    await sell(runtime, "pending")
    assert await states(runtime) == ["accepted", "accepted", "parked", "frozen", "pending"]
    before = await rows(runtime, "select * from outbox order by sequence")

    gone = await _again(runtime, monkeypatch, utc_now() + MUCH_LATER)
    assert gone > 0
    assert await rows(runtime, "select * from outbox order by sequence") == before
    left = await rows(runtime, "select state from delivery_batches order by batch_id")
    # The halved one stays for the sake of its parked half.
    assert [row["state"] for row in left] == ["split", "parked", "open"]
    assert len(await rows(runtime, "select attempt_id from delivery_attempts")) == 3

    await make_due(runtime)
    await sender.answer_bell(runtime, good.store_id)
    assert await states(runtime) == ["accepted", "accepted", "parked", "accepted", "accepted"]
    assert await _again(runtime, monkeypatch, utc_now() + MUCH_LATER) > 0
    left = await rows(runtime, "select state from delivery_batches order by batch_id")
    assert [row["state"] for row in left] == ["split", "parked"]


async def test_levels_duplicates_and_corrections_know_the_old_lines(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    sale = transaction("T1", occurred_at=utc_now().isoformat())
    first = message(sale, "m-1")
    await ingest(runtime, first)
    await sender.answer_bell(runtime, store.store_id)
    moments = [utc_now() + timedelta(hours=hours) for hours in (-48, -1, 0, 24)]

    async def told() -> list[object]:
        async with runtime.pool.transaction() as connection:
            return [await levels_at(connection, store.store_id, moment) for moment in moments]

    before = await told()
    assert await _again(runtime, monkeypatch, utc_now() + MUCH_LATER) > 0
    assert await rows(runtime, "select batch_id from delivery_batches") == []
    assert await told() == before
    assert (await ingest(runtime, first)).unchanged == 1
    assert (await ingest(runtime, message(sale, "m-2"))).unchanged == 1
    assert await told() == before
    sale["items"][0]["quantity"] = 3
    assert (await ingest(runtime, message(sale, "m-3"))).corrected == 1
    await sender.answer_bell(runtime, store.store_id)
    line = (await rows(runtime, "select line_id::text, quantity from event_lines order by revision desc"))[0]
    assert (line["quantity"], platform.accepted[line["line_id"]]["inventoryQuantityChange"]) == (-3, "3")


async def test_old_positions_go_when_they_are_delivered(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    instant = utc_now()
    platform.answers = [status(500)]
    async with runtime.pool.transaction() as connection:
        for days in (2, 1):
            day = store.local(instant - timedelta(days=days)).date()
            await freeze.freeze_day(connection, store, day, "by_hand", "a test")
    await send_all(runtime)
    assert await states(runtime) == ["frozen", "pending"]
    assert await _again(runtime, monkeypatch, utc_now() + MUCH_LATER) == 0
    assert len(await snapshots(runtime)) == 2
    await make_due(runtime)
    await send_all(runtime)
    assert await states(runtime) == ["accepted", "accepted"]
    await _again(runtime, monkeypatch, utc_now() + MUCH_LATER)
    assert await snapshots(runtime) == []
    async with runtime.pool.transaction() as connection:
        made = await freeze.freeze_day(connection, store, store.local(instant).date(), "by_hand", "a test")
    assert made is not None
    assert made.lines == 1
