"""Reading the item catalogue: what is new, different, gone and back is on record, and a short answer takes nothing."""

from collections import deque
from typing import Any

import httpx
import pytest

from ocs.catalogue import sync
from ocs.catalogue.preflight import catalogue_facts, catalogue_warnings
from ocs.errors import Conflict
from ocs.runtime import Runtime
from tests.integration.cataloguing import (
    UAT,
    Published,
    changes,
    current,
    each,
    end_waits,
    grow_old,
    item,
    items,
    newest,
    read,
    sku,
)
from tests.integration.platform import Platform
from tests.integration.pos import rows


def counts(reading: dict[str, Any]) -> list[Any]:
    """Give how a reading ended, and what it found."""
    return [reading[name] for name in ("state", "items", "added", "changed", "gone", "back")]


async def test_the_first_reading_takes_every_item_of_every_page(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 250))
    done = await read(runtime)
    assert counts(done) == ["done", 250, 250, 0, 0, 0]
    assert await current(runtime) == {sku(number) for number in range(1, 251)}
    assert there.asked == [1, 2, 3, 4]


async def test_the_same_catalogue_again_changes_nothing(runtime: Runtime, platform: Platform) -> None:
    Published(platform, items(1, 120))
    await read(runtime)
    before = await rows(runtime, "select ocs_sku, changed_at from catalogue_items order by ocs_sku")
    again = await read(runtime)
    assert counts(again) == ["done", 120, 0, 0, 0, 0]
    assert await rows(runtime, "select ocs_sku, changed_at from catalogue_items order by ocs_sku") == before


async def test_added_changed_gone_and_back_are_on_record(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 4))
    await read(runtime)
    there.lines = [item(1, productName="Loud Maple", packSize=12), *items(2, 3), item(5)]
    second = await read(runtime)
    assert counts(second) == ["done", 4, 1, 1, 1, 0]
    assert await changes(runtime, second["sync_id"]) == [(sku(1), "changed"), (sku(4), "gone"), (sku(5), "added")]
    assert await current(runtime) == {sku(1), sku(2), sku(3), sku(5)}
    told = await rows(runtime, "select before, after from catalogue_changes where change = 'changed'")
    assert told == [
        {
            "before": {"name": "Quiet Maple 1", "pack_size": 24},
            "after": {"name": "Loud Maple", "pack_size": 12},
        }
    ], "the fields that differ, and no others"
    there.lines = items(1, 5)
    third = await read(runtime)
    assert counts(third) == ["done", 5, 0, 1, 0, 1]
    assert (sku(4), "back") in await changes(runtime, third["sync_id"])
    assert sku(4) in await current(runtime)


async def test_an_sku_on_several_lines_is_one_item_with_all_barcodes(runtime: Runtime, platform: Platform) -> None:
    """The first line says what the item is, so that the second one is no change, night for night."""
    once, again = item(1), item(1, GTIN=each(901), itemBarcode=each(902), productName="Maple, second line")
    there = Published(platform, [once, again, *items(2, 120), again])
    for added in (120, 0):
        done = await read(runtime)
        assert counts(done) == ["done", 120, added, 0, 0, 0]
    found = await rows(runtime, "select barcode from catalogue_barcodes where ocs_sku = '000001_3.5g___' order by 1")
    assert [row["barcode"] for row in found] == [each(1), each(901), each(902)]
    there.lines = items(1, 120)
    await read(runtime)
    found = await rows(runtime, "select barcode from catalogue_barcodes where ocs_sku = '000001_3.5g___'")
    assert [row["barcode"] for row in found] == [each(1)], "a barcode that is not listed any more is dropped"


async def test_a_short_answer_takes_nothing_out(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 9))
    await read(runtime)
    there.lines = items(6, 9)
    short = await read(runtime)
    assert counts(short) == ["suspicious", 4, 0, 0, 0, 0]
    assert "4 of 9 items were there" in short["said"]
    assert len(await current(runtime)) == 9
    there.lines = items(5, 9)
    assert counts(await read(runtime)) == ["done", 5, 0, 0, 4, 0], "five of nine is not too few"


async def test_new_items_do_not_make_up_for_those_that_are_missing(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 9))
    await read(runtime)
    there.lines = items(6, 30)
    assert (await read(runtime))["state"] == "suspicious"
    assert {sku(1), sku(30)} <= await current(runtime)


async def test_a_person_may_say_that_the_list_is_really_so_short(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 9))
    await read(runtime)
    there.lines = items(9, 9)
    async with runtime.pool.transaction() as connection:
        await sync.ask_sync(connection, UAT, "test", accepts_short=True)
    await sync.run_syncs(runtime)
    assert counts(await newest(runtime)) == ["done", 1, 0, 0, 8, 0]


async def test_an_empty_catalogue_is_no_catalogue(runtime: Runtime, platform: Platform) -> None:
    """Else every line would be warned of as unknown."""
    Published(platform)
    assert (await read(runtime))["state"] == "suspicious"
    async with runtime.pool.transaction() as connection:
        facts = await catalogue_facts(connection, UAT, [(sku(1), each(1))])
    assert (facts.synced, catalogue_warnings(facts, sku(1), each(1))) == (False, [])


