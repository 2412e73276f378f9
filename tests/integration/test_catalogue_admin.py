"""The staff's routes to the item catalogue: find, see what changed, have it read."""

from typing import Any

import httpx
import pytest

from ocs.catalogue import sync
from ocs.catalogue.items import items_of_barcodes, named_items
from ocs.runtime import Runtime
from tests.integration.cataloguing import UAT, Published, each, item, items, newest, read, sku
from tests.integration.platform import Platform

CASE, OF_CASE = "10628582000521", "00628582000524"
LISTED = [
    item(101955, productName="Pink Kush", brand="San Rafaël", SKU="101955_3.5g___"),
    item(101956, productName="Pink Kush", brand="San Rafaël", SKU="101956_28g___", productSize="28g"),
    item(202020, productName="THC Oil", brand="Solei", SKU="202020_30mL___", GTIN=CASE, itemBarcode=""),
    item(303030, productName="Half/Half", SKU="303030_1/2g___"),
]


@pytest.fixture
async def catalogue(runtime: Runtime, platform: Platform) -> Published:
    """Give a small catalogue that was read."""
    there = Published(platform, list(LISTED))
    assert (await read(runtime))["state"] == "done"
    return there


async def ask(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    """GET of a route; gives its reply."""
    reply = await client.get(f"/api/ocs/catalogue/{path}", params={"environment": UAT} | query)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("pink", ["101955_3.5g___", "101956_28g___"]),
        ("KUSH san", ["101955_3.5g___", "101956_28g___"]),
        ("rafael", ["101955_3.5g___", "101956_28g___"]),
        ("pink 3.5", ["101955_3.5g___"]),
        ("so", ["202020_30mL___"]),
        ("kus pink", []),
        ("1019", ["101955_3.5g___", "101956_28g___"]),
        ("202020_30ml___", ["202020_30mL___"]),
        ("'pink' | !kush:*", ["101955_3.5g___", "101956_28g___"]),
        ("aspirin", []),
    ],
)
@pytest.mark.usefixtures("catalogue")
async def test_items_are_found_by_words_of_which_the_last_may_be_begun(
    staff: httpx.AsyncClient, words: str, found: list[str]
) -> None:
    assert [one["ocs_sku"] for one in (await ask(staff, "items", search=words))["items"]] == found


@pytest.mark.parametrize(
    ("barcode", "found"),
    [
        (CASE, "202020_30mL___"),
        (OF_CASE, "202020_30mL___"),
        (OF_CASE.removeprefix("00"), "202020_30mL___"),
        ("20628582000528", "202020_30mL___"),
        (each(101955), "101955_3.5g___"),
    ],
)
@pytest.mark.usefixtures("catalogue")
async def test_a_barcode_finds_its_item_whether_of_the_each_or_of_a_case(
    staff: httpx.AsyncClient, barcode: str, found: str
) -> None:
    assert [one["ocs_sku"] for one in (await ask(staff, "items", barcode=barcode))["items"]] == [found]


async def test_all_items_come_page_by_page(staff: httpx.AsyncClient, runtime: Runtime, platform: Platform) -> None:
    Published(platform, items(1, 250))
    await read(runtime)
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await ask(staff, "items", limit=100, after=after)
        found += [one["ocs_sku"] for one in page["items"]]
        after = page["after"]
    assert found == [sku(number) for number in range(1, 251)]


@pytest.mark.usefixtures("catalogue")
async def test_an_item_is_shown_whole(staff: httpx.AsyncClient) -> None:
    oil = await ask(staff, "items/202020_30mL___")
    assert (oil["name"], oil["brand"], oil["gone_at"]) == ("THC Oil", "Solei", None)
    assert oil["barcodes"] == {CASE: "case", OF_CASE: "each"}
    assert (oil["content"]["supplier"], oil["content"]["thc_percent"]) == ("Northfield Growers Inc.", [18, None])
    assert (await ask(staff, "items/303030_1/2g___"))["name"] == "Half/Half", "a slash in an SKU"
    missing = await staff.get("/api/ocs/catalogue/items/404", params={"environment": UAT})
    assert missing.status_code == 404


