"""What can be read from the stand-in: events and positions by posting time, shipping notices, the catalogue."""

import re
from typing import Any

import pytest

from tests.integration.devstack.regulator_stand_in.store import (
    ASN,
    AT,
    CATALOGUE,
    REPORTED_EVENTS,
    REPORTED_POSITIONS,
    Store,
    event,
    position_line,
)

SEVEN_DECIMALS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
CASE_OF_48 = {
    "shipmentID": "S1",
    "containerID": "C1",
    "SKU": "101955_3.5g___",
    "unitPrice": 26.95,
    "shippedQuantity": 48,
    "UOM": "CASE",
    "UOMConversion": "24",
    "UOMConversionQuantity": 2,
}


def test_events_are_read_back_with_numbers_and_their_posting_time(store: Store) -> None:
    line = event(inventoryQuantityChange="-3", counterPartyCRSA="CRSA9876543")
    store.report(line)
    body = store.read_back(REPORTED_EVENTS).json()
    [read] = body.pop("inventoryEventList")
    assert set(body) == {"crsa", "posStartDateTime", "posEndDateTime", "pageNumber"}
    assert (body["crsa"], body["pageNumber"]) == (store.crsa, 1)
    assert SEVEN_DECIMALS.fullmatch(read.pop("postingDateTimeStamp"))
    numbers = {"inventoryQuantityChange": -3, "inventoryValueChange": 80.85, "soldAtPrice": 49.95}
    assert read == line | numbers | {"posVendor": "Till & Co", "posVendorVersion": "4.2"}


def test_events_are_found_by_posting_time_not_by_their_own(store: Store) -> None:
    store.report(event(posTransactionTimeStamp="2022-04-14T14:31:30Z"))
    window = {"posStartDate": "2022-04-14T00:00:00Z", "posEndDate": "2022-04-15T00:00:00Z"}
    reply = store.read(REPORTED_EVENTS, crsa=store.crsa, pageNumber=1, **window)
    assert reply.json()["inventoryEventList"] == []
    assert len(store.read_back(REPORTED_EVENTS).json()["inventoryEventList"]) == 1


def test_the_window_holds_both_of_its_ends(store: Store) -> None:
    store.report(event())
    stamp = store.ledger()[0]["posted_at"]
    query = {"crsa": store.crsa, "posStartDate": stamp, "posEndDate": stamp, "pageNumber": "1"}
    found = store.read(REPORTED_EVENTS, **query).json()["inventoryEventList"]
    assert [line["postingDateTimeStamp"] for line in found] == [stamp]


def test_a_corrected_line_is_read_back_once_and_last(store: Store) -> None:
    first, second = event(), event()
    store.report(first, second)
    store.report(first | {"soldAtPrice": "45.00"})
    lines = store.read_back(REPORTED_EVENTS).json()["inventoryEventList"]
    ids = [second["posTransactionLineId"], first["posTransactionLineId"]]
    assert [line["posTransactionLineId"] for line in lines] == ids
    assert lines[1]["soldAtPrice"] == 45


