"""The ten checks: each is provoked, corrected with the same line id, and reported as resolved the next day."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.devstack.regulator_stand_in.retailer import SKU, UPC, Retailer, line

UNKNOWN_UPC = "00628583999997"
OTHER_UPC = "00628582001002"
STRANGER = "CRSA9999999"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line of the store that provokes a finding, and what makes it right; `{other}` stands for the other store."""

    code: str
    message: str
    line: dict[str, str]
    right: dict[str, str]
    at_other: dict[str, str] | None = None


WRONGS = [
    Wrong("SKU_UNMATCHED", "SKU [999999_1g___] could not be matched.", {"ocsSku": "999999_1g___"}, {"ocsSku": SKU}),
    Wrong(
        "UPC_UNMATCHED",
        f"UPC Barcode [{UNKNOWN_UPC}] could not be matched.",
        {"upcAndBarcode": UNKNOWN_UPC},
        {"upcAndBarcode": UPC},
    ),
    Wrong(
        "SKU_UPC_UNMATCHED",
        f"SKU [{SKU}] and UPC Barcode [{OTHER_UPC}] could not be matched.",
        {"upcAndBarcode": OTHER_UPC},
        {"upcAndBarcode": UPC},
    ),
    Wrong(
        "NEGATIVE_INVENTORY",
        f"Observed negative inventory for SKU [{SKU}] starting on [2026-03-03].",
        {"inventoryQuantityChange": "11"},
        {"inventoryQuantityChange": "1"},
    ),
    Wrong(
        "TRANSFER_UNBALANCED_SENDER",
        f"Observed transfer imbalance for SKU [{SKU}] starting on [2026-03-03] sent to CRSA [{{other}}]",
        {"inventoryEventType": "TRANSFER_OUT", "inventoryQuantityChange": "3", "counterPartyCRSA": "{other}"},
        {"inventoryQuantityChange": "2"},
        {"inventoryEventType": "TRANSFER_IN", "counterPartyCRSA": "{store}"},
    ),
    Wrong(
        "TRANSFER_UNBALANCED_RECEIVER",
        f"Observed transfer imbalance for SKU [{SKU}] starting on [2026-03-03] received from CRSA [{{other}}]",
        {"inventoryEventType": "TRANSFER_IN", "inventoryQuantityChange": "3", "counterPartyCRSA": "{other}"},
        {"inventoryQuantityChange": "2"},
        {"inventoryEventType": "TRANSFER_OUT", "counterPartyCRSA": "{store}"},
    ),
    Wrong(
        "TRANSFER_TO_SELF",
        f"Observed transfer for SKU [{SKU}] starting on [2026-03-03] with the same CRSA [{{store}}].",
        {"inventoryEventType": "TRANSFER_OUT", "inventoryQuantityChange": "2", "counterPartyCRSA": "{store}"},
        {"counterPartyCRSA": "{other}"},
        {"inventoryEventType": "TRANSFER_IN", "counterPartyCRSA": "{store}"},
    ),
    Wrong(
        "TRANSFER_IN_OUTSIDE_CROL",
        f"Observed transfer for SKU [{SKU}] starting on [2026-03-03] received from CRSA [{STRANGER}] "
        "outside of the CROL.",
        {"inventoryEventType": "TRANSFER_IN", "inventoryQuantityChange": "2", "counterPartyCRSA": STRANGER},
        {"counterPartyCRSA": "{other}"},
        {"inventoryEventType": "TRANSFER_OUT", "counterPartyCRSA": "{store}"},
    ),
    Wrong(
        "TRANSFER_OUT_OUTSIDE_CROL",
        f"Observed transfer for SKU [{SKU}] starting on [2026-03-03] sent to CRSA [{STRANGER}] outside of the CROL.",
        {"inventoryEventType": "TRANSFER_OUT", "inventoryQuantityChange": "2", "counterPartyCRSA": STRANGER},
        {"counterPartyCRSA": "{other}"},
        {"inventoryEventType": "TRANSFER_IN", "counterPartyCRSA": "{store}"},
    ),
]


def _named(retailer: Retailer) -> Callable[[str], str]:
    return lambda text: text.replace("{store}", retailer.store.crsa).replace("{other}", retailer.other.crsa)


