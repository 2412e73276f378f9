"""Every night each store's position, once, as of the end of its own business day, whatever ticks come or do not."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from ocs.delivery import outbox
from ocs.delivery.sender import answer_bell
from ocs.levels.change import Level
from ocs.positions.night import make_due
from ocs.runtime import Runtime
from tests.integration.night import HELD, MIDNIGHT, YESTERDAY, Death, at, open_store, send_all, snapshots
from tests.integration.platform import FIRST, SECOND, THIRD, Platform
from tests.integration.pos import SKU, UPC, sell


async def test_each_zone_has_its_own_night(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for crsa in (FIRST, SECOND, THIRD):
        await open_store(runtime, crsa)
    at(runtime, monkeypatch, MIDNIGHT - timedelta(minutes=1))
    await make_due(runtime)  # the night before, of all three
    await send_all(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    assert await make_due(runtime) == 2, "it is 01:00 in Toronto and Atikokan, midnight at Kenora"
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=2))
    assert await make_due(runtime) == 1
    await send_all(runtime)
    assert {(crsa, stamp) for crsa, stamp, _ in platform.positions[3:]} == {
        (FIRST, "2026-11-19T23:59:59-05:00"),
        (SECOND, "2026-11-19T23:59:59-06:00"),
        (THIRD, "2026-11-19T23:59:59-05:00"),
    }


async def test_the_position_is_as_of_the_end_of_the_day_with_zeros_and_negatives(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HELD | {
        ("100237_1g___", ""): Level(Decimal(2), Decimal(8)),
        ("200000_1g___", ""): Level(Decimal(4), Decimal(4)),
    }
    store = await open_store(runtime, levels=held)
    await sell(runtime, "T1", occurred_at=(MIDNIGHT - timedelta(seconds=1)).isoformat())
    await sell(runtime, "T2", occurred_at=MIDNIGHT.isoformat())
    gone = [{"ocs_sku": "100237_1g___", "quantity": 2}]
    missed = [{"ocs_sku": "300000_1g___", "quantity": 3, "unit_cost": "2"}]
    for number, items in (("T3", gone), ("T4", missed)):
        await sell(runtime, number, items=items, occurred_at=(MIDNIGHT - timedelta(hours=3)).isoformat())
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    await answer_bell(runtime, store.store_id)
    lines = [
        (line["ocsSku"], line["inventoryQuantityOnHand"], line["inventoryBookValue"])
        for line in platform.positions[0][2]
    ]
    assert lines == [
        ("100237_1g___", "0", "0.00"),
        (SKU, "9", "45.00"),
        ("200000_1g___", "4", "4.00"),
        ("300000_1g___", "-3", "-6.00"),
    ]


async def test_overlapping_and_repeated_ticks_make_one_position(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await asyncio.gather(make_due(runtime), make_due(runtime))
    await make_due(runtime)
    assert [(s["business_date"], s["revision"]) for s in await snapshots(runtime)] == [(YESTERDAY, 1)]


async def test_nights_that_were_missed_are_made_good(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(days=3, hours=1))
    assert await make_due(runtime) == 3
    dates = [s["business_date"] for s in await snapshots(runtime)]
    assert dates == [YESTERDAY + timedelta(days=number) for number in range(4)]


@pytest.mark.parametrize(("midnight", "hours"), [((2026, 3, 9, 4), 23), ((2026, 11, 2, 5), 25)])
async def test_a_day_of_23_or_25_hours_is_whole(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, midnight: tuple[int, int, int, int], hours: int
) -> None:
    ends = datetime(*midnight, tzinfo=UTC)
    begins = ends - timedelta(hours=hours)
    await open_store(runtime, as_of=begins)
    for number, moment in enumerate((begins, ends - timedelta(seconds=1), ends)):
        await sell(runtime, f"T{number}", occurred_at=moment.isoformat())
    at(runtime, monkeypatch, ends + timedelta(hours=1))
    await make_due(runtime)
    assert [(s["quantities"], s["as_of"]) for s in await snapshots(runtime)] == [([Decimal(8)], ends)]


async def test_a_sale_keyed_after_midnight_is_in_last_nights_position_and_a_later_one_makes_it_anew(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    late = (MIDNIGHT - timedelta(minutes=10)).isoformat()
    await sell(runtime, "T1", occurred_at=late)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    await sell(runtime, "T2", occurred_at=late)
    await sell(runtime, "T3", occurred_at=(MIDNIGHT + timedelta(hours=2)).isoformat())
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=25))
    await make_due(runtime)
    made = [(s["business_date"], s["revision"], s["reason"], s["quantities"][0]) for s in await snapshots(runtime)]
    tonight = YESTERDAY + timedelta(days=1)
    assert made == [(YESTERDAY, 1, "night", 9), (YESTERDAY, 2, "late_changes", 8), (tonight, 1, "night", 7)]
    await answer_bell(runtime, store.store_id)
    sent = [(stamp[:10], lines[0]["inventoryQuantityOnHand"]) for _, stamp, lines in platform.positions]
    assert sent == [("2026-11-19", "8"), ("2026-11-20", "7")], "the one that was not sent yet is retired"
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=49))
    assert await make_due(runtime) == 1, "the past is made anew once"


async def test_a_late_change_that_comes_to_nothing_makes_no_position(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))
    await make_due(runtime)
    late = (MIDNIGHT - timedelta(hours=20)).isoformat()
    await sell(runtime, "T1", occurred_at=late)
    await sell(runtime, "T1", occurred_at=late, items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 0}])
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=25))
    assert await make_due(runtime) == 1


async def test_a_death_between_freezing_and_sending_sends_the_frozen_lines(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))

    async def die(*_: object, **__: object) -> None:
        raise Death

    with monkeypatch.context() as dying:
        dying.setattr(httpx.AsyncClient, "send", die)
        await make_due(runtime)
        with pytest.raises(Death):
            await answer_bell(runtime, store.store_id)
    await sell(runtime, "T1", occurred_at=(MIDNIGHT - timedelta(hours=1)).isoformat())
    async with runtime.pool.transaction() as connection:
        await connection.execute("update delivery_streams set lease_until = now() where lease_until is not null")
        await connection.execute("update call_slots set held_until = now()")
    await answer_bell(runtime, store.store_id)
    assert [lines[0]["inventoryQuantityOnHand"] for _, _, lines in platform.positions] == ["10"]


async def test_a_failure_in_the_middle_of_freezing_leaves_nothing(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, MIDNIGHT + timedelta(hours=1))

    async def die(*_: object, **__: object) -> None:
        raise Death

    with monkeypatch.context() as dying:
        dying.setattr(outbox, "enqueue", die)
        with pytest.raises(Death):
            await make_due(runtime)
    assert await snapshots(runtime) == []
    assert await make_due(runtime) == 1
