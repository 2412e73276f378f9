"""A worker dies at every single step of a night, one after the other, and each date's position still arrives, right."""

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest

from ocs.delivery import lease, sender
from ocs.events.release import release_mapped
from ocs.levels.change import Level
from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.positions.business_day import ONE_DAY, business_day
from ocs.positions.coverage import check_coverage
from ocs.positions.night import make_due
from ocs.runtime import Runtime
from ocs.tenants.read import tenant_of
from tests.integration.mortal import Died, Fate, Mortality, let_leases_end
from tests.integration.night import at, open_store
from tests.integration.platform import CROL, FIRST, Platform
from tests.integration.pos import SKU, UPC, rows, sell

TORONTO = "America/Toronto"


async def _ring_until_quiet(runtime: Runtime) -> None:
    """Do what the sweeper does until nothing is due."""
    while True:
        async with runtime.pool.transaction() as connection:
            waiting = await lease.streams_to_ring(connection)
        if not waiting:
            return
        for store_id in waiting:
            await sender.answer_bell(runtime, store_id)


async def test_a_death_at_any_step_of_a_night_loses_and_doubles_no_position(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each night has a sale of its own and one keyed late for the day before, whose position is then made anew."""
    first = date(2026, 6, 1)
    begins = business_day(first, TORONTO).begins
    store = await open_store(runtime, as_of=begins - timedelta(hours=9), levels={(SKU, UPC): Level(Decimal(500))})
    mortality = Mortality(runtime, platform)
    held = {first - ONE_DAY: Decimal(500)}
    survived = False
    for number in itertools.count(1):
        today = first + (number - 1) * ONE_DAY
        ends = business_day(today, TORONTO).ends
        await sell(runtime, f"D{number}", occurred_at=(ends - timedelta(hours=8)).isoformat())
        if number > 1:
            await sell(runtime, f"L{number}", occurred_at=(ends - timedelta(hours=30)).isoformat())
            held[today - ONE_DAY] -= 1
        held[today] = held[today - ONE_DAY] - 1
        at(runtime, monkeypatch, ends + timedelta(hours=3))
        mortality.begins(Fate(ends_at=number))
        try:
            await make_due(runtime)
            await check_coverage(runtime)
            await sender.answer_bell(runtime, store.store_id)
            survived = True
        except Died:
            mortality.ends()
            await let_leases_end(runtime)
        mortality.ends()
        await make_due(runtime)
        await _ring_until_quiet(runtime)
        await _prove(runtime, platform, {str(day): str(left) for day, left in held.items() if day >= first})
        if survived:
            break
    assert number > 20, "the worker takes more steps than that"


async def _prove(runtime: Runtime, platform: Platform, held: dict[str, str]) -> None:
    """Prove that the newest position of each day that the platform has is the right one, and that all is quiet."""
    newest = {stamp[:10]: lines for crsa, stamp, lines in platform.positions if crsa == FIRST}
    assert {day: lines[0]["inventoryQuantityOnHand"] for day, lines in newest.items()} == held
    nights = await rows(runtime, "select count(*) as number from snapshots where reason = 'night'")
    assert nights[0]["number"] == len(held)
    states = await rows(runtime, "select distinct state from reported_positions")
    assert {row["state"] for row in states} <= {"accepted", "superseded"}
    busy = await rows(runtime, "select 1 from delivery_streams where due_at is not null or lease_until is not null")
    assert busy == []
    missing = "select 1 from alerts join stores using (store_id) where closed_at is null and crsa = 'CRSA1111111'"
    assert await rows(runtime, missing) == []


async def test_a_death_at_any_step_of_a_release_loses_and_doubles_no_line(runtime: Runtime, platform: Platform) -> None:
    mortality = Mortality(runtime, platform)
    survived = False
    for number in itertools.count(1):
        sku = f"OUR-{number}"
        sold = await sell(runtime, f"T{number}", items=[{"sku": sku, "quantity": 1}, {"sku": sku, "quantity": 2}])
        async with runtime.pool.transaction() as connection:
            await map_sku(connection, await tenant_of(connection, CROL), sku, MappedSku(SKU, UPC))
        mortality.begins(Fate(ends_at=number))
        try:
            await release_mapped(runtime)
            await sender.answer_bell(runtime, sold.store_id)
            survived = True
        except Died:
            mortality.ends()
            await let_leases_end(runtime)
        mortality.ends()
        await release_mapped(runtime)
        await _ring_until_quiet(runtime)
        assert len(platform.order) == len(set(platform.order)) == 2 * number
        level = await rows(runtime, "select quantity from inventory_levels")
        assert [row["quantity"] for row in level] == [-3 * number]
        if survived:
            break
    assert number > 15, "the worker takes more steps than that"
