"""A correction by staff is one like the POS's own: same line id, levels and order right, nobody overwritten."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from ocs.delivery.sender import answer_bell
from ocs.runtime import Runtime
from tests.integration.platform import CROL, FIRST, SECOND, Platform
from tests.integration.pos import SKU, UPC, rows, sell, states

OTHER = "102000_7g___"
COST = "5.00"


async def only_line(runtime: Runtime) -> str:
    """Give the id of the one line that there is."""
    ids = await rows(runtime, "select distinct line_id::text from event_lines")
    assert len(ids) == 1
    return str(ids[0]["line_id"])


async def correct(
    staff: httpx.AsyncClient, line_id: str, body: dict[str, Any], revision: int = 1, **params: str
) -> httpx.Response:
    """Ask for a correction of a revision."""
    path = f"/api/ocs/events/lines/{line_id}/correct"
    return await staff.post(path, json=body, headers={"If-Match": f'"{revision}"'}, params=params)


async def newest(runtime: Runtime) -> dict[str, Any]:
    """Give the newest revision on record."""
    return (await rows(runtime, "select * from event_lines order by sequence desc limit 1"))[0]


async def test_each_field_can_be_corrected_and_all_others_stay(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    purchase = [{"ocs_sku": SKU, "upc": UPC, "quantity": 9, "unit_cost": COST}]
    told = {"occurred_at": "2026-11-18T10:00:00-05:00", "process_on": "2026-11-17", "reason": "late"}
    sold = await sell(runtime, "P1", transaction_type="purchase", items=purchase, **told)
    await answer_bell(runtime, sold.store_id)
    line_id = await only_line(runtime)
    before = await newest(runtime)
    changes: list[tuple[str, dict[str, Any], str, Any]] = [
        ("ocs_sku", {"ocs_sku": OTHER}, "ocs_sku", OTHER),
        ("upc", {"upc": "00628582000524"}, "upc", "00628582000524"),
        ("quantity", {"quantity": 12}, "quantity", 12),
        ("unit price", {"unit_price": "1.25"}, "unit_price", Decimal("1.25")),
        ("unit cost", {"unit_cost": "6"}, "unit_cost", 6),
        ("reason", {"reason": "Receiving Error"}, "reason", "Receiving Error"),
    ]
    same = ["line_id", "transaction_id", "transaction_type", "occurred_at", "process_on", "effective_at", "ocs_type"]
    for revision, (name, body, column, value) in enumerate(changes, 1):
        reply = await correct(staff, line_id, body, revision)
        assert (reply.status_code, reply.json()["revision"]) == (202, revision + 1), (name, reply.text)
        after = await newest(runtime)
        assert after[column] == value, name
        assert [after[one] for one in same] == [before[one] for one in same], name
    await answer_bell(runtime, sold.store_id)
    at_platform = platform.accepted[line_id]
    assert (at_platform["ocsSku"], at_platform["inventoryQuantityChange"]) == (OTHER, "12")
    levels = await rows(runtime, "select ocs_sku, quantity, value from inventory_levels where quantity <> 0")
    assert [(one["ocs_sku"], one["quantity"], one["value"]) for one in levels] == [(OTHER, 12, 72)]


@pytest.mark.parametrize(("kind", "said", "quantity"), [("adjustment", -3, -3), ("sale", 3, -3), ("return", 3, 3)])
async def test_a_correction_of_the_sku_keeps_the_quantitys_direction(
    runtime: Runtime, staff: httpx.AsyncClient, kind: str, said: int, quantity: int
) -> None:
    await sell(runtime, "A1", transaction_type=kind, items=[{"ocs_sku": SKU, "upc": UPC, "quantity": said}])
    assert (await correct(staff, await only_line(runtime), {"ocs_sku": OTHER})).status_code == 202
    assert (await newest(runtime))["quantity"] == quantity
    levels = await rows(runtime, "select ocs_sku, quantity from inventory_levels where quantity <> 0")
    assert [(one["ocs_sku"], one["quantity"]) for one in levels] == [(OTHER, quantity)]


async def test_a_line_that_was_never_mapped_is_mended_by_naming_its_ocs_sku(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    sold = await sell(runtime, "T1", items=[{"sku": "OUR-77", "quantity": 1, "unit_price": "9"}])
    line_id = await only_line(runtime)
    assert (await correct(staff, line_id, {"ocs_sku": SKU, "upc": UPC})).status_code == 202
    assert await states(runtime) == ["superseded", "pending"]
    await answer_bell(runtime, sold.store_id)
    assert platform.accepted[line_id]["ocsSku"] == SKU


async def test_who_looked_at_an_older_revision_is_told_and_overwrites_nothing(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await sell(runtime, "T1")
    line_id = await only_line(runtime)
    await sell(runtime, "T1", items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 4, "unit_price": "49.95"}])
    late = await correct(staff, line_id, {"quantity": 2}, revision=1)
    assert (late.status_code, "newest revision is 2" in late.text) == (412, True)
    assert (await newest(runtime))["quantity"] == -4
    missing = await staff.post(f"/api/ocs/events/lines/{line_id}/correct", json={"quantity": 2})
    assert (missing.status_code, "If-Match" in missing.text) == (422, True)
    assert await rows(runtime, "select from audit_acts") == []


async def test_what_is_wrong_is_named_and_nothing_is_written(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await sell(runtime, "T1")
    line_id = await only_line(runtime)
    for body, code, words in (
        ({}, 422, "at least one field"),
        ({"quantity": -1}, 422, '"quantity"'),
        ({"quantity": "1.5"}, 422, "whole number"),
        ({"ocs_sku": ""}, 422, "ocs_sku"),
        ({"colour": "red"}, 422, "colour"),
        ({"quantity": 1}, 409, "nothing would differ"),
    ):
        reply = await correct(staff, line_id, body)
        assert (reply.status_code, words in reply.text) == (code, True), (body, reply.text)
    assert await states(runtime) == ["pending"]


async def test_a_line_is_corrected_to_nothing_with_quantity_0(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    sold = await sell(runtime, "T1")
    await answer_bell(runtime, sold.store_id)
    line_id = await only_line(runtime)
    assert (await correct(staff, line_id, {"quantity": 0})).status_code == 202
    await answer_bell(runtime, sold.store_id)
    assert platform.accepted[line_id]["inventoryQuantityChange"] == "0"
    assert (await rows(runtime, "select quantity from inventory_levels"))[0]["quantity"] == 0


async def test_a_tenants_wish_for_signed_messages_does_not_stop_its_own_staff(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await sell(runtime, "T1")
    line_id = await only_line(runtime)
    wish = await staff.put(f"/api/ocs/tenants/{CROL}/pos-signatures", json={"required": True})
    assert wish.status_code == 200, wish.text
    async with runtime.pool.transaction() as connection:
        await connection.execute("update pos_signatures set required_from = now() - interval '1 hour'")
    assert (await correct(staff, line_id, {"quantity": 2})).status_code == 202


async def test_a_line_id_of_two_stores_asks_which_is_meant(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    own_id = "7d9f2a1c-0f3b-4a7e-9d55-0a8a3f0c1b2d"
    for store in (FIRST, SECOND):
        await sell(runtime, "T1", store=store, items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 1, "line_id": own_id}])
    asked = await correct(staff, own_id, {"quantity": 2})
    assert (asked.status_code, "?store=" in asked.text) == (409, True)
    assert (await correct(staff, own_id, {"quantity": 2}, store=SECOND)).status_code == 202
    shown = (await staff.get(f"/api/ocs/events/lines/{own_id}", params={"store": FIRST})).json()
    assert shown["revision"] == 1, "the other store's line stays"