def test_events_come_in_pages_of_a_hundred(store: Store) -> None:
    lines = [event() for _ in range(101)]
    store.report(*lines)
    pages = [store.read_back(REPORTED_EVENTS, page).json()["inventoryEventList"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 1, 0]
    ids = [line["posTransactionLineId"] for page in pages for line in page]
    assert ids == [line["posTransactionLineId"] for line in lines]


def test_positions_are_read_back_line_by_line(store: Store) -> None:
    store.report_position(*[position_line() for _ in range(60)], at="2026-03-08T23:59:59-04:00")
    store.report_position(*[position_line(inventoryQuantityOnHand="7") for _ in range(60)])
    pages = [store.read_back(REPORTED_POSITIONS, page).json()["inventoryPositionList"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 20, 0]
    last = pages[1][-1]
    assert SEVEN_DECIMALS.fullmatch(last.pop("postingDateTimeStamp"))
    numbers = {"inventoryQuantityOnHand": 7, "inventoryBookValue": 3.24}
    beside = {"inventoryPositionDate": AT, "posVendor": "Till & Co", "posVendorVersion": "4.2"}
    assert last == position_line() | numbers | beside


def test_every_posting_of_a_position_is_read_back(store: Store) -> None:
    """Also the one that a later posting of the same instant replaced; in order of posting."""
    for quantity in ("7", "7", "8"):
        store.report_position(position_line(inventoryQuantityOnHand=quantity))
    lines = store.read_back(REPORTED_POSITIONS).json()["inventoryPositionList"]
    assert [(line["inventoryQuantityOnHand"], line["inventoryPositionDate"]) for line in lines] == [
        *[(7, AT), (7, AT), (8, AT)]
    ]
    stamps = [line["postingDateTimeStamp"] for line in lines]
    assert stamps == sorted(set(stamps))


def test_positions_are_found_by_posting_time_not_by_their_own(store: Store) -> None:
    """Both ends of the window belong to it."""
    store.report_position(position_line())
    stamp = store.control("GET", f"positions/{store.crsa}")[0]["posted_at"]
    for start, end, found in ((AT, AT, 0), (stamp, stamp, 1)):
        query = {"crsa": store.crsa, "posStartDate": start, "posEndDate": end, "pageNumber": "1"}
        assert len(store.read(REPORTED_POSITIONS, **query).json()["inventoryPositionList"]) == found


@pytest.mark.parametrize("path", [REPORTED_EVENTS, REPORTED_POSITIONS])
def test_a_page_behind_the_last_is_empty(store: Store, path: str) -> None:
    """An exact hundred is one page; the pages after it are empty, not an error."""
    store.report(*[event() for _ in range(100)])
    store.report_position(*[position_line() for _ in range(100)])
    name = "inventoryEventList" if path == REPORTED_EVENTS else "inventoryPositionList"
    bodies = [store.read_back(path, page).json() for page in (1, 2, 9)]
    assert [(body["pageNumber"], len(body[name])) for body in bodies] == [(1, 100), (2, 0), (9, 0)]


def test_a_line_that_is_corrected_moves_into_the_window_of_its_correction(store: Store) -> None:
    line = event()
    store.report(line)
    first = store.ledger()[0]["posted_at"]
    store.report(line | {"soldAtPrice": "45.00"})
    query = {"crsa": store.crsa, "posStartDate": first, "posEndDate": first, "pageNumber": "1"}
    assert store.read(REPORTED_EVENTS, **query).json()["inventoryEventList"] == []


@pytest.mark.parametrize(
    ("wrong", "value"),
    [("pageNumber", "0"), ("pageNumber", "x"), ("pageNumber", ""), ("posStartDate", "2026-03-09"), ("crsa", "")],
)
def test_a_wrong_parameter_is_refused_by_its_name(store: Store, wrong: str, value: str) -> None:
    query = {"crsa": store.crsa, "posStartDate": AT, "posEndDate": AT, "pageNumber": "1"}
    reply = store.read(REPORTED_EVENTS, **query | {wrong: value})
    assert reply.status_code == 400
    assert wrong in reply.text


def test_shipping_notices_are_those_of_the_window(store: Store) -> None:
    """All documented fields are there, numbers as numbers; the time of the notice itself is not given out."""
    lines: list[dict[str, Any]] = [
        CASE_OF_48 | {"noticedAt": "2026-03-09T10:00:00-04:00"},
        CASE_OF_48 | {"shipmentID": "S2", "noticedAt": "2026-03-11T10:00:00-04:00"},
        CASE_OF_48 | {"shipmentID": "S3"},
    ]
    store.control("PUT", f"shipments/{store.crsa}", retailerASNList=lines)
    window = {"startDateTime": "2026-03-09T00:00:00-04:00", "endDateTime": "2026-03-10T00:00:00-04:00"}
    body = store.read(ASN, retailerCRSA=store.crsa, **window).json()
    shipped = body.pop("retailerASNList")
    assert body == {"retailerCRSA": store.crsa} | window
    assert [line["shipmentID"] for line in shipped] == ["S1", "S3"]
    assert shipped[0].items() >= CASE_OF_48.items()
    assert len(shipped[0]) == 16
    assert "noticedAt" not in shipped[0]


def test_the_sample_catalogue_starts_with_the_documents_own_item(store: Store) -> None:
    """Every barcode has a right GS1 check digit; one of them is that of a case."""
    items = store.read(CATALOGUE, pageNumber=1).json()["itemList"]
    assert (items[0]["SKU"], items[0]["itemBarcode"]) == ("101955_3.5g___", "00708762000695")
    assert len(items) == len({item["SKU"] for item in items}) == 12
    assert {len(item) for item in items} == {28}
    for item in items:
        digits = [int(digit) for digit in item["itemBarcode"] + item["GTIN"]]
        assert _is_gs1(digits[:14])
        assert _is_gs1(digits[14:])
    assert "10628582000521" in {item["itemBarcode"] for item in items}
    assert store.read(CATALOGUE, pageNumber=2).json() == {"itemList": []}


def _is_gs1(digits: list[int]) -> bool:
    return len(digits) == 14 and (sum(digits[0::2]) * 3 + sum(digits[1::2])) % 10 == 0
