"""What POS SKUs are, said over HTTP: with history, with warnings, for one tenant only, and lines leave by it."""

import asyncio
import itertools
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from ocs.events.release import release_mapped
from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard
from ocs.tenants.read import tenant_of
from tests.integration.item_master import ITEMS, OIL_EACH, OIL_SKU, read_catalogue
from tests.integration.platform import CROL, Platform
from tests.integration.pos import SKU, UPC, rows, sell, states

MAPPINGS = f"/api/ocs/tenants/{CROL}/mappings"


async def say(
    staff: httpx.AsyncClient, pos_sku: str, ocs_sku: str = SKU, upc: str = UPC, **more: Any
) -> dict[str, Any]:
    """Say what a POS SKU is."""
    reply = await staff.put(f"{MAPPINGS}/{pos_sku}", json={"ocs_sku": ocs_sku, "upc": upc} | more)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


async def get(staff: httpx.AsyncClient, path: str = "", **params: Any) -> dict[str, Any]:
    """Read one of the lists."""
    reply = await staff.get(MAPPINGS + path, params=params)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def codes(found: dict[str, Any]) -> list[str]:
    """Give the codes of a mapping's warnings."""
    return [warning["code"] for warning in found["warnings"]]


async def test_what_was_said_is_listed_and_saying_it_again_changes_nothing(staff: httpx.AsyncClient) -> None:
    first = await say(staff, "OUR-77", note="shelf 3")
    assert (first["change"], first["before"], first["note"]) == ("added", None, "shelf 3")
    assert (await say(staff, "OUR-77"))["change"] == "unchanged"
    listed = (await get(staff))["mappings"]
    shown = {name: listed[0][name] for name in ("pos_sku", "ocs_sku", "upc", "note", "changed_by")}
    assert shown == {"pos_sku": "OUR-77", "ocs_sku": SKU, "upc": UPC, "note": "shelf 3", "changed_by": "super admin"}
    assert len((await get(staff, "/changes"))["changes"]) == 1


