"""For which POS SKUs lines wait, and what each may be."""

from typing import Any

import httpx

from ocs.runtime import Runtime
from tests.integration.item_master import ITEMS, OIL_CASE, OIL_EACH, OIL_SKU, read_catalogue
from tests.integration.platform import CROL, SECOND, Platform
from tests.integration.pos import SKU, UPC, sell

MAPPINGS = f"/api/ocs/tenants/{CROL}/mappings"


async def sell_ours(runtime: Runtime, number: str, pos_sku: str, upc: str | None = None, **more: Any) -> None:
    """Sell one of a SKU that only the POS knows."""
    item = {"sku": pos_sku, "upc": upc, "quantity": 1, "unit_price": "9.95"}
    await sell(runtime, number, items=[item], **more)


async def unmapped(staff: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    """Read for which SKUs lines wait."""
    reply = await staff.get(f"{MAPPINGS}/unmapped", params=params)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["unmapped"]
    return found


async def test_each_sku_is_listed_with_its_lines_its_barcodes_and_what_it_may_be(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await read_catalogue(runtime, platform, ITEMS)
    await sell_ours(runtime, "T1", "OUR-1", OIL_CASE)
    await sell_ours(runtime, "T2", "OUR-1", OIL_CASE, store=SECOND)
    await sell_ours(runtime, "T3", "OUR-2")
    await sell(runtime, "T4")
    first, second = await unmapped(staff)
    shown = {name: first[name] for name in ("pos_sku", "lines", "stores", "upcs")}
    assert shown == {"pos_sku": "OUR-1", "lines": 2, "stores": 2, "upcs": [OIL_CASE]}
    suggestion = first["suggestions"][0]
    assert (suggestion["ocs_sku"], suggestion["upc"], suggestion["name"]) == (OIL_SKU, OIL_EACH, "Solei THC Oil 30mL")
    assert (second["pos_sku"], second["lines"], second["upcs"], second["suggestions"]) == ("OUR-2", 1, [], [])
    assert first["first_seen_at"] < first["last_seen_at"]


async def test_a_sku_leaves_the_list_once_it_is_mapped(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await sell_ours(runtime, "T1", "OUR-1")
    await sell_ours(runtime, "T2", "OUR-2")
    await staff.put(f"{MAPPINGS}/OUR-1", json={"ocs_sku": SKU})
    assert [one["pos_sku"] for one in await unmapped(staff)] == ["OUR-2"]


async def test_a_corrected_line_counts_once(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await sell_ours(runtime, "T1", "OUR-1")
    await sell_ours(runtime, "T1", "OUR-1", UPC)
    assert [(one["lines"], one["upcs"]) for one in await unmapped(staff)] == [(1, [UPC])]


async def test_the_list_goes_on_where_its_page_ended(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for number in range(3):
        await sell_ours(runtime, f"T{number}", f"OUR-{number}")
    page = (await staff.get(f"{MAPPINGS}/unmapped", params={"limit": 2})).json()
    rest = (await staff.get(f"{MAPPINGS}/unmapped", params={"limit": 2, "after": page["next"]})).json()
    seen = [one["pos_sku"] for one in (*page["unmapped"], *rest["unmapped"])]
    assert (seen, rest["next"]) == (["OUR-0", "OUR-1", "OUR-2"], None)


async def test_suggestions_go_by_what_the_pos_has(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await read_catalogue(runtime, platform, ITEMS)

    async def first(pos_sku: str, **params: str) -> dict[str, Any]:
        reply = await staff.get(f"{MAPPINGS}/{pos_sku}/suggestions", params=params)
        found: dict[str, Any] = reply.json()["suggestions"][0]
        return found

    assert (await first("OUR-1", upc=UPC[2:]))["ocs_sku"] == SKU
    assert (await first("A/1", name="solei thc oil"))["ocs_sku"] == OIL_SKU
    assert (await first(OIL_SKU))["why"] == "the POS SKU is this OCS SKU"


async def test_an_item_that_is_gone_is_not_suggested(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await read_catalogue(runtime, platform, ITEMS)
    await read_catalogue(runtime, platform, ITEMS[:1])
    reply = await staff.get(f"{MAPPINGS}/OUR-1/suggestions", params={"upc": OIL_EACH, "name": "Solei THC Oil"})
    assert reply.json()["suggestions"] == []


async def test_what_cannot_be_asked_for_is_refused(staff: httpx.AsyncClient) -> None:
    for params in ({"upc": "\x00"}, {"name": "A" * 101}):
        reply = await staff.get(f"{MAPPINGS}/OUR-1/suggestions", params=params)
        assert (reply.status_code, reply.json()["errors"][0]["field"]) == (422, next(iter(params)))
