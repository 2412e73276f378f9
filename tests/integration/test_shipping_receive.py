"""A shipment is received once, whatever is clicked twice, counted otherwise, corrected later or changed by OCS."""

import asyncio
import json
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest

from ocs.runtime import Runtime
from ocs.shipping.differences import reconcile
from ocs.shipping.put import put_receipts
from tests.integration.platform import FIRST, FakeQueues, Platform
from tests.integration.pos import SKU, UPC, rows
from tests.integration.shipments import SHIPMENT, Wholesaler, let_receipts_rest, notice_line, read, take_in

PATH = f"/api/ocs/asn/{SHIPMENT}"


@pytest.fixture
async def ocs(platform: Platform, runtime: Runtime) -> Wholesaler:
    """Give a wholesaler whose one shipment of two lines of 24 eaches was noticed."""
    wholesaler = Wholesaler(platform)
    await read(runtime)
    return wholesaler


def queued(runtime: Runtime) -> list[dict[str, Any]]:
    """Give what is on the POS's queue."""
    texts = cast("FakeQueues", runtime.queues).messages.get("pos-transactions", [])
    return [json.loads(text) for text in texts]


async def receive(staff: httpx.AsyncClient, **words: Any) -> httpx.Response:
    """Click on "receive"."""
    return await staff.post(f"{PATH}/receive", json={"store_id": FIRST} | words)


async def shown(staff: httpx.AsyncClient) -> dict[str, Any]:
    """Give the shipment as staff see it."""
    reply = await staff.get(PATH, params={"store_id": FIRST})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


async def line_ids(staff: httpx.AsyncClient) -> list[str]:
    """Give the ids of the lines in the order of their lots."""
    lines = (await shown(staff))["lines"]
    return [line["line_id"] for line in sorted(lines, key=lambda line: str(line["batch_lot"]))]


async def settle(runtime: Runtime) -> int:
    """Have everything taken in and accepted, then see whether shipments agree; gives how many."""
    await take_in(runtime)
    return await reconcile(runtime)


