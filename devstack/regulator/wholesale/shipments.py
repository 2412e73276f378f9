"""The shipments of each store and their notices: told whole by the control door, or made from what was ordered."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from devstack.regulator.wholesale.barcodes import CASES, is_gtin, label, packed_as
from devstack.regulator.wholesale.catalogue import Catalogue, Item
from devstack.regulator.wholesale.fields import ASN_NUMBERS, ASN_TEXTS, complete

NOTICED_AT = "noticedAt"
"""Not a field of the documents: when OCS gave the notice, told by the control door, never given out."""
USUAL_PRICE = Decimal("9.95")
"""CAD, where the order says no price: the catalogue has none."""
PACKAGED_BEFORE = timedelta(days=30)
KEEPS = timedelta(days=365)
USUAL_INDICATOR = 1
"""The catalogue names only the each: its case is then said to be the first way of packing it."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """So many cases of one SKU, of so many eaches; the price in CAD as it will stand in the notice."""

    sku: str
    cases: int
    eaches_per_case: int
    unit_price: Decimal = USUAL_PRICE


class Shipments:
    """The lines of all shipping notices by CRSA."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Start with none; shipment numbers go on over a reset, so that none is given twice."""
        self._catalogue = catalogue
        self._lines: dict[str, list[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)

    def replace(self, crsa: str, lines: list[dict[str, Any]]) -> None:
        """Replace a store's shipping notices; raises ValueError for a field that they do not have."""
        for line in lines:
            _noticed_at(line)
        self._lines[crsa] = [complete(line, ASN_TEXTS, (*ASN_NUMBERS, NOTICED_AT)) for line in lines]

    def ship(self, crsa: str, ordered: Sequence[OrderLine], at: datetime) -> list[dict[str, Any]]:
        """Ship what a store ordered, with a notice of that instant (aware); give the notice's lines.

        Raises ValueError, and ships nothing, for a SKU that the catalogue does not have or has without a good GTIN.
        """
        items = [self._orderable(line.sku) for line in ordered]
        number = next(self._numbers)
        lines = [
            _line(number, position, item, line, at.date())
            for position, (item, line) in enumerate(zip(items, ordered, strict=True), 1)
        ]
        kept = [complete(line | {NOTICED_AT: at.isoformat()}, ASN_TEXTS, (*ASN_NUMBERS, NOTICED_AT)) for line in lines]
        self._lines.setdefault(crsa, []).extend(kept)
        return [_given_out(line) for line in kept]

    def noticed(self, crsa: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Give the lines noticed between two instants (aware, both included); those without a time always are."""
        return [_given_out(line) for line in self._lines.get(crsa, []) if _falls(_noticed_at(line), start, end)]

    def forget(self, crsa: str | None) -> None:
        """Drop one store's shipments, or all of them."""
        if crsa is None:
            self._lines.clear()
        else:
            self._lines.pop(crsa, None)

    def _orderable(self, sku: str) -> Item:
        item = self._catalogue.item(sku)
        if item is None:
            raise ValueError(f"SKU {sku} is not in the catalogue")
        if not is_gtin(item["GTIN"]):
            raise ValueError(f"SKU {sku} has no good GTIN in the catalogue")
        return item


def _line(number: int, position: int, item: Item, ordered: OrderLine, noticed: date) -> dict[str, Any]:
    packaged = noticed - PACKAGED_BEFORE
    lot = f"L{number:06d}{position:02d}"
    gtin = item["GTIN"].zfill(14)
    case = gtin if gtin[0] in CASES else packed_as(gtin, USUAL_INDICATOR)
    eaches = ordered.cases * ordered.eaches_per_case
    return {
        "shipmentID": f"S{number:08d}",
        "containerID": f"C{number:08d}",
        "SKU": ordered.sku,
        "itemName": item["productName"],
        "unitPrice": float(ordered.unit_price),
        "vendor": item["supplierName"],
        "brand": item["brand"],
        "caseGTIN": case,
        "packagedOnDate": packaged.isoformat(),
        "batchLot": lot,
        "gTINBarcode": label(case, packaged + KEEPS, lot),
        "eachGTIN": packed_as(gtin, 0),
        "shippedQuantity": eaches,
        "UOM": "CASE",
        "UOMConversion": str(ordered.eaches_per_case),
        "UOMConversionQuantity": eaches,
    }


def _given_out(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != NOTICED_AT}


def _noticed_at(line: dict[str, Any]) -> datetime | None:
    told = line.get(NOTICED_AT)
    if told is None:
        return None
    noticed = datetime.fromisoformat(told)
    if noticed.tzinfo is None:
        raise ValueError(f"{NOTICED_AT} needs its offset")
    return noticed


def _falls(noticed: datetime | None, start: datetime, end: datetime) -> bool:
    return noticed is None or start <= noticed <= end