def _day_after_day(retailer: Retailer, code: str, lines: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    """Report the wrong line, reconcile, report the right one, reconcile; give the finding as it was open."""
    wrong, right = lines
    retailer.report(wrong)
    [found] = [n for n in retailer.reconcile(4)["open"] if (n["code"], n["crsa"]) == (code, retailer.store.crsa)]
    retailer.report(right)
    after = retailer.reconcile(5)
    assert after["open"] == []
    [resolved] = [n for n in after["resolved"] if (n["code"], n["crsa"]) == (code, retailer.store.crsa)]
    assert resolved == found | {"resolved_at": "2026-03-05T06:00:00-04:00"}
    assert resolved in retailer.store.control("GET", f"findings?crsa={retailer.store.crsa}")
    return found


@pytest.mark.parametrize("wrong", WRONGS, ids=lambda wrong: wrong.code)
def test_a_wrong_line_is_found_and_its_correction_resolves_it(retailer: Retailer, wrong: Wrong) -> None:
    named = _named(retailer)
    retailer.hold(2)
    retailer.hold(2, at=retailer.other)
    if wrong.at_other:
        retailer.report(
            line(3, quantity="2", **{field: named(value) for field, value in wrong.at_other.items()}),
            at=retailer.other,
        )
    first = line(3, **{field: named(value) for field, value in wrong.line.items()})
    corrected = first | {field: named(value) for field, value in wrong.right.items()}
    found = _day_after_day(retailer, wrong.code, (first, corrected))
    assert found["message"] == named(wrong.message)
    assert found["line_ids"] == [first["posTransactionLineId"]]
    assert (found["sku"], found["date"]) == (first["ocsSku"], "2026-03-03")
    assert (found["first_seen"], found["resolved_at"]) == ("2026-03-04T06:00:00-04:00", None)
    assert found["counterparty"] == (first["counterPartyCRSA"] or None)


def test_a_position_that_the_events_do_not_make_is_found_and_resolved(retailer: Retailer) -> None:
    retailer.hold(2)
    retailer.hold(3, "8")
    wrong = line(3, quantity="3")
    found = _day_after_day(retailer, "POSITION_MISMATCH", (wrong, wrong | {"inventoryQuantityChange": "2"}))
    words = f"Reported on hand [8] of SKU [{SKU}] and UPC Barcode [{UPC}] on [2026-03-03], expected [7]."
    assert found["message"] == words
    assert (found["sku"], found["upc"], found["date"]) == (SKU, UPC, "2026-03-03")
    assert found["line_ids"] == [wrong["posTransactionLineId"]]


def test_a_position_itself_can_be_corrected(retailer: Retailer) -> None:
    retailer.hold(2)
    retailer.hold(3, "9")
    assert retailer.open_codes() == ["POSITION_MISMATCH"]
    retailer.hold(3, "10")
    assert retailer.open_codes() == []


def test_an_imbalance_is_told_to_both_stores(retailer: Retailer) -> None:
    """The one that reported nothing has no line to look at."""
    retailer.hold(2)
    sent = line(3, "TRANSFER_OUT", counterPartyCRSA=retailer.other.crsa)
    retailer.report(sent)
    told = {(n["code"], n["crsa"], n["counterparty"]): n["line_ids"] for n in retailer.reconcile(4)["open"]}
    ends = retailer.store.crsa, retailer.other.crsa
    assert told == {
        ("TRANSFER_UNBALANCED_SENDER", *ends): [sent["posTransactionLineId"]],
        ("TRANSFER_UNBALANCED_RECEIVER", *ends[::-1]): [],
    }


def test_a_finding_that_comes_back_is_a_new_one(retailer: Retailer) -> None:
    retailer.hold(2)
    good = line(3)
    bad = good | {"inventoryQuantityChange": "11"}
    for day, each in enumerate((bad, good, bad), 4):
        retailer.report(each)
        retailer.reconcile(day)
    listing = retailer.store.control("GET", f"findings?crsa={retailer.store.crsa}")
    days = [(n["first_seen"][:10], n["resolved_at"] and n["resolved_at"][:10]) for n in listing]
    assert days == [("2026-03-04", "2026-03-05"), ("2026-03-06", None)]


def test_a_finding_that_stays_keeps_the_day_on_which_it_was_first_seen(retailer: Retailer) -> None:
    retailer.hold(2)
    retailer.report(line(3, upcAndBarcode=UNKNOWN_UPC))
    retailer.reconcile(4)
    retailer.report(line(4, upcAndBarcode=UNKNOWN_UPC))
    [still] = retailer.reconcile(5)["open"]
    assert (still["first_seen"], len(still["line_ids"])) == ("2026-03-04T06:00:00-04:00", 2)
