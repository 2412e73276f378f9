"""Barcodes: check digits, padding to 14, and the each inside a case."""

import pytest
from hypothesis import given, strategies as st

from ocs.catalogue.gtin import check_digit, each_of, has_right_check_digit, is_barcode, is_case, padded

bodies = st.text("0123456789", min_size=11, max_size=13)


@pytest.mark.parametrize(
    "gtin", ["00708762000695", "10628582000521", "00628582000524", "708762000695", "4006381333931"]
)
def test_real_barcodes_have_their_right_check_digit(gtin: str) -> None:
    assert has_right_check_digit(gtin)


def test_the_each_of_a_case_has_its_own_check_digit() -> None:
    assert each_of("10628582000521") == "00628582000524"
    assert each_of("00628582000524") == "00628582000524"
    assert each_of("628582000524") == "00628582000524"


@given(bodies)
def test_one_wrong_digit_is_always_found(body: str) -> None:
    """GS1: a single wrong digit never passes."""
    gtin = body + check_digit(body)
    assert has_right_check_digit(gtin)
    for place, digit in enumerate(gtin):
        other = gtin[:place] + str((int(digit) + 1) % 10) + gtin[place + 1 :]
        assert not has_right_check_digit(other)


@given(bodies, st.sampled_from("12345678"))
def test_every_case_of_an_each_leads_back_to_it(body: str, indicator: str) -> None:
    rest = body.zfill(13)[1:]
    each = "0" + rest + check_digit("0" + rest)
    case = indicator + rest + check_digit(indicator + rest)
    assert (each_of(case), is_case(case), is_case(each)) == (each, True, False)
    assert each_of(each_of(case)) == each


@given(bodies)
def test_padding_changes_nothing_that_counts(body: str) -> None:
    gtin = body + check_digit(body)
    assert (len(padded(gtin)), padded(padded(gtin)), has_right_check_digit(padded(gtin))) == (14, padded(gtin), True)


@pytest.mark.parametrize("text", ["", "12345678901", "123456789012345", "12345678901a", "١٢٣٤٥٦٧٨٩٠١٢", "1E+13"])
def test_what_is_no_barcode_stays_as_it_is(text: str) -> None:
    assert (is_barcode(text), padded(text), is_case(text)) == (False, text, False)
