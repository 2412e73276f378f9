"""What a store ordered is shipped, and GET ASN tells of it."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.devstack.regulator_stand_in.store import ASN, Store

SKU, CASE_ONLY, ORDERED = "101955_3.5g___", "105063_355ml___", "2026-03-09T10:00:00-04:00"
DAY = ("2026-03-09T00:00:00-04:00", "2026-03-10T00:00:00-04:00")
TWO_CASES = {"SKU": SKU, "cases": 2, "eachesPerCase": 24}


def _order(store: Store, *lines: dict[str, Any], at: str | None = ORDERED) -> list[dict[str, Any]]:
    """Order; give the lines of the shipment."""
    told = {} if at is None else {"orderedAt": at}
    shipped: list[dict[str, Any]] = store.control("POST", f"orders/{store.crsa}", lines=list(lines), **told)[
        "retailerASNList"
    ]
    return shipped


def _noticed(store: Store, start: str, end: str) -> list[dict[str, Any]]:
    reply = store.read(ASN, retailerCRSA=store.crsa, startDateTime=start, endDateTime=end)
    lines: list[dict[str, Any]] = reply.json()["retailerASNList"]
    return lines


def test_an_order_becomes_a_shipping_notice(store: Store) -> None:
    """Names from the catalogue, case and each GTIN, a GS1 label of the case, all quantities in eaches."""
    [line] = _order(store, TWO_CASES | {"unitPrice": 26.95})
    shipment, container, lot = (line.pop(name) for name in ("shipmentID", "containerID", "batchLot"))
    assert all((shipment, container, lot))
    assert line == {
        "SKU": SKU,
        "itemName": "Sample Flower",
        "vendor": "Northfield Growers Inc.",
        "brand": "Northfield",
        "caseGTIN": "10708762000692",
        "packagedOnDate": "2026-02-07",
        "gTINBarcode": f"01107087620006921727020710{lot}",
        "eachGTIN": "00708762000695",
        "UOM": "CASE",
        "UOMConversion": "24",
        "unitPrice": 26.95,
        "shippedQuantity": 48,
        "UOMConversionQuantity": 48,
    }


def test_a_label_reads_as_its_application_identifiers(store: Store) -> None:
    """01 and the case GTIN, 17 and the expiry, 10 and the lot at the end; no brackets, no separator."""
    [line] = _order(store, {"SKU": CASE_ONLY, "cases": 1, "eachesPerCase": 24})
    read = re.fullmatch(r"01(\d{14})17(\d{6})10([A-Z0-9]{1,20})", line["gTINBarcode"])
    assert read is not None
    assert read.groups() == (line["caseGTIN"], "270207", line["batchLot"])
    assert (line["caseGTIN"], line["eachGTIN"]) == ("10628582000521", "00628582000524")


def test_a_shipment_is_told_in_the_windows_that_hold_its_notice(store: Store) -> None:
    lines = _order(store, TWO_CASES, {"SKU": CASE_ONLY, "cases": 1, "eachesPerCase": 24})
    assert _noticed(store, *DAY) == _noticed(store, ORDERED, ORDERED) == lines
    assert len({line["shipmentID"] for line in lines}) == 1
    assert len({line["batchLot"] for line in lines}) == 2
    assert _noticed(store, DAY[1], "2026-03-11T00:00:00-04:00") == []


def test_an_order_without_a_time_is_noticed_now(store: Store) -> None:
    before = datetime.now(UTC)
    [line] = _order(store, TWO_CASES, at=None)
    assert _noticed(store, before.isoformat(), (before + timedelta(minutes=1)).isoformat()) == [line]


def test_each_order_is_a_shipment_of_its_own_beside_those_told_before(store: Store) -> None:
    store.control("PUT", f"shipments/{store.crsa}", retailerASNList=[{"shipmentID": "told", "noticedAt": ORDERED}])
    for _ in range(2):
        _order(store, TWO_CASES)
    shipments = [line["shipmentID"] for line in _noticed(store, *DAY)]
    assert shipments[0] == "told"
    assert len(set(shipments)) == 3


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"lines": [TWO_CASES, TWO_CASES | {"SKU": "999999_1g___"}]}, "SKU 999999_1g___ is not in the catalogue"),
        ({"lines": [TWO_CASES | {"cases": 0}]}, "lines.0.cases"),
        ({"lines": [TWO_CASES | {"eachesPerCase": 1.5}]}, "lines.0.eachesPerCase"),
        ({"lines": [TWO_CASES | {"unitPrice": -1}]}, "lines.0.unitPrice"),
        ({"lines": []}, "lines"),
        ({"lines": [TWO_CASES], "orderedAt": "2026-03-09T10:00:00"}, "orderedAt"),
    ],
)
def test_a_wrong_order_is_refused_and_ships_nothing(store: Store, wrong: dict[str, Any], named: str) -> None:
    reply = store.http.post(f"/_control/orders/{store.crsa}", json=wrong)
    assert (reply.status_code, named in reply.json()["error"]) == (400, True)
    assert _noticed(store, "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z") == []
