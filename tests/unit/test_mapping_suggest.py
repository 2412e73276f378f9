"""What a POS SKU may be: by barcode before number before name, with the reason in words."""

import pytest
from hypothesis import given, strategies as st

from ocs.catalogue.items import NamedItem
from ocs.mapping.suggest import Asked, KnownItems, Suggestion, suggest

EACH, CASE = "00628582000524", "10628582000521"
PINK = NamedItem("101955_3.5g___", EACH, "Pink Kush", "San Rafael '71", "3.5g")
LARGE = NamedItem("101955_28g___", "00708762000695", "Pink Kush", "San Rafael '71", "28g")
OIL = NamedItem("202020_30mL___", "00628582000531", "THC Oil Décontracté", "Solei", "30 mL")
CATALOGUE = [PINK, LARGE, OIL]


def suggested(
    pos_sku: str = "OUR-1", *upcs: str, name: str = "", of_barcodes: dict[str, list[NamedItem]] | None = None
) -> list[Suggestion]:
    """Ask the small catalogue."""
    barcodes = {item.barcode: [item] for item in CATALOGUE} if of_barcodes is None else of_barcodes
    return suggest(KnownItems(CATALOGUE, barcodes), Asked(pos_sku, upcs, name))


@pytest.mark.parametrize("spelling", [EACH, EACH[1:], EACH[2:]])
def test_the_barcode_decides_in_any_length_and_is_kept_as_the_pos_has_it(spelling: str) -> None:
    assert suggested("OUR-1", spelling)[0] == Suggestion(PINK.ocs_sku, spelling, PINK.title, 100, "it has this barcode")


def test_a_cases_barcode_leads_to_the_each_in_it() -> None:
    """10628582000521 is a case of 00628582000524 (domain.md), and the catalogue here has the each's only."""
    first = suggested("OUR-1", CASE)[0]
    assert (first.ocs_sku, first.upc, first.score) == (PINK.ocs_sku, EACH, 95)
    assert EACH in first.why


def test_a_cases_barcode_that_the_catalogue_has_suggests_the_each_all_the_same() -> None:
    first = suggested("OUR-1", CASE, of_barcodes={CASE: [PINK]})[0]
    assert (first.ocs_sku, first.upc, first.score) == (PINK.ocs_sku, EACH, 100)


def test_two_items_with_one_barcode_are_both_suggested() -> None:
    found = suggested("OUR-1", EACH, of_barcodes={EACH: [PINK, LARGE]})
    assert {one.ocs_sku for one in found if one.score == 100} == {PINK.ocs_sku, LARGE.ocs_sku}


def test_all_barcodes_that_came_along_are_tried() -> None:
    found = suggested("OUR-1", EACH, OIL.barcode)
    assert {one.ocs_sku: one.upc for one in found} == {PINK.ocs_sku: EACH, OIL.ocs_sku: OIL.barcode}


def test_an_ocs_sku_as_pos_sku_is_that_item() -> None:
    first = suggested("202020_30mL___")[0]
    assert (first.ocs_sku, first.upc, first.score) == (OIL.ocs_sku, OIL.barcode, 90)


def test_an_item_number_as_pos_sku_is_every_size_of_it() -> None:
    assert [(one.ocs_sku, one.score) for one in suggested("101955")] == [(LARGE.ocs_sku, 80), (PINK.ocs_sku, 80)]
    assert [one.ocs_sku for one in suggested("101955_9g___") if one.score >= 80] == []


def test_names_are_compared_by_their_words_and_the_size_tells_products_apart() -> None:
    found = suggested(name="pink kush SAN RAFAEL 3.5G")
    assert [one.ocs_sku for one in found] == [PINK.ocs_sku, LARGE.ocs_sku]
    assert found[0].score > found[1].score
    assert found[0].why.startswith("the name is ")


def test_accents_and_signs_make_no_difference_to_a_name() -> None:
    assert suggested(name="Solei THC-Oil decontracte 30ml")[0].ocs_sku == OIL.ocs_sku


def test_a_name_is_never_as_sure_as_a_number() -> None:
    assert suggested(name=PINK.title)[0].score < 80


def test_a_pos_sku_that_is_a_name_is_read_as_one() -> None:
    first = suggested("PINK-KUSH-SAN-RAFAEL-3.5G")[0]
    assert (first.ocs_sku, first.why[:12]) == (PINK.ocs_sku, "the POS SKU ")


@pytest.mark.parametrize("asked", [Asked("OUR-1"), Asked("---"), Asked("OUR-1", ("abc", "1")), Asked("X", (), "!!")])
def test_nothing_alike_is_no_suggestion(asked: Asked) -> None:
    assert suggest(KnownItems(CATALOGUE, {}), asked) == []
    assert suggest(KnownItems([], {}), asked) == []


def test_five_at_most_and_each_item_once() -> None:
    many = [NamedItem(f"30000{n}_1g___", f"0062858200{n}000", "Blue Dream", "Redecan", "1g") for n in range(9)]
    found = suggest(
        KnownItems(many, {many[8].barcode: [many[8]]}), Asked("300008_1g___", (many[8].barcode,), "blue dream")
    )
    assert (len(found), found[0].ocs_sku, len({one.ocs_sku for one in found})) == (5, many[8].ocs_sku, 5)


@given(pos_sku=st.text(min_size=1, max_size=40), upcs=st.lists(st.text("0123456789", max_size=15)), name=st.text())
def test_whatever_a_pos_has_the_surest_comes_first_and_scores_are_per_cent(
    pos_sku: str, upcs: list[str], name: str
) -> None:
    scores = [one.score for one in suggested(pos_sku, *upcs, name=name)]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 100 for score in scores)
