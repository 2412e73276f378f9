"""What the platform gives back is compared line by line with what it accepted; each way to differ is told."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from ocs.reconciliation.read_back import describe
from ocs.runtime import Runtime
from tests.integration.platform import Platform, cut
from tests.integration.pos import SKU, UPC, rows, sell
from tests.integration.reading_back import Ledger, Line, read, report, send, told

UNKNOWN = "6f1b9c52-0000-4000-8000-000000000001"


async def test_what_was_sent_and_is_there_is_the_same(runtime: Runtime, platform: Platform) -> None:
    """Numbers for texts, times with an offset, nulls and seven decimals are no differences."""
    ledger = Ledger(platform)
    ledger.alter = lambda lines: [line | {"counterPartyCRSA": None, "reasonCategory": None} for line in lines]
    await report(runtime, lines=3)
    found = await read(runtime)
    assert (found.row["state"], found.counts, told(found)) == ("done", {"event": {"same": 3}, "position": {}}, [])


async def test_the_platform_is_asked_for_some_minutes_more_on_both_sides(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform)
    found = await read(runtime)
    asked = {name: datetime.fromisoformat(ledger.asked[0][name]) for name in ("posStartDate", "posEndDate")}
    margin = timedelta(minutes=5)
    assert asked["posStartDate"] == (found.row["window_from"] - margin).replace(microsecond=0)
    rounded_up = asked["posEndDate"] - (found.row["window_to"] + margin)
    assert timedelta() <= rounded_up < timedelta(seconds=1)


async def test_a_line_that_is_not_there_is_missing(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform).alter = lambda lines: lines[1:]
    await report(runtime, lines=2)
    found = await read(runtime)
    assert found.counts["event"] == {"same": 1, "missing_there": 1}
    assert told(found) == [("missing_there", "", "PURCHASE 1", "")]
    first = (await rows(runtime, "select line_id from event_lines order by sequence"))[0]["line_id"]
    assert found.differences[0]["reference"] == str(first)


async def test_a_line_that_we_never_sent_is_unknown(runtime: Runtime, platform: Platform) -> None:
    strange: Line = {"posTransactionLineId": UNKNOWN, "posVendor": "OtherPOS", "ocsSku": SKU, "upcAndBarcode": UPC}
    strange |= {"inventoryEventType": "RECEIVING", "inventoryQuantityChange": 24}
    nameless = strange | {"posTransactionLineId": "no UUID \x00"}
    Ledger(platform).alter = lambda lines: [*lines, strange, nameless]
    await report(runtime)
    found = await read(runtime)
    assert found.counts["event"] == {"same": 1, "unknown_here": 2}
    assert told(found) == [("unknown_here", "", "", "RECEIVING 24 by OtherPOS")] * 2
    assert [one["reference"] for one in found.differences] == [UNKNOWN, "no UUID"]


@pytest.mark.parametrize(
    ("change", "field", "ours", "theirs"),
    [
        ({"ocsSku": "101955_7g___"}, "sku", SKU, "101955_7g___"),
        ({"upcAndBarcode": "00708762000701"}, "barcode", UPC, "00708762000701"),
        ({"posTransactionTimeStamp": "2026-11-20T10:00:01-05:00"}, "time", *["2026-11-20T10:00:0{}-05:00"] * 2),
        ({"inventoryEventType": "SALE"}, "type", "PURCHASE", "SALE"),
        ({"inventoryQuantityChange": 4}, "quantity", "1", "4"),
        ({"inventoryValueChange": 3.25}, "value", "3.24", "3.25"),
        ({"posSalesTransactionId": UNKNOWN}, "transaction_id", None, UNKNOWN),
        ({"soldAtPrice": 0}, "sold_at_price", "49.95", "0"),
        ({"counterPartyCRSA": "CRSA2222222"}, "counterparty", "", "CRSA2222222"),
        ({"reasonCategory": "Cycle Count"}, "reason", "", "Cycle Count"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_each_field_that_differs_is_named_with_both_values(
    runtime: Runtime, platform: Platform, change: Line, field: str, ours: str | None, theirs: str
) -> None:
    Ledger(platform).alter = lambda lines: [line | change for line in lines]
    item = {"ocs_sku": SKU, "upc": UPC, "quantity": 1, "unit_price": "49.95", "unit_cost": "3.24"}
    line_id = await report(runtime, occurred_at="2026-11-20T15:00:00Z", items=[item])
    if field == "transaction_id":
        ours = platform.accepted[line_id]["posSalesTransactionId"]
    if field == "time":
        ours, theirs = str(ours).format(0), theirs.format(1)
    found = await read(runtime)
    assert (found.counts["event"], told(found)) == ({"differs": 1}, [("differs", field, ours, theirs)])


async def test_only_the_newest_revision_of_a_line_must_be_there(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform)
    await report(runtime)
    await report(runtime, items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 2, "unit_price": "49.95"}])
    assert (await read(runtime)).counts["event"] == {"same": 1}


async def test_an_older_revision_in_its_place_is_told(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform)
    await report(runtime)
    first = [dict(line) for line in platform.accepted.values()]
    await report(runtime, items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 2, "unit_price": "49.95"}])
    ledger.alter = lambda _lines: first
    found = await read(runtime)
    assert (found.counts["event"], told(found)) == ({"not_newest": 1}, [("not_newest", "revision", "2", "1")])


async def test_what_was_not_accepted_is_not_missed(runtime: Runtime, platform: Platform) -> None:
    """A line that waits, one that the platform refused, and one whose outcome is not known."""
    Ledger(platform)
    platform.refused_skus.add("999999_1g___")
    await report(runtime, "T1", items=[{"ocs_sku": "999999_1g___", "upc": UPC, "quantity": 1}])

    def record_and_cut(request: httpx.Request) -> httpx.Response:
        platform.record(request)
        raise httpx.RemoteProtocolError("cut")

    platform.answers.append(record_and_cut)
    await report(runtime, "T2")
    await sell(runtime, "T3")
    states = await rows(runtime, "select state from outbox order by sequence")
    assert [row["state"] for row in states] == ["parked", "frozen", "pending"]
    assert (await read(runtime)).counts["event"] == {"same": 1}, "of the line whose outcome is not known"


async def test_a_line_whose_correction_is_under_way_is_not_missed(runtime: Runtime, platform: Platform) -> None:
    """The platform may have moved it out of the window already."""
    Ledger(platform).alter = lambda _lines: []
    await report(runtime)
    platform.answers.append(cut)
    await report(runtime, items=[{"ocs_sku": SKU, "upc": UPC, "quantity": 2, "unit_price": "49.95"}])
    states = await rows(runtime, "select state from outbox order by sequence")
    assert [row["state"] for row in states] == ["accepted", "frozen"]
    assert (await read(runtime)).counts["event"] == {}


async def test_a_line_that_was_accepted_before_the_window_is_not_missed(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform).alter = lambda _lines: []
    await report(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update outbox set settled_at = settled_at - interval '61 minutes'")
    assert (await read(runtime)).counts["event"] == {}


async def test_order_does_not_matter_and_pages_have_a_hundred_lines(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform)
    ledger.alter = lambda lines: lines[::-1]
    await report(runtime, lines=250)
    assert ((await read(runtime)).counts["event"], ledger.pages) == ({"same": 250}, [1, 2, 3, 4])


async def test_a_line_that_moves_to_another_page_meanwhile_is_found(runtime: Runtime, platform: Platform) -> None:
    """A correction takes the first line to the end of the list; the 101st moves up, past the page just read."""
    ledger = Ledger(platform)
    await report(runtime, lines=200)
    ledger.alter = lambda lines: lines if ledger.pages == [1] else [*lines[1:], lines[0]]
    found = await read(runtime)
    assert (ledger.pages, told(found)) == ([1, 2, 3, 1, 2, 3], [])
    assert found.counts["event"] == {"same": 201}, "the corrected line was given twice"


async def test_a_command_prints_what_was_found(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform).alter = lambda lines: [line | {"inventoryQuantityChange": -1} for line in lines[1:]]
    await report(runtime, lines=3)
    await send(runtime)
    text = describe(await read(runtime))
    expected = (
        "events: 1 missing_there, 2 turned",
        "positions: none",
        "sale: sent 2 as PURCHASE 1, came back as PURCHASE -1 for all 2",
        "the platform turns it; may be confirmed",
        "line: ours PURCHASE 1, theirs -",
        "quantity: ours 1, theirs -1",
    )
    assert [part for part in expected if part not in text] == [], text


Alter = Callable[[Line], dict[str, Any]]


@pytest.mark.parametrize(
    ("kind", "quantities", "alter", "agrees", "said"),
    [
        (
            "sale",
            [3],
            lambda _: {},
            True,
            "sent 1 as PURCHASE 3, came back as PURCHASE 3 for it: the platform keeps the",
        ),
        ("sale", [3], lambda q: {"inventoryQuantityChange": -q}, True, "the ledger is signed, the platform turns it"),
        ("purchase", [3], lambda q: {"inventoryQuantityChange": -q}, False, "turns our sign against the ledger's"),
        ("adjustment", [-2, 3], lambda _: {}, True, "the platform keeps our sign, and it is the ledger's"),
        ("adjustment", [-2], lambda _: {}, False, "adjust an item in the other direction too"),
        ("adjustment", [-2, 3], lambda q: {"inventoryQuantityChange": abs(q)}, False, "the platform drops the sign"),
        ("adjustment", [-2, 3], lambda q: {"inventoryQuantityChange": -q}, False, "against the ledger's"),
        ("sale", [1, 2], lambda q: {"inventoryQuantityChange": q if q > 1 else -q}, False, "did not come back alike"),
        ("sale", [1, 2], lambda _: {"inventoryQuantityChange": 9}, False, "with another amount"),
        ("sale", [1, 2], lambda _: {"inventoryEventType": "SALE"}, False, "came back as SALE 1 for all 2"),
    ],
)
async def test_each_type_gets_a_verdict(
    runtime: Runtime,
    platform: Platform,
    kind: str,
    quantities: list[int],
    alter: Callable[[float], Line],
    agrees: bool,
    said: str,
) -> None:
    Ledger(platform).alter = lambda lines: [line | alter(line["inventoryQuantityChange"]) for line in lines]
    items = [{"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_cost": "0"} for quantity in quantities]
    await report(runtime, transaction_type=kind, items=items)
    verdict = (await read(runtime)).verdicts[0]
    assert (verdict.transaction_type, verdict.lines, verdict.may_confirm) == (kind, len(quantities), agrees)
    assert said in verdict.words
