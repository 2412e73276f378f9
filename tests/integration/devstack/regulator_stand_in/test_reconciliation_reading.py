"""How the checks read the ledger: signs, times, barcodes, the first position as the anchor, transfers on their way."""

import pytest

from tests.integration.devstack.regulator_stand_in.retailer import UPC, Retailer, line
from tests.integration.devstack.regulator_stand_in.store import position_line

DIRECTIONS = {
    "PURCHASE": -2,
    "RECEIVING": 2,
    "RETURN": 2,
    "DESTRUCTION": -2,
    "LOSS": -2,
    "SUPPLIER_RETURN": -2,
    "TRANSFER_OUT": -2,
    "TRANSFER_IN": 2,
}


@pytest.mark.parametrize(("kind", "change"), DIRECTIONS.items())
@pytest.mark.parametrize("sign", ["", "-"])
def test_the_type_decides_on_the_direction_whatever_the_sign(
    retailer: Retailer, kind: str, change: int, sign: str
) -> None:
    party = retailer.other.crsa if "TRANSFER" in kind else ""
    retailer.hold(2)
    retailer.report(line(3, kind, f"{sign}2", counterPartyCRSA=party))
    retailer.hold(3, str(10 + change))
    assert "POSITION_MISMATCH" not in retailer.open_codes()


@pytest.mark.parametrize("change", [2, -2])
def test_an_adjustment_counts_as_signed(retailer: Retailer, change: int) -> None:
    retailer.hold(2)
    retailer.report(line(3, "ADJUSTMENT", str(change)))
    retailer.hold(3, str(10 + change))
    assert retailer.open_codes() == []


@pytest.mark.parametrize("barcode", [UPC, UPC[1:], UPC[2:], "10708762000692", "30708762000696"])
def test_a_barcode_counts_padded_and_as_that_of_its_each(retailer: Retailer, barcode: str) -> None:
    retailer.hold(2)
    retailer.report(line(3, upcAndBarcode=barcode))
    retailer.hold(3, "9")
    assert retailer.open_codes() == []


@pytest.mark.parametrize("barcode", ["", "00708762000696", "10708762000693"])
def test_no_barcode_and_one_with_a_wrong_check_digit_are_unknown(retailer: Retailer, barcode: str) -> None:
    retailer.hold(2)
    retailer.report(line(3, upcAndBarcode=barcode))
    [found] = retailer.reconcile(4)["open"]
    assert found["message"] == f"UPC Barcode [{barcode}] could not be matched."


def test_neither_known_is_one_finding_for_the_pair(retailer: Retailer) -> None:
    retailer.report(line(3, "RECEIVING", ocsSku="999999_1g___", upcAndBarcode="00628583999997"))
    assert retailer.open_codes() == ["SKU_UPC_UNMATCHED"]


def test_the_process_on_date_is_when_a_line_counts(retailer: Retailer) -> None:
    """A sale keyed on the fourth for the third belongs into the position of the third."""
    retailer.store.control("PUT", "extra-fields", fields=["clerk", "processOnDate"], crsa=retailer.store.crsa)
    retailer.hold(2)
    retailer.hold(3, "9")
    late = line(4)
    retailer.report(late)
    assert retailer.open_codes() == ["POSITION_MISMATCH"]
    retailer.report(late | {"clerk": "Robin", "processOnDate": "2026-03-03"})
    assert retailer.open_codes() == []


def test_what_happened_before_the_first_position_no_longer_counts(retailer: Retailer) -> None:
    """The position of the same instant as a line is after it."""
    retailer.report(line(1, quantity="50"), line(2, posTransactionTimeStamp="2026-03-02T23:59:59-04:00"))
    assert retailer.open_codes() == ["NEGATIVE_INVENTORY"]
    retailer.hold(2)
    retailer.hold(3)
    assert retailer.open_codes() == []


def test_an_item_that_a_position_leaves_out_is_none_on_hand(retailer: Retailer) -> None:
    """At the first position too; and what is then there again is a difference."""
    retailer.hold(1, None)
    retailer.report(line(2, "RECEIVING", "10"))
    retailer.hold(2, "10")
    retailer.report(line(3, quantity="10"))
    retailer.hold(3, None)
    assert retailer.open_codes() == []
    retailer.hold(4, "1")
    [found] = retailer.reconcile(5)["open"]
    assert (found["code"], found["date"], found["message"][-13:]) == (
        "POSITION_MISMATCH",
        "2026-03-04",
        "expected [0].",
    )


def test_of_an_item_the_first_position_that_differs_is_found(retailer: Retailer) -> None:
    for day, quantity in enumerate(("10", "9", "8"), 2):
        retailer.hold(day, quantity)
    [found] = retailer.reconcile(5)["open"]
    assert found["date"] == "2026-03-03"


def test_lines_of_a_position_for_one_item_add_up(retailer: Retailer) -> None:
    retailer.hold(2)
    lines = [
        position_line(inventoryQuantityOnHand="4"),
        position_line(inventoryQuantityOnHand="6", upcAndBarcode=UPC[2:]),
    ]
    retailer.store.report_position(*lines, at="2026-03-03T23:59:59-04:00")
    assert retailer.open_codes() == []


def test_negative_starts_on_the_first_day_below_zero(retailer: Retailer) -> None:
    """Also where a later receipt brings it up again; lines of one instant count together."""
    retailer.report(line(2, quantity="1"), line(2, "RECEIVING", "1"))
    assert retailer.open_codes() == []
    below = line(3, quantity="2")
    retailer.report(below, line(4, quantity="1"), line(5, "RECEIVING", "9"))
    [found] = retailer.reconcile(6)["open"]
    assert (found["code"], found["date"]) == ("NEGATIVE_INVENTORY", "2026-03-03")
    assert found["line_ids"] == [below["posTransactionLineId"]]


def test_a_first_position_below_zero_is_negative_inventory(retailer: Retailer) -> None:
    retailer.hold(2, "-1")
    [found] = retailer.reconcile(3)["open"]
    assert (found["code"], found["date"], found["line_ids"]) == ("NEGATIVE_INVENTORY", "2026-03-02", [])


def test_an_imbalance_starts_when_it_began_to_stay(retailer: Retailer) -> None:
    """A transfer that travelled over night is balanced; one that got lost a week later is not."""
    retailer.hold(1)
    to, of = {"counterPartyCRSA": retailer.other.crsa}, {"counterPartyCRSA": retailer.store.crsa}
    retailer.report(line(2, "TRANSFER_OUT", "5", **to))
    retailer.report(line(3, "TRANSFER_IN", "5", **of), at=retailer.other)
    assert retailer.open_codes() == []
    retailer.report(line(9, "TRANSFER_OUT", "2", **to))
    assert {found["date"] for found in retailer.reconcile(10)["open"]} == {"2026-03-09"}


def test_a_transfer_without_a_counterparty_is_outside_of_the_crol(retailer: Retailer) -> None:
    retailer.hold(1)
    retailer.report(line(2, "TRANSFER_OUT"))
    assert retailer.open_codes() == ["TRANSFER_OUT_OUTSIDE_CROL"]
