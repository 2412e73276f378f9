"""GTINs: check digits, cases and eaches, the form in which they are compared, and the label."""

from datetime import date

import pytest
from hypothesis import given, strategies as st

from devstack.regulator.wholesale.barcodes import comparable, is_gtin, label, packed_as

EACH, CASE = "00628582000524", "10628582000521"
BODIES = st.from_regex(r"[0-9]{12}", fullmatch=True)


def test_case_and_each_are_made_of_one_another() -> None:
    """The pair of the documents."""
    assert (packed_as(CASE, 0), packed_as(EACH, 1)) == (EACH, CASE)


@given(body=BODIES, indicator=st.integers(1, 8))
def test_a_case_compares_as_its_each(body: str, indicator: int) -> None:
    each = packed_as(f"0{body}0", 0)
    case = packed_as(each, indicator)
    assert is_gtin(case)
    assert comparable(case) == comparable(each) == each


@given(body=BODIES, indicator=st.integers(0, 9), off=st.integers(1, 9))
def test_a_wrong_check_digit_is_seen_and_left_alone(body: str, indicator: int, off: int) -> None:
    good = packed_as(f"0{body}0", indicator)
    wrong = good[:-1] + str((int(good[-1]) + off) % 10)
    assert not is_gtin(wrong)
    assert comparable(wrong) == wrong


@given(body=BODIES)
def test_leading_zeros_do_not_count(body: str) -> None:
    each = packed_as(f"0{body}0", 0)
    assert comparable(each[1:]) == each


@pytest.mark.parametrize("barcode", ["", "0", "00708762", "x0708762000695", "007087620006950", "\u06600708762000695"])
def test_what_is_no_barcode_is_no_gtin(barcode: str) -> None:
    assert not is_gtin(barcode)


def test_a_variable_measure_is_no_case() -> None:
    """Indicator 9 says that the weight stands elsewhere."""
    variable = packed_as(EACH, 9)
    assert comparable(variable) == variable


def test_a_label_is_a_row_of_application_identifiers() -> None:
    assert label(CASE, date(2027, 2, 7), "L1") == f"01{CASE}17270207" + "10L1"
