"""Made-up catalogue items: no such product exists, but each is well-formed (SKU, GTIN with check digit, amounts)."""

from dataclasses import dataclass
from random import Random
from typing import Any

from devstack.regulator.wholesale.barcodes import packed_as

FIRST_NUMBER = 200_000
"""Above the OCS item numbers of the sample."""
PREFIX = "0628583"
"""A made-up company prefix that the sample does not use; five digits of the item follow."""
MOST = 90_000
"""So many items keep the item number at six digits and its part of the GTIN at five."""
CASE_EVERY = 3
"""One GTIN in about so many is that of the case, as the real catalogue has both."""
BRANDS = {
    "Northfield": "Northfield Growers Inc.",
    "Grand Lake": "Grand Lake Cannabis Ltd.",
    "Portage": "Portage Extracts Inc.",
    "Cedar & Slate": "Cedar and Slate Farms",
    "Red Pine": "Red Pine Botanicals Inc.",
    "Kettle Point": "Kettle Point Cultivation Co.",
    "Escarpment": "Escarpment Craft Ltd.",
    "Blue Heron": "Blue Heron Cannabis Inc.",
}
FIRST_WORDS = ("Quiet", "Amber", "Northern", "Copper", "Morning", "Velvet", "Wild", "Frosted", "Harvest", "Lakeside")
SECOND_WORDS = ("Maple", "Berry", "Haze", "Cedar", "Citrus", "Mint", "Ridge", "Bloom", "Peach", "Glacier", "Ember")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of product with its sizes: the text, grams of dried cannabis it counts as, what the pack holds."""

    category: str
    sub: str
    sub_sub: str
    noun: str
    pack_sizes: tuple[int, ...]
    sizes: tuple[tuple[str, float, float], ...]
    thc_percent: tuple[int, int] | None = None


KINDS = (
    _Kind(
        *("Dried Flower", "Hybrid", "Whole Flower", "Flower", (6, 12, 24)),
        sizes=(("3.5g", 3.5, 3.5), ("7g", 7, 7), ("28g", 28, 28)),
        thc_percent=(18, 30),
    ),
    _Kind(
        *("Pre-Rolls", "Sativa", "Multi-pack", "Pre-Rolls", (24, 48)),
        sizes=(("3x0.5g", 1.5, 1.5), ("5x0.3g", 1.5, 1.5), ("10x0.35g", 3.5, 3.5)),
        thc_percent=(18, 32),
    ),
    _Kind(
        *("Vapes", "510 Thread Cartridges", "Distillate", "Cartridge", (10, 12)),
        sizes=(("0.5g", 2, 0.5), ("1g", 4, 1)),
        thc_percent=(70, 92),
    ),
    _Kind(*("Edibles", "Soft Chews", "Indica", "Chews", (20, 24)), sizes=(("2x5g", 0.67, 10), ("5x4g", 1.34, 20))),
    _Kind(*("Beverages", "Carbonated", "THC", "Soda", (12, 24)), sizes=(("222ml", 3.17, 222), ("355ml", 5.07, 355))),
    _Kind(
        *("Concentrates", "Hash", "Pressed", "Hash", (12,)),
        sizes=(("1g", 4, 1), ("2g", 8, 2)),
        thc_percent=(35, 55),
    ),
)


def invented_items(count: int, seed: int) -> list[dict[str, Any]]:
    """Give so many items, the same ones for the same seed, fewer being a beginning of more.

    Raises ValueError for more than there are numbers for.
    """
    if count > MOST:
        raise ValueError(f"found {count} items to make up, expected at most {MOST}")
    chance = Random(seed)  # noqa: S311 - made-up items, no secret
    return [_item(number, chance) for number in range(1, count + 1)]


def _item(number: int, chance: Random) -> dict[str, Any]:
    kind = chance.choice(KINDS)
    brand = chance.choice(list(BRANDS))
    size, dried, held = chance.choice(kind.sizes)
    name = f"{chance.choice(FIRST_WORDS)} {chance.choice(SECOND_WORDS)} {kind.noun}"
    return {
        "SKU": f"{FIRST_NUMBER + number}_{size}___",
        "brand": brand,
        "supplierName": BRANDS[brand],
        "productName": name,
        "category": kind.category,
        "subCategory": kind.sub,
        "subSubCategory": kind.sub_sub,
        "ocsItemNumber": str(FIRST_NUMBER + number),
        "productSize": size,
        "driedEquivalency": dried,
        "packSize": chance.choice(kind.pack_sizes),
        "retailPackValue": held,
        "UOM": "EA",
        **_barcodes(number, chance),
        **_content(kind, chance),
    }


def _barcodes(number: int, chance: Random) -> dict[str, str]:
    """Give `GTIN` and `itemBarcode`: of a case in one item of three; then the each stands in every second of them."""
    each = packed_as(f"{PREFIX}{number:05d}0".zfill(14), 0)
    if chance.randrange(CASE_EVERY):
        return {"GTIN": each, "itemBarcode": each}
    case = packed_as(each, chance.randint(1, 8))
    return {"GTIN": case, "itemBarcode": chance.choice((each, case))}


def _content(kind: _Kind, chance: Random) -> dict[str, float]:
    if kind.thc_percent is None:
        return {"minTHCGrams": 0.009, "maxTHCGrams": 0.011, "minCBDGrams": 0, "maxCBDGrams": 0.001}
    low = chance.randint(*kind.thc_percent)
    return {"minTHCPercent": low, "maxTHCPercent": low + 6, "minCBDPercent": 0, "maxCBDPercent": 1}
