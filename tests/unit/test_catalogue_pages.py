"""A page of the item catalogue as it is read: our own words, every barcode, and nothing that Postgres cannot keep."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st
from pydantic import JsonValue

from ocs.catalogue.items import searchable
from ocs.catalogue.pages import Listed, Page, read_page
from ocs.regulator.wire import CataloguePage

SKU, EACH, CASE = "101955_3.5g___", "00628582000524", "10628582000521"
OTHER = "00708762000695"


def page(*lines: dict[str, Any]) -> Page:
    """Read a page with these lines, as the platform's JSON."""
    return read_page(CataloguePage.model_validate_json(json.dumps({"itemList": lines})))


def listed(**line: Any) -> Listed:
    """Read a page of one line."""
    return page({"SKU": SKU} | line).items[SKU]


@pytest.mark.parametrize(
    ("item_barcode", "gtin", "barcodes", "of_each"),
    [
        (EACH, EACH, {EACH: "item"}, EACH),
        (EACH, CASE, {EACH: "item", CASE: "case"}, EACH),
        ("", CASE, {CASE: "case", EACH: "each"}, EACH),
        (CASE, CASE, {CASE: "case", EACH: "each"}, EACH),
        (CASE, "", {CASE: "case", EACH: "each"}, EACH),
        (OTHER, CASE, {OTHER: "item", CASE: "case", EACH: "each"}, OTHER),
        ("628582000524", "", {EACH: "item"}, EACH),
        ("n/a", "see box", {}, ""),
    ],
)
def test_every_barcode_is_kept_with_what_it_stands_on(
    item_barcode: str, gtin: str, barcodes: dict[str, str], of_each: str
) -> None:
    """10628582000521 is a case of 00628582000524 (domain.md)."""
    item = listed(itemBarcode=item_barcode, GTIN=gtin)
    assert (item.barcodes, item.barcode) == (barcodes, of_each)


def test_an_sku_twice_on_a_page_is_what_its_first_line_says_with_the_barcodes_of_both() -> None:
    twice = page({"SKU": SKU, "productName": "A", "GTIN": EACH}, {"SKU": SKU, "productName": "B", "GTIN": OTHER})
    assert (twice.lines, list(twice.items)) == (2, [SKU])
    assert (twice.items[SKU].content["name"], set(twice.items[SKU].barcodes)) == ("A", {EACH, OTHER})


def test_a_page_is_known_again_by_its_skus_in_any_order() -> None:
    one, other = {"SKU": "a", "packSize": 1}, {"SKU": "b"}
    assert page(one, other).digest == page(other, {"SKU": "a", "packSize": 2}).digest
    assert page(one).digest != page(other).digest


@pytest.mark.parametrize("sku", ["", "  ", "\x00", "x" * 101])
def test_a_line_without_a_usable_sku_is_counted_and_left_out(sku: str) -> None:
    read = page({"SKU": sku}, {"SKU": SKU})
    assert (read.lines, read.unusable, list(read.items)) == (2, 1, [SKU])


def test_fields_that_are_new_there_are_kept() -> None:
    assert listed(isOrganic=True, terpenes=["a", None]).content["more"] == {"isOrganic": True, "terpenes": ["a", None]}


def test_what_is_no_number_is_not_kept_as_one() -> None:
    """JSON knows no NaN, yet servers send it; Postgres would refuse the whole page for it."""
    line = {"packSize": math.nan, "minTHCPercent": -math.inf, "odd": [math.inf, {"a": math.nan}]}
    item = listed(**line)
    assert (item.content["pack_size"], item.content["thc_percent"]) == (None, [None, None])
    assert item.content["more"] == {"odd": [None, {"a": None}]}


texts = st.text(st.characters(codec="utf-8", exclude_characters="\\"))  # else an escaped NUL might be no NUL
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(texts, values, max_size=4))
def test_whatever_is_in_a_line_can_be_kept(more: dict[str, JsonValue]) -> None:
    """Strict JSON, and no NUL in it: that is what a jsonb column takes."""
    kept = json.dumps(listed(unknown=more).content, allow_nan=False)
    assert "\\u0000" not in kept


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("San Rafaël '71", "san rafael 71"),
        ("101955_3.5g___", "101955 3 5g"),
        ("5x0.3g · Pre-Rolls®", "5x0 3g pre rolls"),
        ("  ", ""),
        ("Straße", "strasse"),
    ],
)
def test_texts_are_searched_without_accents_signs_and_capitals(text: str, found: str) -> None:
    assert searchable(text) == found


@given(st.text())
def test_what_is_searched_has_no_operators_in_it(text: str) -> None:
    assert all(one.isalnum() or one == " " for one in searchable(text))
