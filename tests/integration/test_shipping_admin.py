"""The staff's routes to shipments: ask for a reading, list, show, and nothing of anybody else's."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from ocs.runtime import Runtime
from ocs.shipping import fetch
from tests.integration.platform import FIRST, SECOND, Platform, status
from tests.integration.pos import rows
from tests.integration.shipments import SHIPMENT, Wholesaler, notice_line, read

ASN = f"/api/ocs/asn/{SHIPMENT}"
FETCH = "/api/ocs/asn/fetch"


@pytest.fixture
def ocs(platform: Platform) -> Wholesaler:
    """Give a wholesaler that has shipped one shipment of two lines."""
    return Wholesaler(platform)


@pytest.mark.usefixtures("ocs")
async def test_a_reading_on_demand_is_answered_at_once_and_shows_how_it_goes(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    """The platform takes 40 s for it, so nobody waits for the reply; a second click gives the same reading."""
    asked = await staff.post(FETCH, json={"store_id": FIRST})
    again = await staff.post(FETCH, json={"store_id": FIRST})
    assert (asked.status_code, again.json()["fetch_id"]) == (202, asked.json()["fetch_id"])
    path = f"/api/ocs/asn/fetches/{asked.json()['fetch_id']}"
    before = (await staff.get(path)).json()
    assert (before["state"], before["asked_by"], before["shipments"]) == ("due", "super admin", None)
    assert await fetch.fetch_due(runtime) == 1
    after = (await staff.get(path)).json()
    assert (after["state"], after["shipments"], after["lines"], after["added"]) == ("done", 1, 2, 1)


async def test_a_reading_of_a_window_that_was_named(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    """While it is under way another window waits; it does not count as the store's usual reading."""
    end = runtime.now().replace(microsecond=0) - timedelta(days=30)
    window = {"from": (end - timedelta(days=2)).isoformat(), "to": end.isoformat()}
    reply = await staff.post(FETCH, json={"store_id": FIRST} | window)
    assert reply.status_code == 202, reply.text
    assert (await staff.post(FETCH, json={"store_id": FIRST, "from": window["from"]})).status_code == 409
    await fetch.fetch_due(runtime)
    assert ocs.windows == [(FIRST, end - timedelta(days=2), end)]
    await read(runtime)
    _, start, stop = ocs.windows[1]
    assert timedelta() <= stop - start - timedelta(days=14) <= timedelta(seconds=1), "its end is rounded up"


async def test_a_reading_that_waits_says_why(runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler) -> None:
    ocs.answers = [status(503)]
    asked = (await staff.post(FETCH, json={"store_id": FIRST})).json()
    await fetch.fetch_due(runtime)
    shown = (await staff.get(f"/api/ocs/asn/fetches/{asked['fetch_id']}")).json()
    assert (shown["state"], shown["failures"]) == ("due", 1)
    assert "503" in shown["said"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"from": "2026-01-10T00:00:00Z", "to": "2026-01-09T00:00:00Z"}, "from"),
        ({"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "from"),
        ({"from": "2999-01-01T00:00:00Z"}, "from"),
        ({"from": "2026-01-01T00:00:00"}, "from"),
        ({"to": "tomorrow"}, "to"),
        ({"to": "0001-01-01T00:00:00Z"}, "to"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"store": FIRST}, "store"),
    ],
    ids=str,
)
async def test_a_window_that_cannot_be_is_named(staff: httpx.AsyncClient, words: dict[str, str], field: str) -> None:
    reply = await staff.post(FETCH, json={"store_id": FIRST} | words)
    assert reply.status_code == 422
    assert [error["field"] for error in reply.json()["errors"]] == [field]


