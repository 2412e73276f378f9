"""Positions that come back are compared with the frozen snapshots: by time, SKU and barcode."""

from datetime import timedelta
from decimal import Decimal

import pytest

from ocs.levels.change import Level
from ocs.positions.freeze import freeze_day, freeze_instant
from ocs.runtime import Runtime
from tests.integration.night import MIDNIGHT, YESTERDAY, open_store
from tests.integration.platform import Platform
from tests.integration.pos import SKU, UPC, sell
from tests.integration.reading_back import Ledger, read, send, told

OTHER, EMPTY = "100237_1g___", "100238_1g___"
HELD = {
    (SKU, UPC): Level(Decimal(10), Decimal("32.4")),
    (OTHER, ""): Level(Decimal(-2), Decimal(0)),
    (EMPTY, UPC): Level(Decimal(3), Decimal(3)),
}
STAMP = "2026-11-19T23:59:59-05:00"


async def freeze(runtime: Runtime, *, hour: int | None = None) -> None:
    """Make and send yesterday's position once more, or that of an hour of it."""
    store = await open_store(runtime, levels=HELD)
    async with runtime.pool.transaction() as connection:
        if hour is None:
            await freeze_day(connection, store, YESTERDAY, "by_hand", "test")
        else:
            as_of = MIDNIGHT - timedelta(hours=24 - hour)
            await freeze_instant(connection, store, as_of, "hourly", "test")
    await send(runtime)


async def change(runtime: Runtime) -> None:
    """Sell one of yesterday, so that the next snapshot of that day says something else of one item."""
    await sell(runtime, "T1", occurred_at=(MIDNIGHT - timedelta(hours=1)).isoformat())


@pytest.mark.parametrize("date_given", [STAMP, "2026-11-20T04:59:59.0000000Z", "2026-11-19", "2026-11-19T00:00:00"])
async def test_a_position_is_found_by_its_instant_or_its_date(
    runtime: Runtime, platform: Platform, date_given: str
) -> None:
    Ledger(platform).alter_positions = lambda lines: [line | {"inventoryPositionDate": date_given} for line in lines]
    await freeze(runtime)
    found = await read(runtime)
    assert (found.row["state"], found.counts["position"], told(found)) == ("done", {"same": 3}, [])


async def test_barcodes_without_their_zeros_are_the_same(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform).alter_positions = lambda lines: [
        line | {"upcAndBarcode": line["upcAndBarcode"].lstrip("0")} for line in lines
    ]
    await freeze(runtime)
    assert (await read(runtime)).counts["position"] == {"same": 3}


async def test_each_way_to_differ_is_told(runtime: Runtime, platform: Platform) -> None:
    changed = {"inventoryQuantityOnHand": 11, "inventoryBookValue": 32.41}
    strange = {"ocsSku": "777777_1g___", "posVendor": "OtherPOS", "inventoryQuantityOnHand": 7}
    Ledger(platform).alter_positions = lambda lines: [
        line | changed | ({} if line["ocsSku"] == SKU else strange) for line in lines if line["ocsSku"] != EMPTY
    ]
    await freeze(runtime)
    found = await read(runtime)
    assert found.counts["position"] == {"differs": 1, "unknown_here": 1, "missing_there": 2}
    assert sorted(told(found)) == [
        ("differs", "quantity", "10", "11"),
        ("differs", "value", "32.40", "32.41"),
        ("missing_there", "", "-2 on hand", ""),
        ("missing_there", "", "3 on hand", ""),
        ("unknown_here", "", "", "7 on hand by OtherPOS"),
    ]
    assert {one["reference"] for one in found.differences} == {STAMP, "2026-11-19"}


async def test_a_position_of_another_time_is_unknown(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform).alter_positions = lambda lines: [
        line | {"inventoryPositionDate": "2026-11-18T23:59:59-05:00"} for line in lines
    ]
    await freeze(runtime)
    assert (await read(runtime)).counts["position"] == {"unknown_here": 3, "missing_there": 3}


async def test_earlier_postings_of_the_same_position_are_no_difference(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform)
    await freeze(runtime)
    await change(runtime)
    await freeze(runtime)
    found = await read(runtime)
    assert (found.counts["position"], told(found)) == ({"same": 5, "older": 1}, [])


async def test_only_an_earlier_posting_in_its_place_is_told(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform).alter_positions = lambda lines: lines[:3]
    await freeze(runtime)
    await change(runtime)
    await freeze(runtime)
    found = await read(runtime)
    assert found.counts["position"] == {"same": 2, "older": 1, "not_newest": 1}
    assert told(found) == [("not_newest", "", "9 on hand", "an older one")]


async def test_positions_of_hours_are_kept_apart(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform)
    await freeze(runtime, hour=9)
    await freeze(runtime, hour=10)
    assert (await read(runtime)).counts["position"] == {"same": 6}
    ledger.alter_positions = lambda lines: lines[3:]
    found = await read(runtime)
    assert found.counts["position"] == {"same": 3, "missing_there": 3}