async def test_an_item_that_is_gone_is_shown_but_not_listed(
    staff: httpx.AsyncClient, runtime: Runtime, catalogue: Published
) -> None:
    catalogue.lines.pop()
    await read(runtime)
    assert (await ask(staff, "items/303030_1/2g___"))["gone_at"] is not None
    assert (await ask(staff, "items", search="half"))["items"] == []
    async with runtime.pool.transaction() as connection:
        assert "303030_1/2g___" not in [one.ocs_sku for one in await named_items(connection, UAT)]
        assert await items_of_barcodes(connection, UAT, [each(303030)]) == {}


@pytest.mark.usefixtures("catalogue")
async def test_the_mapping_room_gets_items_by_barcode(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        found = await items_of_barcodes(connection, UAT, [OF_CASE, each(1)])
        none = await items_of_barcodes(connection, UAT, [])
    assert [(one.ocs_sku, one.barcode, one.title) for one in found[OF_CASE]] == [
        ("202020_30mL___", OF_CASE, "Solei THC Oil 3.5g")
    ]
    assert (list(found), none) == ([OF_CASE], {})


async def test_what_changed_is_told_in_its_order(
    staff: httpx.AsyncClient, runtime: Runtime, catalogue: Published
) -> None:
    catalogue.lines[0] = LISTED[0] | {"brand": "Another"}
    await read(runtime)
    first = await ask(staff, "changes", limit=3)
    rest = await ask(staff, "changes", after=first["after"])
    told = [(one["ocs_sku"], one["change"]) for one in [*first["changes"], *rest["changes"]]]
    assert told == [*((line["SKU"], "added") for line in LISTED), ("101955_3.5g___", "changed")]
    last = rest["changes"][-1]
    assert (last["before"], last["after"]) == ({"brand": "San Rafaël"}, {"brand": "Another"})
    of_item = await ask(staff, "changes", ocs_sku="101955_3.5g___")
    assert [one["change"] for one in of_item["changes"]] == ["added", "changed"]


async def test_a_reading_that_was_asked_for_is_done_by_the_timer(
    staff: httpx.AsyncClient, runtime: Runtime, platform: Platform
) -> None:
    Published(platform, items(1, 3))
    replies = [await staff.post("/api/ocs/catalogue/sync", json={"environment": UAT}) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert replies[0].json() == replies[1].json(), "the second asks for the reading that is under way"
    (waiting,) = (await ask(staff, "syncs"))["syncs"]
    assert (waiting["state"], waiting["asked_by"]) == ("running", "super admin")
    await sync.run_syncs(runtime)
    (done,) = (await ask(staff, "syncs"))["syncs"]
    assert (done["sync_id"], done["state"], done["added"]) == (replies[0].json()["sync_id"], "done", 3)


async def test_readings_are_listed_newest_first_page_by_page(
    staff: httpx.AsyncClient, runtime: Runtime, catalogue: Published
) -> None:
    catalogue.lines = LISTED[:1]
    await read(runtime)
    first = await ask(staff, "syncs", limit=1)
    second = await ask(staff, "syncs", limit=1, before=first["before"])
    assert [one["state"] for one in (*first["syncs"], *second["syncs"])] == ["suspicious", "done"]


async def test_a_short_list_that_a_person_accepts_is_taken(
    staff: httpx.AsyncClient, runtime: Runtime, catalogue: Published
) -> None:
    catalogue.lines = LISTED[:1]
    await staff.post("/api/ocs/catalogue/sync", json={"environment": UAT, "accepts_short": True})
    await sync.run_syncs(runtime)
    assert ((await newest(runtime))["state"], (await newest(runtime))["gone"]) == ("done", 3)


async def test_a_catalogue_that_no_store_needs_is_not_asked_for(staff: httpx.AsyncClient) -> None:
    reply = await staff.post("/api/ocs/catalogue/sync", json={"environment": "production"})
    assert (reply.status_code, "no store reports to production" in reply.text) == (409, True)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "environment"),
        ({"environment": "test"}, "environment"),
        ({"environment": UAT, "barcode": "12a"}, "barcode"),
        ({"environment": UAT, "search": "***"}, "search"),
        ({"environment": UAT, "search": "a\x00b"}, "search"),
        ({"environment": UAT, "search": "a" * 101}, "search"),
        ({"environment": UAT, "limit": "0"}, "limit"),
        ({"environment": UAT, "after": "\x00"}, "after"),
    ],
    ids=str,
)
async def test_a_wrong_question_is_told_what_is_wrong(
    staff: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    reply = await staff.get("/api/ocs/catalogue/items", params=query)
    assert (reply.status_code, [one["field"] for one in reply.json()["errors"]]) == (422, [field])