@pytest.mark.usefixtures("ocs")
async def test_received_as_shipped_reported_and_reconciled(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    """The receipt goes through the same door as a POS; once the platform has all lines, the shipment agrees."""
    reply = await receive(staff)
    assert (reply.status_code, reply.json()["already"]) == (202, False)
    assert (await shown(staff))["state"] == "received"
    [purchase] = queued(runtime)
    ids = await line_ids(staff)
    assert (purchase["transaction_type"], purchase["transaction_id"]) == ("purchase", f"asn-{SHIPMENT}")
    assert {item["line_id"]: item["quantity"] for item in purchase["items"]} == dict.fromkeys(ids, 24)
    assert await reconcile(runtime) == 0
    assert await settle(runtime) == 1
    assert {line["inventoryEventType"] for line in platform.accepted.values()} == {"RECEIVING"}
    assert {line["inventoryValueChange"] for line in platform.accepted.values()} == {"646.80"}
    assert sorted(platform.accepted) == sorted(ids)
    now = await shown(staff)
    assert (now["state"], {line["reported_state"] for line in now["lines"]}) == ("reconciled", {"accepted"})
    levels = await rows(runtime, "select ocs_sku, upc, quantity from inventory_levels")
    assert [(row["ocs_sku"], row["upc"], row["quantity"]) for row in levels] == [(SKU, UPC, 48)]


@pytest.mark.usefixtures("ocs")
async def test_clicked_twice_is_received_once(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    first = await receive(staff)
    again = await receive(staff)
    assert (again.status_code, again.json()["already"]) == (200, True)
    assert again.json()["receipt"] == first.json()["receipt"]
    assert len(queued(runtime)) == 1


@pytest.mark.usefixtures("ocs")
async def test_clicked_by_many_at_once_is_received_once(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    replies = await asyncio.gather(*(receive(staff) for _ in range(6)))
    assert sorted(reply.status_code for reply in replies) == [200] * 5 + [202]
    assert len(await rows(runtime, "select * from receipts")) == 1
    assert len(queued(runtime)) == 1


@pytest.mark.usefixtures("ocs")
async def test_another_count_on_the_second_click_is_refused_with_the_way_to_correct(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await receive(staff)
    [first, _] = await line_ids(staff)
    reply = await receive(staff, lines=[{"line": first, "received": 23}])
    assert reply.status_code == 409
    assert '"correct": true' in reply.text.replace("\\", "")
    assert len(queued(runtime)) == 1


@pytest.mark.usefixtures("ocs")
async def test_what_did_not_come_is_kept_as_a_receiving_error(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """A line of which nothing came makes no event; the shipment agrees only once a person has settled both."""
    [first, second] = await line_ids(staff)
    counts = [{"line": first, "received": 20, "note": "crushed"}, {"line": second, "received": 0, "reason": "Missing"}]
    await receive(staff, lines=counts)
    [purchase] = queued(runtime)
    assert [(item["line_id"], item["quantity"]) for item in purchase["items"]] == [(first, 20)]
    errors = (await shown(staff))["differences"]
    assert {(error["line_id"], error["shipped"], error["received"], error["reason"]) for error in errors} == {
        (first, "24", "20", "Receiving Error"),
        (second, "24", "0", "Missing"),
    }
    assert await settle(runtime) == 0
    for error in errors:
        path = f"/api/ocs/asn/receiving-errors/{error['error_id']}/resolve"
        assert (await staff.post(path, json={"how": "credited by OCS"})).status_code == 200
    assert await reconcile(runtime) == 1


@pytest.mark.usefixtures("ocs")
async def test_a_receipt_of_an_earlier_day_is_reported_on_that_day(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    day = runtime.now().date() - timedelta(days=3)
    reply = await receive(staff, received_on=str(day))
    assert reply.json()["receipt"]["received_on"] == str(day)
    assert [purchase["process_on"] for purchase in queued(runtime)] == [str(day)]


@pytest.mark.usefixtures("ocs")
async def test_counts_that_cannot_be_are_named_and_nothing_is_written(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    [first, _] = await line_ids(staff)
    tomorrow = str(runtime.now().date() + timedelta(days=2))
    unknown = "11111111-1111-4111-8111-111111111111"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"lines": [{"line": first, "received": 1}, {"line": unknown, "received": 1}]}, "lines[1].line"),
        ({"lines": [{"line": first, "received": 1}, {"line": first, "received": 2}]}, "lines[1].line"),
        ({"lines": [{"line": first, "received": -1}]}, "lines[0].received"),
        ({"lines": [{"line": first, "received": 1.5}]}, "lines[0].received"),
        ({"lines": []}, "lines"),
        ({"received_on": tomorrow}, "received_on"),
        ({"recieved_on": tomorrow}, "recieved_on"),
    ]
    for words, field in wrong:
        reply = await receive(staff, **words)
        assert reply.status_code == 422, words
        assert [error["field"] for error in reply.json()["errors"]] == [field]
    assert (await receive(staff, store_id="CRSA9999999")).status_code == 404
    assert await rows(runtime, "select * from receipts") == []


async def test_a_line_whose_quantity_makes_no_sense_must_be_counted(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    ocs.lines[0]["shippedQuantity"] = 1.5
    await read(runtime)
    [first, _] = await line_ids(staff)
    assert (await receive(staff)).status_code == 422
    assert (await receive(staff, lines=[{"line": first, "received": 2}])).status_code == 202


@pytest.mark.usefixtures("ocs")
async def test_received_by_the_pos_makes_no_events_and_says_who_and_when(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    elsewhere = {"store_id": FIRST}
    first = await staff.post(f"{PATH}/received-elsewhere", json=elsewhere)
    again = await staff.post(f"{PATH}/received-elsewhere", json=elsewhere)
    assert (first.json()["already"], again.json()["already"]) == (False, True)
    now = await shown(staff)
    assert (now["state"], now["elsewhere"], now["received_by"]) == ("received", True, "super admin")
    assert now["received_at"]
    assert (await receive(staff)).status_code == 409
    assert queued(runtime) == []
    assert await reconcile(runtime) == 0


@pytest.mark.usefixtures("ocs")
async def test_what_was_received_here_is_not_marked_as_received_by_the_pos(staff: httpx.AsyncClient) -> None:
    await receive(staff)
    assert (await staff.post(f"{PATH}/received-elsewhere", json={"store_id": FIRST})).status_code == 409


async def test_a_notice_that_changes_after_the_pos_received_it_is_a_difference_too(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    await staff.post(f"{PATH}/received-elsewhere", json={"store_id": FIRST})
    ocs.lines[0]["shippedQuantity"] = 12
    await read(runtime)
    [error] = (await shown(staff))["differences"]
    assert (error["kind"], error["shipped"], error["received"]) == ("notice", "12", None)


@pytest.mark.usefixtures("ocs")
async def test_while_the_queue_is_down_the_receipt_waits_and_is_put_later(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    cast("FakeQueues", runtime.queues).down = True
    reply = await receive(staff)
    assert reply.status_code == 202
    assert [one["queued_at"] for one in reply.json()["receipt"]["transactions"]] == [None]
    assert await put_receipts(runtime) == 0
    cast("FakeQueues", runtime.queues).down = False
    assert await put_receipts(runtime) == 1
    assert await put_receipts(runtime) == 0
    assert len(queued(runtime)) == 1


async def test_a_large_shipment_is_received_in_several_transactions(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler, platform: Platform
) -> None:
    """Each within what a queue takes; together all lines, once."""
    ocs.lines = [notice_line(number, containerID=f"C{1 + number // 200}") for number in range(1, 801)]
    await read(runtime)
    await receive(staff)
    transactions = queued(runtime)
    assert len({one["transaction_id"] for one in transactions}) == len(transactions) > 1
    assert await settle(runtime) == 1
    assert len(platform.accepted) == len(await line_ids(staff)) == 800


@pytest.mark.usefixtures("ocs")
async def test_a_correction_waits_until_the_queue_can_tell_it_from_what_it_corrects(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    """The queue's times are whole seconds, and the later one counts."""
    [first, _] = await line_ids(staff)
    await receive(staff)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update receipt_messages set queued_at = clock_timestamp() + interval '1 minute'")
    await receive(staff, correct=True, lines=[{"line": first, "received": 23}])
    assert len(queued(runtime)) == 1
    await let_receipts_rest(runtime)
    await let_receipts_rest(runtime)
    assert await put_receipts(runtime) == 1
    assert len(queued(runtime)) == 2


@pytest.mark.usefixtures("ocs")
async def test_a_line_is_not_taken_back_before_it_was_taken_in(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """A void of an unknown line would be refused, and the receipt behind it would stay."""
    [first, _] = await line_ids(staff)
    await receive(staff)
    taken_back = {"correct": True, "lines": [{"line": first, "received": 0}]}
    assert (await receive(staff, **taken_back)).status_code == 409
    await take_in(runtime)
    assert (await receive(staff, **taken_back)).status_code == 202


async def test_a_notice_that_changes_after_the_receipt_is_a_difference(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    """What was received and reported stays; the shipment agrees again once a person has settled it."""
    await receive(staff)
    assert await settle(runtime) == 1
    ocs.lines[0]["shippedQuantity"] = 12
    await read(runtime)
    await read(runtime)
    now = await shown(staff)
    [error] = now["differences"]
    assert (now["state"], error["kind"], error["shipped"], error["received"]) == ("received", "notice", "12", "24")
    assert error["note"] == "quantity: 24 became 12"
    assert queued(runtime) == []
    assert await reconcile(runtime) == 0
    await staff.post(f"/api/ocs/asn/receiving-errors/{error['error_id']}/resolve", json={"how": "counted again: 24"})
    assert await reconcile(runtime) == 1


async def test_what_the_platform_refuses_keeps_the_shipment_open_and_says_why(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    bad = "999999_bad___"
    Wholesaler(platform, [notice_line(1), notice_line(2, SKU=bad)])
    await read(runtime)
    platform.refused_skus = {bad}
    await receive(staff)
    assert await settle(runtime) == 0
    lines = {line["ocs_sku"]: line for line in (await shown(staff))["lines"]}
    assert {sku: line["reported_state"] for sku, line in lines.items()} == {SKU: "accepted", bad: "parked"}
    assert "not valid" in lines[bad]["parked_reason"]
