"""Reads a page of the item catalogue into our own words, and writes what is new or different in it.

The platform may give an SKU twice, on one page or on several, once for each of its barcodes: the first line of a sync
says what the item is, and its barcodes are those of all its lines.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import JsonValue

from ocs.catalogue.gtin import each_of, is_barcode, is_case, padded
from ocs.catalogue.items import searchable
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.regulator.wire import CatalogueItem, CataloguePage

SQL = load(__file__)
LONGEST_SKU = 100
Content = dict[str, JsonValue]
"""An item's attributes in our own words; potency is in per cent, grams or milligrams as OCS gives it."""


@dataclass(frozen=True)
class Listed:
    """One item of a page: its attributes, and its barcodes (14 digits) with what each stands on."""

    ocs_sku: str
    content: Content
    barcodes: dict[str, str]

    @property
    def barcode(self) -> str:
        """The barcode of the each, the one on the item itself before one made from its GTIN; empty if there is none."""
        by_kind = {kind: barcode for barcode, kind in reversed(self.barcodes.items())}
        return by_kind.get("item") or by_kind.get("each") or ""


@dataclass(frozen=True)
class Page:
    """A page as read: its items by SKU, how many lines it had, and a fingerprint of which SKUs it lists."""

    items: Mapping[str, Listed]
    lines: int
    unusable: int
    digest: bytes


@dataclass(frozen=True)
class Counts:
    """What a page came to, in different SKUs."""

    items: int = 0
    added: int = 0
    changed: int = 0
    back: int = 0


def read_page(page: CataloguePage) -> Page:
    """Read a page; a line without a usable SKU is counted and left out."""
    items: dict[str, Listed] = {}
    unusable = 0
    for line in page.itemList:
        listed = _listed(line)
        if not 0 < len(listed.ocs_sku) <= LONGEST_SKU:
            unusable += 1
            continue
        first = items.get(listed.ocs_sku, listed)
        items[listed.ocs_sku] = Listed(first.ocs_sku, first.content, {**listed.barcodes, **first.barcodes})
    listed_skus = "\n".join(sorted(items))
    return Page(items, len(page.itemList), unusable, hashlib.sha256(listed_skus.encode()).digest())


async def write_page(connection: Connection, environment: str, sync_id: int, page: Page) -> Counts:
    """Write a page's items, their barcodes, and a record of each item that is added, changed or back."""
    words = {"environment": environment, "ocs_skus": list(page.items)}
    rows = await (await connection.execute(SQL["items_before"], words)).fetchall()
    known = {row["ocs_sku"]: row for row in rows}
    fresh = [item for sku, item in page.items.items() if sku not in known or known[sku]["seen_in"] != sync_id]
    changes = [change for item in fresh if (change := _change(item, known.get(item.ocs_sku))) is not None]
    common = {"environment": environment, "sync_id": sync_id}
    async with connection.cursor() as cursor:
        await cursor.executemany(SQL["save_item"], [common | _item_words(item) for item in fresh])
        await cursor.executemany(SQL["save_barcode"], [common | one for one in _barcode_words(page.items.values())])
        await cursor.executemany(SQL["record_change"], [common | change for change in changes])
    kinds = [change["change"] for change in changes]
    return Counts(len(fresh), kinds.count("added"), kinds.count("changed"), kinds.count("back"))


def _change(item: Listed, before: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Give the record of what is different about an item, None when nothing is."""
    if before is None:
        return {"ocs_sku": item.ocs_sku, "change": "added", "before": Jsonb({}), "after": Jsonb({})}
    old, new = before["content"], item.content
    fields = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    if not fields and before["gone_at"] is None:
        return None
    return {
        "ocs_sku": item.ocs_sku,
        "change": "changed" if before["gone_at"] is None else "back",
        "before": Jsonb({name: old.get(name) for name in fields}),
        "after": Jsonb({name: new.get(name) for name in fields}),
    }


def _item_words(item: Listed) -> dict[str, Any]:
    content = item.content
    shown = {name: str(content[name]) for name in ("name", "brand", "size", "item_number")}
    return shown | {
        "ocs_sku": item.ocs_sku,
        "barcode": item.barcode,
        "words": searchable(" ".join([*shown.values(), item.ocs_sku, str(content["supplier"])])),
        "content": Jsonb(content),
    }


def _barcode_words(items: Iterable[Listed]) -> list[dict[str, str]]:
    return [
        {"ocs_sku": item.ocs_sku, "barcode": barcode, "kind": kind}
        for item in items
        for barcode, kind in item.barcodes.items()
    ]


def _listed(line: CatalogueItem) -> Listed:
    content = {name: _clean(value) for name, value in _content(line).items()}
    return Listed(str(_clean(line.SKU)), content, _barcodes(str(content["barcode"]), str(content["gtin"])))


def _barcodes(item_barcode: str, gtin: str) -> dict[str, str]:
    """Give an item's barcodes, of a case that of its each too; one that is no number is kept in its content only."""
    barcodes: dict[str, str] = {}
    for given, kind in ((item_barcode, "item"), (gtin, "each")):
        if is_barcode(given):
            barcodes.setdefault(padded(given), "case" if is_case(given) else kind)
            barcodes.setdefault(each_of(given), "each")
    return barcodes


def _clean(value: Any) -> JsonValue:
    """Give a value that Postgres can keep: no NUL in texts, no number that is none."""
    if isinstance(value, str):
        return value.replace("\x00", "").strip()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(_clean(key)): _clean(one) for key, one in value.items()}
    return [_clean(one) for one in value] if isinstance(value, list) else value


def _content(line: CatalogueItem) -> dict[str, Any]:
    """Say an item in our own words; fields that are new there are kept under `more`."""
    return {
        "name": line.productName,
        "brand": line.brand,
        "supplier": line.supplierName,
        "category": line.category,
        "sub_category": line.subCategory,
        "sub_sub_category": line.subSubCategory,
        "item_number": line.ocsItemNumber,
        "gtin": line.GTIN,
        "barcode": line.itemBarcode,
        "size": line.productSize,
        "colour": line.productColor,
        "unit_of_measure": line.UOM,
        "pack_size": line.packSize,
        "retail_pack_value": line.retailPackValue,
        "dried_equivalency": line.driedEquivalency,
        "thc_percent": [line.minTHCPercent, line.maxTHCPercent],
        "cbd_percent": [line.minCBDPercent, line.maxCBDPercent],
        "thc_grams": [line.minTHCGrams, line.maxTHCGrams],
        "cbd_grams": [line.minCBDGrams, line.maxCBDGrams],
        "thc_content": {"per_cap": line.thcContentPerCap, "per_volume": line.thcContentPerVol},
        "cbd_content": {"per_cap": line.cbdContentPerCap, "per_volume": line.cbdContentPerVol},
        "more": line.model_extra or {},
    }
