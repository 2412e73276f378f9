"""A shipping notice's lines: ids that stay, eaches and their barcodes, costs, warnings, and what changed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from ocs.regulator import wire
from ocs.shipping.notice.compare import Known, Sighting, compare
from ocs.shipping.notice.lines import WARNINGS, NoticeLine, read_notice

STORE = UUID("6c0f4a86-6a0a-4b8e-8f5e-0c4f3e1f5a10")
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
TOLD: dict[str, Any] = {
    "shipmentID": "S00000001",
    "containerID": "C1",
    "SKU": "101955_3.5g___",
    "itemName": "Sample Flower",
    "unitPrice": 26.95,
    "vendor": "Northfield Growers Inc.",
    "brand": "Northfield",
    "caseGTIN": "10708762000692",
    "packagedOnDate": "2026-02-07",
    "batchLot": "L1",
    "gTINBarcode": "01107087620006921727020710L1",
    "eachGTIN": "00708762000695",
    "shippedQuantity": 48,
    "UOM": "EA",
    "UOMConversion": "24",
    "UOMConversionQuantity": 48,
}


def told(**changes: object) -> wire.ShippingNoticeLine:
    """Give a line in the regulator's words."""
    return wire.ShippingNoticeLine.model_validate(TOLD | changes)


def read(*lines: wire.ShippingNoticeLine) -> tuple[NoticeLine, ...]:
    """Read a notice of these lines."""
    return read_notice(STORE, lines).lines


def one(**changes: object) -> NoticeLine:
    """Read a notice of one line."""
    [line] = read(told(**changes))
    return line


def test_a_usual_line_has_nothing_odd() -> None:
    line = one()
    assert (line.quantity, line.unit_cost, line.each_gtin) == (Decimal(48), Decimal("26.95"), "00708762000695")
    assert (line.barcode_gtin, line.barcode_lot, str(line.barcode_expires_on)) == (line.case_gtin, "L1", "2027-02-07")
    assert line.warnings == ()


@pytest.mark.parametrize(
    ("changes", "warnings"),
    [
        ({"eachGTIN": ""}, ("each_from_case",)),
        ({"eachGTIN": "", "caseGTIN": "", "gTINBarcode": ""}, ("each_unknown",)),
        ({"eachGTIN": "", "caseGTIN": "10708762000693", "gTINBarcode": ""}, ("each_unknown",)),
        ({"shippedQuantity": 1.5}, ("quantity_odd",)),
        ({"shippedQuantity": -1}, ("quantity_odd",)),
        ({"shippedQuantity": 10**30}, ("quantity_odd",)),
        ({"SKU": ""}, ("sku_missing",)),
        ({"UOM": "CASE"}, ("price_taken_per_each",)),
        ({"unitPrice": None}, ("price_missing",)),
        ({"unitPrice": -1}, ("price_missing",)),
        ({"gTINBarcode": "see label"}, ("barcode_unread",)),
        ({"gTINBarcode": "00628582000524"}, ("barcode_other_item",)),
        ({"gTINBarcode": "011070876200069210OTHER"}, ("barcode_other_lot",)),
    ],
    ids=str,
)
def test_what_is_odd_is_marked_and_explained(changes: dict[str, object], warnings: tuple[str, ...]) -> None:
    assert one(**changes).warnings == warnings
    assert set(warnings) <= WARNINGS.keys()


def test_the_each_is_worked_out_from_the_case() -> None:
    assert one(eachGTIN="", caseGTIN="10628582000521", gTINBarcode="").each_gtin == "00628582000524"


def test_a_label_of_the_each_is_as_good_as_one_of_the_case() -> None:
    assert one(gTINBarcode="00708762000695").warnings == ()


def test_a_price_of_a_case_is_taken_for_one_eachs_and_says_so() -> None:
    """Nobody has told of what the price is: the reading is one, everywhere, and marked."""
    line = one(UOM="CASE", unitPrice="9.95")
    assert (line.unit_cost, line.warnings) == (Decimal("9.95"), ("price_taken_per_each",))


