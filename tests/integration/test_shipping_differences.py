"""A receipt is corrected, or the notice changes after it: the right lines are replaced, and it agrees again."""

from typing import Any

import httpx
import pytest

from ocs.runtime import Runtime
from ocs.shipping.differences import reconcile
from tests.integration.platform import FIRST, Platform
from tests.integration.pos import rows
from tests.integration.shipments import SHIPMENT, Wholesaler, let_receipts_rest, notice_line, read, take_in

ASN = f"/api/ocs/asn/{SHIPMENT}"


@pytest.fixture
async def ocs(runtime: Runtime, platform: Platform) -> Wholesaler:
    """Give a wholesaler whose one shipment of two lines of 24 eaches was noticed."""
    wholesaler = Wholesaler(platform)
    await read(runtime)
    return wholesaler


async def receive(runtime: Runtime, staff: httpx.AsyncClient, **words: Any) -> httpx.Response:
    """Click on "receive", then have the receipt taken in, accepted, and lie long enough to be corrected."""
    reply = await staff.post(f"{ASN}/receive", json={"store_id": FIRST} | words)
    await take_in(runtime)
    await let_receipts_rest(runtime)
    return reply


async def line_of(staff: httpx.AsyncClient, lot: str) -> str:
    """Give a line's id by its lot."""
    [line] = [line["line_id"] for line in (await staff.get(ASN)).json()["lines"] if line["batch_lot"] == lot]
    return str(line)


async def test_a_correction_leaves_lines_as_they_were_that_it_does_not_name(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    first, second = await line_of(staff, "L1"), await line_of(staff, "L2")
    await receive(runtime, staff, lines=[{"line": first, "received": 20}, {"line": second, "received": 23}])
    await receive(runtime, staff, lines=[{"line": first, "received": 24}], correct=True)
    quantities = {line: there["inventoryQuantityChange"] for line, there in ocs.platform.accepted.items()}
    assert quantities == {first: "24", second: "23"}
    revisions = await rows(runtime, "select line_id, max(revision) as newest from event_lines group by line_id")
    assert {str(row["line_id"]): row["newest"] for row in revisions} == {first: 2, second: 1}
    differences = (await staff.get(ASN)).json()["differences"]
    assert {one["line_id"]: one["how"] for one in differences} == {first: "corrected", second: None}


@pytest.mark.usefixtures("ocs")
async def test_a_line_taken_back_is_out_of_the_stock_again(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await receive(runtime, staff)
    await receive(runtime, staff, lines=[{"line": await line_of(staff, "L1"), "received": 0}], correct=True)
    assert [row["quantity"] for row in await rows(runtime, "select quantity from inventory_levels")] == [24]


async def test_a_correction_answers_a_changed_notice(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    """The line goes out with the count and the price of now, the difference is settled, and the shipment agrees."""
    await receive(runtime, staff)
    ocs.lines[0] |= {"shippedQuantity": 12, "unitPrice": 30}
    await read(runtime)
    first = await line_of(staff, "L1")
    await receive(runtime, staff, lines=[{"line": first, "received": 12}], correct=True)
    assert ocs.platform.accepted[first]["inventoryValueChange"] == "360.00"
    assert [one["how"] for one in (await staff.get(ASN)).json()["differences"]] == ["corrected"]
    assert await reconcile(runtime) == 1


async def test_a_correction_of_another_line_does_not_hide_a_changed_notice(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    await receive(runtime, staff)
    ocs.lines[0]["shippedQuantity"] = 12
    await read(runtime)
    first, second = await line_of(staff, "L1"), await line_of(staff, "L2")
    await receive(runtime, staff, lines=[{"line": second, "received": 23}], correct=True)
    differences = (await staff.get(ASN)).json()["differences"]
    still_open = {(one["line_id"], one["shipped"], one["received"]) for one in differences if not one["resolved_at"]}
    assert still_open == {(first, "12", "24"), (second, "24", "23")}


async def test_a_line_that_comes_into_the_notice_late_is_received_only_when_counted(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    await receive(runtime, staff)
    ocs.lines.append(notice_line(3))
    await read(runtime)
    third = await line_of(staff, "L3")
    again = await receive(runtime, staff)
    assert (again.status_code, third in ocs.platform.accepted) == (200, False), "it is the click of before"
    await receive(runtime, staff, lines=[{"line": third, "received": 24}], correct=True)
    assert ocs.platform.accepted[third]["inventoryQuantityChange"] == "24"
    assert await reconcile(runtime) == 1


@pytest.mark.usefixtures("ocs")
async def test_a_difference_is_settled_once(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """The same click again is the same; other words are refused, so that nobody's reason is written over."""
    await receive(runtime, staff, lines=[{"line": await line_of(staff, "L1"), "received": 20}])
    [error] = (await staff.get(ASN)).json()["differences"]
    path = f"/api/ocs/asn/receiving-errors/{error['error_id']}/resolve"
    replies = [await staff.post(path, json={"how": how}) for how in ("credited", "credited", "forgotten")]
    assert [reply.status_code for reply in replies] == [200, 200, 409]
    assert replies[0].json() == replies[1].json()
    assert "credited" in replies[2].text


async def test_what_the_pos_received_can_be_received_here_all_the_same(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    """Somebody marked it by mistake: it takes a word more, and then it is a receipt like any other."""
    await staff.post(f"{ASN}/received-elsewhere", json={"store_id": FIRST})
    assert (await receive(runtime, staff)).status_code == 409
    assert (await receive(runtime, staff, correct=True)).status_code == 202
    assert len(ocs.platform.accepted) == 2
    assert await reconcile(runtime) == 1
