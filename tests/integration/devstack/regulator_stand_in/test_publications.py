"""A large made-up catalogue, and what changes from one publication to the next."""

import re
from typing import Any

import pytest

from devstack.processes import Child
from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.store import CATALOGUE, Store

SKU = re.compile(r"\d{6}(_[^_]*){4}")
SAMPLE = 12


@pytest.fixture
def own(child: Child, new_store: NewStore) -> Store:
    """Give a store of a stand-in whose catalogue no other test reads."""
    return new_store(child.start()["url"])


def _pages(store: Store) -> list[list[dict[str, Any]]]:
    """Read the catalogue by the public side up to the empty page."""
    pages = []
    for page in range(1, 20):
        pages.append(store.read(CATALOGUE, pageNumber=page).json()["itemList"])
        if not pages[-1]:
            break
    return pages


def _is_gs1(barcode: str) -> bool:
    digits = [int(digit) for digit in barcode]
    return len(digits) == 14 and (sum(digits[0::2]) * 3 + sum(digits[1::2])) % 10 == 0


def test_a_generated_catalogue_begins_with_the_sample_and_comes_in_pages(own: Store) -> None:
    sample = own.control("GET", "catalogue")["itemList"]
    assert own.control("PUT", "catalogue/generated", items=450, seed=1) == {"items": 450, "seed": 1}
    pages = _pages(own)
    assert [len(page) for page in pages] == [100, 100, 100, 100, 50, 0]
    items = [item for page in pages for item in page]
    assert items[:SAMPLE] == sample
    assert items == own.control("GET", "catalogue")["itemList"]


def test_made_up_items_are_well_formed(own: Store) -> None:
    """About a third of the GTINs are those of cases; half of these items name the each in `itemBarcode`."""
    own.control("PUT", "catalogue/generated", items=450)
    items = own.control("GET", "catalogue")["itemList"]
    assert len({item["SKU"] for item in items}) == len({item["itemBarcode"][1:13] for item in items}) == 450
    assert all(SKU.fullmatch(item["SKU"]) for item in items)
    assert all(_is_gs1(item["GTIN"]) and _is_gs1(item["itemBarcode"]) for item in items)
    assert all(item["GTIN"][1:13] == item["itemBarcode"][1:13] for item in items)
    made_up = items[SAMPLE:]
    cases = [item for item in made_up if item["GTIN"][0] != "0"]
    assert {item["GTIN"][0] for item in cases} == set("12345678")
    assert 0.25 < len(cases) / len(made_up) < 0.42
    assert {item["itemBarcode"][0] == "0" for item in cases} == {True, False}
    for field in ("brand", "supplierName", "productName", "category", "subCategory", "productSize"):
        assert all(item[field] for item in made_up)
    assert len({item["category"] for item in made_up}) > 4


def test_the_same_seed_makes_the_same_items_and_more_of_them_begin_alike(own: Store) -> None:
    made = []
    for items, seed in ((60, 1), (60, 1), (60, 2), (90, 1)):
        own.control("PUT", "catalogue/generated", items=items, seed=seed)
        made.append(own.control("GET", "catalogue")["itemList"])
    first, again, other, more = made
    assert first == again == more[:60]
    assert other != first


def test_a_next_publication_adds_changes_and_drops_items(own: Store) -> None:
    own.control("PUT", "catalogue/generated", items=14)
    gone, changed, *kept = own.control("GET", "catalogue")["itemList"]
    added = {"SKU": "300001_1g___", "GTIN": "00628583999997"}
    own.control("PUT", "catalogue", itemList=[changed | {"brand": "New Brand"}, *kept, added])
    items = {item["SKU"]: item for item in _pages(own)[0]}
    assert gone["SKU"] not in items
    assert items[changed["SKU"]] == changed | {"brand": "New Brand"}
    assert items[added["SKU"]].items() >= added.items()
    assert [items[item["SKU"]] for item in kept] == kept


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"items": 11}, "found 11 items"),
        ({"items": 99_999}, "to make up"),
        ({}, "items: "),
        ({"items": 20, "seed": "x"}, "seed: "),
    ],
)
def test_a_wrong_order_for_a_catalogue_is_refused_and_changes_nothing(
    own: Store, order: dict[str, Any], named: str
) -> None:
    before = own.control("GET", "catalogue")
    reply = own.http.put("/_control/catalogue/generated", json=order)
    assert (reply.status_code, named in reply.json()["error"]) == (400, True)
    assert own.control("GET", "catalogue") == before