async def test_what_the_catalogue_says_reaches_the_lines(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 5))
    await read(runtime)
    there.lines = items(1, 4)
    await read(runtime)
    asked = [(sku(1), each(1)), (sku(1), each(2)), (sku(5), each(5)), (sku(9), each(9)), (sku(1), each(1)[2:])]
    async with runtime.pool.transaction() as connection:
        facts = await catalogue_facts(connection, UAT, asked)
        elsewhere = await catalogue_facts(connection, "production", asked)
    assert [catalogue_warnings(facts, *one) for one in asked] == [
        [],
        ["sku_barcode_mismatch"],
        ["sku_gone"],
        ["sku_unknown", "barcode_unknown"],
        [],
    ]
    assert not elsewhere.synced, "each environment has a catalogue of its own"


async def test_an_item_that_slips_past_a_page_is_found_by_a_second_look(runtime: Runtime, platform: Platform) -> None:
    """OCS takes an item out while we read: those behind it move up, one of them past the page we have just read."""
    there = Published(platform, items(1, 250))
    await read(runtime)

    def taken_out_meanwhile(_request: httpx.Request) -> httpx.Response:
        """Give the first page, and take its first item out."""
        page = there.lines[:100]
        del there.lines[0]
        return httpx.Response(200, json={"itemList": page})

    there.faults[1] = deque([taken_out_meanwhile])
    done = await read(runtime)
    assert counts(done) == ["done", 250, 0, 0, 0, 0]
    assert sku(101) in await current(runtime), "it is listed still"
    assert (await read(runtime))["gone"] == 1, "what was really taken out is gone the next time"


@pytest.mark.parametrize("wrap", [False, True], ids=["last page again", "first page again"])
async def test_a_list_that_repeats_itself_has_ended(runtime: Runtime, platform: Platform, *, wrap: bool) -> None:
    there = Published(platform, items(1, 250))
    answer = there.answer

    def without_end(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params["pageNumber"])
        given = (page - 1) % 3 + 1 if wrap else min(page, 3)
        return answer(httpx.Request("GET", request.url.copy_set_param("pageNumber", str(given))))

    platform.gets["/RetailerItemCatalogueHttpTrigger"] = without_end
    done = await read(runtime)
    assert (done["state"], done["items"], done["next_page"]) == ("done", 250, 4)


async def test_a_list_without_an_end_is_given_up(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "MOST_PAGES", 2)
    Published(platform, items(1, 5), size=1)
    ended = await read(runtime)
    assert (ended["state"], ended["said"]) == ("suspicious", "the platform's list does not end: 2 pages read")


async def test_lines_that_cannot_be_items_are_counted_and_left_out(runtime: Runtime, platform: Platform) -> None:
    broken = [item(2, SKU=""), item(3, SKU="x" * 101), item(4, productName="a\x00b", GTIN="n/a", itemBarcode=5)]
    Published(platform, [item(1), *broken])
    done = await read(runtime)
    assert (done["state"], done["items"], done["unusable"]) == ("done", 2, 2)
    kept = await rows(runtime, "select name, barcode from catalogue_items where ocs_sku = '000004_3.5g___'")
    assert kept == [{"name": "ab", "barcode": ""}]


async def test_every_night_has_one_reading_of_each_environment_that_stores_report_to(
    runtime: Runtime, platform: Platform
) -> None:
    Published(platform, items(1, 3))
    assert await sync.run_syncs(runtime) == 2, "a first time by itself: a page, and the empty one that ends the list"
    assert await sync.ask_nightly(runtime) == 0, "the night's tick comes soon after"
    await grow_old(runtime, hours=24)
    assert await sync.ask_nightly(runtime) == 1
    assert {row["environment"] for row in await rows(runtime, "select environment from catalogue_syncs")} == {UAT}


async def test_a_nightly_tick_that_was_missed_is_made_good(runtime: Runtime, platform: Platform) -> None:
    Published(platform, items(1, 3))
    await read(runtime)
    await grow_old(runtime, hours=25)
    assert await sync.run_syncs(runtime) == 0
    await grow_old(runtime, hours=2)
    assert await sync.run_syncs(runtime) == 2, "a page, and the empty one that ends the list"
    assert len(await rows(runtime, "select 1 from catalogue_syncs where state = 'done'")) == 2


async def test_an_environment_without_stores_is_not_read(runtime: Runtime, platform: Platform) -> None:
    Published(platform, items(1, 3))
    with pytest.raises(Conflict, match="no store reports to production"):
        await sync.sync_catalogue(runtime, "production")
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set reporting = false")
    assert await sync.ask_nightly(runtime) == 0


async def test_a_reading_whose_stores_are_switched_off_waits_for_them(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 3))
    await sync.ask_nightly(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set reporting = false")
    assert await sync.run_syncs(runtime) == 0
    waiting = await newest(runtime)
    assert (waiting["state"], waiting["said"]) == ("running", "no store reports to this environment any more")
    assert there.asked == []
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set reporting = true")
    await end_waits(runtime)
    await sync.run_syncs(runtime)
    assert (await newest(runtime))["state"] == "done"