@pytest.mark.usefixtures("ocs")
async def test_a_shipment_shows_its_lines_with_barcodes_costs_and_warnings(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    Wholesaler(platform, [notice_line(1, eachGTIN="", UOM="CASE")])
    await read(runtime)
    shown = (await staff.get(ASN)).json()
    assert (shown["state"], shown["store"], shown["receipt"], shown["differences"]) == ("expected", FIRST, None, [])
    [line] = shown["lines"]
    read_of_barcode = [line[name] for name in ("barcode_gtin", "barcode_expires_on", "barcode_lot", "barcode_note")]
    assert read_of_barcode == ["10708762000692", "2027-02-07", "L1", ""]
    assert (line["shipped"], line["unit_cost"], line["each_gtin"]) == ("24", "26.95", "00708762000695")
    assert {warning["code"] for warning in line["warnings"]} == {"each_from_case", "price_taken_per_each"}
    assert all(len(warning["meaning"]) > 20 for warning in line["warnings"])


async def test_shipments_are_listed_page_by_page_the_newest_first(
    runtime: Runtime, staff: httpx.AsyncClient, ocs: Wholesaler
) -> None:
    for number in range(5):
        ocs.lines = [notice_line(1, shipmentID=f"S{number}")]
        await read(runtime)
    await staff.post("/api/ocs/asn/S3/received-elsewhere", json={"store_id": FIRST})
    path = f"/api/ocs/stores/{FIRST}/shipments"
    seen: list[str] = []
    words: dict[str, Any] = {"limit": 2}
    while True:
        page = (await staff.get(path, params=words)).json()
        seen += [one["shipment_id"] for one in page["shipments"]]
        if page["after"] is None:
            break
        words["after"] = page["after"]
    assert seen == ["S4", "S3", "S2", "S1", "S0"]
    received = (await staff.get(path, params={"state": "received"})).json()["shipments"]
    assert [(one["shipment_id"], one["lines"], one["eaches"]) for one in received] == [("S3", 1, "24")]
    assert (await staff.get(path, params={"state": "lost"})).status_code == 422


@pytest.mark.usefixtures("ocs")
async def test_a_number_that_two_stores_have_needs_the_store(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """And what is done to one store's shipment is not done to the other's."""
    await read(runtime, FIRST)
    await read(runtime, SECOND)
    unclear = await staff.get(ASN)
    assert unclear.status_code == 409
    assert all(crsa in unclear.text for crsa in (FIRST, SECOND))
    assert (await staff.get(ASN, params={"store_id": SECOND})).json()["store"] == SECOND
    await staff.post(f"{ASN}/receive", json={"store_id": SECOND})
    states = {crsa: (await staff.get(ASN, params={"store_id": crsa})).json()["state"] for crsa in (FIRST, SECOND)}
    assert states == {FIRST: "expected", SECOND: "received"}


@pytest.mark.usefixtures("ocs")
async def test_differences_are_listed_page_by_page_open_or_settled(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await read(runtime)
    lines = (await staff.get(ASN)).json()["lines"]
    counted = [{"line": line["line_id"], "received": 1} for line in lines]
    await staff.post(f"{ASN}/receive", json={"store_id": FIRST, "lines": counted})
    path = "/api/ocs/asn/receiving-errors"
    first = (await staff.get(path, params={"store_id": FIRST, "limit": 1})).json()
    second = (await staff.get(path, params={"store_id": FIRST, "limit": 1, "after": first["after"]})).json()
    ids = [page["receiving_errors"][0]["error_id"] for page in (first, second)]
    assert len(set(ids)) == 2
    await staff.post(f"{path}/{ids[0]}/resolve", json={"how": "credited"})
    for is_open, expected in ((True, ids[1:]), (False, ids[:1])):
        found = (await staff.get(path, params={"store_id": FIRST, "open": is_open})).json()["receiving_errors"]
        assert [error["error_id"] for error in found] == expected


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/ocs/asn/none"),
        ("GET", f"/api/ocs/asn/none?store_id={FIRST}"),
        ("GET", "/api/ocs/asn/fetches/11111111-1111-4111-8111-111111111111"),
        ("POST", "/api/ocs/asn/none/receive"),
        ("POST", "/api/ocs/asn/none/received-elsewhere"),
        ("GET", "/api/ocs/stores/none/shipments"),
    ],
)
async def test_what_is_not_there_is_a_404(staff: httpx.AsyncClient, method: str, path: str) -> None:
    body = {"store_id": FIRST} if method == "POST" else None
    assert (await staff.request(method, path, json=body)).status_code == 404


async def test_settling_a_difference_that_is_not_there_is_a_404(staff: httpx.AsyncClient) -> None:
    reply = await staff.post("/api/ocs/asn/receiving-errors/1/resolve", json={"how": "x"})
    assert reply.status_code == 404


@pytest.mark.usefixtures("ocs")
async def test_another_tenants_staff_see_and_change_nothing(
    runtime: Runtime, staff: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    """Every route, by every name: as if it were not there, and afterwards nothing has changed."""
    fetch_id = (await staff.post(FETCH, json={"store_id": FIRST})).json()["fetch_id"]
    await fetch.fetch_due(runtime)
    [line, _] = (await staff.get(ASN)).json()["lines"]
    counted = [{"line": line["line_id"], "received": 1}]
    await staff.post(f"{ASN}/receive", json={"store_id": FIRST, "lines": counted})
    [error] = (await staff.get(ASN)).json()["differences"]
    before = await _everything(runtime)
    own: dict[str, Any] = {"store_id": FIRST}
    tries = [
        await stranger.get(ASN),
        await stranger.get(ASN, params=own),
        await stranger.get(f"/api/ocs/asn/fetches/{fetch_id}"),
        await stranger.get(f"/api/ocs/stores/{FIRST}/shipments"),
        await stranger.get("/api/ocs/asn/receiving-errors", params=own),
        await stranger.post(FETCH, json=own),
        await stranger.post(f"{ASN}/receive", json=own | {"correct": True, "lines": counted}),
        await stranger.post(f"{ASN}/received-elsewhere", json=own),
        await stranger.post(f"/api/ocs/asn/receiving-errors/{error['error_id']}/resolve", json={"how": "x"}),
    ]
    assert [reply.status_code for reply in tries] == [404] * len(tries)
    assert await _everything(runtime) == before


async def _everything(runtime: Runtime) -> list[list[dict[str, Any]]]:
    tables = ("shipments", "receipts", "receiving_errors", "shipping_fetches")
    return [await rows(runtime, f"select * from {table} order by 1, 2") for table in tables]  # noqa: S608
