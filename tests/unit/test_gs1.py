"""The GS1 barcode of a case: what is in it is read, and what cannot be read is told, never raised."""

import string
from datetime import date

import pytest
from hypothesis import given, strategies as st

from ocs.catalogue.gtin import check_digit
from ocs.shipping.notice.gs1 import Barcode, read_barcode

CASE, EACH, LOT = "10708762000692", "00708762000695", "L00000101"
EXPIRES = date(2027, 2, 7)
WHOLE = Barcode(CASE, EXPIRES, LOT)
FNC1 = "\x1d"
LOT_CHARACTERS = string.ascii_letters + string.digits + "!\"%&'*+,-./:;<=>?_"
"""What GS1 allows in a lot, without the parentheses: in the written form they would look like an AI."""


@pytest.mark.parametrize(
    "text",
    [
        f"01{CASE}1727020710{LOT}",
        f"]C101{CASE}1727020710{LOT}",
        f"01{CASE}10{LOT}{FNC1}17270207",
        f"01{CASE}10{LOT}<GS>17270207",
        f"(01){CASE}(17)270207(10){LOT}",
        f"(01) {CASE} (10) {LOT} (17) 270207",
        f"10{LOT}{FNC1}01{CASE}17270207",
    ],
    ids=["plain", "as scanned", "separated", "separator written out", "parentheses", "with spaces", "other order"],
)
def test_the_same_label_in_any_writing_reads_the_same(text: str) -> None:
    assert read_barcode(text) == WHOLE


def test_a_lot_without_its_separator_ends_where_the_notice_says() -> None:
    """A label that lost its separators is still read when the notice names the lot."""
    assert read_barcode(f"01{CASE}10{LOT}17270207", batch_lot=LOT) == WHOLE


def test_a_bare_gtin_is_a_gtin() -> None:
    assert read_barcode(CASE) == Barcode(CASE)
    assert read_barcode("708762000695") == Barcode(EACH)


def test_no_barcode_is_nothing_to_read() -> None:
    assert read_barcode("") == read_barcode("   ") == Barcode()


@pytest.mark.parametrize(
    "text",
    ["see label", "01123", f"(01){CASE}(10)A(B", f"01{CASE}17271345", "(01)", "é" * 400],
)
def test_what_cannot_be_read_is_told_in_a_note(text: str) -> None:
    found = read_barcode(text)
    assert found.note
    assert len(found.note) <= 300


def test_a_wrong_check_digit_is_told_and_the_rest_is_read() -> None:
    found = read_barcode("01107087620006931727020710A1")
    assert (found.gtin, found.expires_on, found.lot) == ("10708762000693", EXPIRES, "A1")
    assert "check digit" in found.note


def test_a_label_without_a_gtin_is_told() -> None:
    assert "no GTIN" in read_barcode("1727020710A1").note


@given(
    st.text(string.digits, min_size=13, max_size=13),
    st.dates(date(2020, 1, 1), date(2049, 12, 31)),
    st.text(LOT_CHARACTERS, min_size=1, max_size=20),
    st.sampled_from(["plain", "parentheses", "lot in the middle"]),
)
def test_what_was_built_is_what_is_read(body: str, expires: date, lot: str, form: str) -> None:
    """Any GTIN, date and lot that a label can carry comes back as it was put in."""
    gtin = body + check_digit(body)
    day = expires.strftime("%y%m%d")
    text = {
        "plain": f"01{gtin}17{day}10{lot}",
        "parentheses": f"(01){gtin}(17){day}(10){lot}",
        "lot in the middle": f"01{gtin}10{lot}{FNC1}17{day}",
    }[form]
    assert read_barcode(text) == Barcode(gtin, expires, lot)


@given(st.text(max_size=60), st.text(max_size=30))
def test_no_text_breaks_it(text: str, batch_lot: str) -> None:
    """Whatever a notice has in that field, there is an answer: something read, or a note."""
    found = read_barcode(text, batch_lot)
    assert found.gtin or found.note or found == Barcode()