@pytest.mark.parametrize("word", ["containerID", "SKU", "batchLot", "caseGTIN", "packagedOnDate", "shipmentID"])
def test_what_identifies_a_line_makes_its_id(word: str) -> None:
    assert one(**{word: "2026-01-01"}).line_id != one().line_id


@pytest.mark.parametrize("changes", [{"shippedQuantity": 24}, {"unitPrice": 1}, {"itemName": "x"}, {"eachGTIN": ""}])
def test_what_a_line_says_does_not_change_its_id(changes: dict[str, object]) -> None:
    assert one(**changes).line_id == one().line_id


def test_another_store_has_other_ids() -> None:
    [other] = read_notice(UUID(int=1), [told()]).lines
    assert other.line_id != one().line_id


def test_a_time_of_day_behind_the_date_makes_no_other_line() -> None:
    assert one(packagedOnDate="2026-02-07T00:00:00").line_id == one().line_id


@given(st.permutations([12, 24, 24, 36]))
def test_lines_that_look_alike_keep_their_ids_in_any_order(quantities: list[int]) -> None:
    """OCS promises no order: a shuffled reply is the same notice."""
    shuffled = read(*(told(shippedQuantity=quantity) for quantity in quantities))
    sorted_ = read(*(told(shippedQuantity=quantity) for quantity in sorted(quantities)))
    assert set(shuffled) == set(sorted_)
    assert len({line.line_id for line in shuffled}) == 4


def test_a_line_without_a_usable_shipment_number_is_counted_not_kept() -> None:
    notice = read_notice(STORE, [told(shipmentID=""), told(shipmentID="S" * 101), told()])
    assert (len(notice.lines), notice.left_out) == (1, 2)


def test_a_nul_never_reaches_the_database() -> None:
    line = one(itemName="a\x00b", shipmentID="S1\x00")
    assert (line.item_name, line.shipment_id) == ("ab", "S1")


def _known(*lines: NoticeLine, in_notice: bool = True) -> dict[UUID, Known]:
    return {line.line_id: Known(line, in_notice) for line in lines}


def test_the_same_notice_again_changes_nothing() -> None:
    assert compare(_known(one()), [one(shippedQuantity="48.0")], whole=True) == []


def test_a_change_tells_what_was_and_what_is() -> None:
    [change] = compare(_known(one()), [one(shippedQuantity=36)], whole=True)
    assert (change.kind, change.before, change.after) == ("changed", {"quantity": "48"}, {"quantity": "36"})


def test_a_new_line_is_added() -> None:
    assert [change.kind for change in compare(_known(), [one()], whole=False)] == ["added"]


def test_a_line_is_gone_only_where_the_whole_notice_was_seen() -> None:
    """A window may cut a notice: what it does not show is not gone for that."""
    known = _known(one(), one(SKU="other"))
    assert compare(known, [one()], whole=False) == []
    [change] = compare(known, [one()], whole=True)
    assert (change.kind, change.line.ocs_sku) == ("gone", "other")


def test_a_line_that_is_gone_is_gone_once_and_can_come_back() -> None:
    known = _known(one(), in_notice=False)
    assert compare(known, [], whole=True) == []
    assert [change.kind for change in compare(known, [one()], whole=True)] == ["back"]


def test_a_window_shows_all_of_a_notice_only_when_it_reaches_around_it() -> None:
    seen = Sighting(noticed_after=NOON, seen_to=NOON + timedelta(days=3))
    around = (NOON - timedelta(days=2), NOON + timedelta(days=3))
    assert seen.is_whole(*around)
    assert not seen.is_whole(NOON - timedelta(hours=1), around[1])
    assert not seen.is_whole(around[0], NOON + timedelta(days=2))


def test_a_line_reads_back_from_its_row() -> None:
    line = one(UOM="CASE")
    row = {name: getattr(line, name) for name in NoticeLine.__dataclass_fields__}
    assert NoticeLine.from_row(row | {"warnings": list(line.warnings), "tenant_id": STORE}) == line
    assert replace(line, quantity=Decimal(1)) != line