async def test_every_change_is_kept_with_who_said_it(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    async with runtime.pool.transaction() as connection:
        await map_sku(connection, await tenant_of(connection, CROL), "OUR-77", MappedSku(OIL_SKU, ""))
    changed = await say(staff, "OUR-77")
    assert (changed["change"], changed["before"]) == ("changed", {"ocs_sku": OIL_SKU, "upc": ""})
    assert (await staff.delete(f"{MAPPINGS}/OUR-77")).json()["before"] == {"ocs_sku": SKU, "upc": UPC}
    await say(staff, "OTHER")
    history = (await get(staff, "/changes", pos_sku="OUR-77"))["changes"]
    assert [(one["change"], one["ocs_sku"], one["changed_by"]) for one in history] == [
        ("removed", SKU, "super admin"),
        ("changed", SKU, "super admin"),
        ("added", OIL_SKU, "command line"),
    ]


async def test_a_note_stays_until_another_is_given(staff: httpx.AsyncClient) -> None:
    await say(staff, "OUR-77", note="shelf 3")
    assert (await say(staff, "OUR-77", OIL_SKU))["note"] == "shelf 3"
    emptied = await say(staff, "OUR-77", OIL_SKU, note="")
    assert (emptied["change"], emptied["note"]) == ("changed", "")


async def test_taking_back_what_is_not_there_is_404(staff: httpx.AsyncClient) -> None:
    assert (await staff.delete(f"{MAPPINGS}/NONE")).status_code == 404


@pytest.mark.parametrize("pos_sku", ["A/B", "unmapped", "csv", "50% off?", "Süß #1", "x/suggestions"])
async def test_any_pos_sku_can_be_mapped_to_the_letter(staff: httpx.AsyncClient, pos_sku: str) -> None:
    url = f"{MAPPINGS}/{quote(pos_sku, safe='')}"
    assert (await staff.put(url, json={"ocs_sku": SKU})).status_code == 200
    assert [one["pos_sku"] for one in (await get(staff))["mappings"]] == [pos_sku]
    assert (await staff.delete(url)).status_code == 200
    assert (await get(staff))["mappings"] == []


@pytest.mark.parametrize(
    ("pos_sku", "body", "field"),
    [
        ("%00", {"ocs_sku": SKU}, "pos_sku"),
        ("A" * 101, {"ocs_sku": SKU}, "pos_sku"),
        ("A", {"ocs_sku": " "}, "ocs_sku"),
        ("A", {"ocs_sku": "A" * 101}, "ocs_sku"),
        ("A", {"ocs_sku": "A\x00"}, "ocs_sku"),
        ("A", {"ocs_sku": SKU, "upc": "1" * 101}, "upc"),
        ("A", {"ocs_sku": SKU, "upc": 708762000695}, "upc"),
        ("A", {"ocs_sku": SKU, "note": "\x00"}, "note"),
        ("A", {"ocs_sku": SKU, "barcode": UPC}, "barcode"),
        ("A", {}, "ocs_sku"),
    ],
)
async def test_what_cannot_be_is_refused_by_field(
    staff: httpx.AsyncClient, pos_sku: str, body: dict[str, Any], field: str
) -> None:
    reply = await staff.put(f"{MAPPINGS}/{pos_sku}", json=body)
    assert (reply.status_code, [error["field"] for error in reply.json()["errors"]]) == (422, [field])
    assert (await get(staff))["mappings"] == []


async def test_the_list_goes_on_where_its_page_ended_and_can_be_searched(staff: httpx.AsyncClient) -> None:
    for pos_sku in ("C", "a_1", "B", "a%1"):
        await say(staff, pos_sku, note=f"of {pos_sku}")
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await get(staff, after=after, limit=2)
        seen += [one["pos_sku"] for one in page["mappings"]]
        after = page["next"]
    assert sorted(seen) == ["B", "C", "a%1", "a_1"]
    assert [one["pos_sku"] for one in (await get(staff, search="A%"))["mappings"]] == ["a%1"], "no sign is a wildcard"
    assert len((await get(staff, search=UPC[3:9]))["mappings"]) == 4
    for wrong in ({"after": "\x00"}, {"search": "\x00"}, {"limit": 0}, {"limit": 501}):
        assert (await staff.get(MAPPINGS, params=wrong)).status_code == 422


async def test_oddities_are_warnings_beside_the_saved_mapping(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    assert codes(await say(staff, "A", "nonsense", "12")) == ["sku_form", "barcode_form"], "no catalogue, no word of it"
    await read_catalogue(runtime, platform, ITEMS)
    assert codes(await say(staff, "B")) == []
    assert codes(await say(staff, "C", OIL_SKU, OIL_EACH)) == [], "the each in the case that the catalogue has"
    assert codes(await say(staff, "D", SKU, OIL_EACH)) == ["sku_barcode_mismatch"]
    assert codes(await say(staff, "E", "999999_1g___", "")) == ["no_barcode", "sku_unknown"]
    assert codes(await say(staff, "F", SKU, "00708762000696")) == ["barcode_check_digit", "barcode_unknown"]
    listed = {one["pos_sku"]: codes(one) for one in (await get(staff))["mappings"]}
    assert listed["D"] == ["sku_barcode_mismatch"]
    assert listed["B"] == []


async def test_production_is_the_catalogue_that_counts_once_a_store_reports_there(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await read_catalogue(runtime, platform, ITEMS)
    assert codes(await say(staff, "A", SKU, OIL_EACH)) == ["sku_barcode_mismatch"]
    tenant = platform.tenant()
    tenant["connections"].append(tenant["connections"][0] | {"name": "live", "environment": "production"})
    tenant["stores"][0]["connection"] = "live"
    async with runtime.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(tenant))
    assert codes(await say(staff, "A", SKU, OIL_EACH)) == [], "the one of production was never read"


async def test_a_stranger_sees_and_changes_nothing(
    runtime: Runtime, staff: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    await say(staff, "OUR-77")
    before = await rows(runtime, "select * from sku_mappings")
    csv = {"content": b"pos_sku,ocs_sku,upc\nA,B,\n", "headers": {"Content-Type": "text/csv"}}
    replies = [
        *[await stranger.get(MAPPINGS + path) for path in ("", "/changes", "/unmapped", "/OUR-77/suggestions")],
        await stranger.put(f"{MAPPINGS}/OUR-77", json={"ocs_sku": OIL_SKU}),
        await stranger.delete(f"{MAPPINGS}/OUR-77"),
        await stranger.post(f"{MAPPINGS}/csv", **csv),  # type: ignore[arg-type] # the words of one call
    ]
    assert [reply.status_code for reply in replies] == [404] * 7
    assert await rows(runtime, "select * from sku_mappings") == before


async def test_a_line_that_waited_leaves_and_later_lines_wait_once_it_is_taken_back(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    ours = [{"sku": "OUR-77", "quantity": 1, "unit_price": "49.95"}]
    await sell(runtime, "T1", items=ours)
    await say(staff, "OUR-77")
    assert await release_mapped(runtime) == 1
    await staff.delete(f"{MAPPINGS}/OUR-77")
    await sell(runtime, "T2", items=ours)
    assert await states(runtime) == ["pending", "parked"]


async def test_of_many_at_once_each_change_is_in_the_history_once(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """Ten people say five different things of one SKU: every step of the history differs from the one before."""
    await asyncio.gather(*(say(staff, "OUR-77", f"10195{number % 5}_1g___") for number in range(10)))
    history = await rows(runtime, "select change, ocs_sku from sku_mapping_changes order by change_id")
    assert [one["change"] for one in history] == ["added", *["changed"] * (len(history) - 1)]
    assert all(one["ocs_sku"] != other["ocs_sku"] for one, other in itertools.pairwise(history))
    assert (await get(staff))["mappings"][0]["ocs_sku"] == history[-1]["ocs_sku"]
