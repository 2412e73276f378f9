"""Reads the lines of a shipping notice: each with an identity that stays, its barcodes, its cost, and what is odd."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from ocs.catalogue.gtin import LENGTH as GTIN_LENGTH, each_of, has_right_check_digit, is_barcode, padded
from ocs.regulator import wire
from ocs.shipping.notice.gs1 import Barcode, read_barcode

LONGEST_ID = 100
"""Characters of a shipment's or container's number; an unreadable reply must not become a key of the database."""
MOST_EACHES = 1_000_000
"""More than one line of a POS transaction may say."""
MOST_DOLLARS = 1_000_000
BEYOND_REASON = 10**12
FOUR_PLACES = Decimal("0.0001")
UNITS = frozenset({"EA", "EACH", "EACHES", "UNIT", "UNITS"})

WARNINGS = {
    "quantity_odd": "the quantity is not a whole number of eaches from 0 to 1,000,000: count it when you receive it",
    "sku_missing": "it has no OCS SKU, or one that is too long: it cannot be received here",
    "each_from_case": "the notice has no barcode of the each: it was worked out from that of the case",
    "each_unknown": "the notice has no barcode of the each, and none could be worked out from the case",
    "barcode_unread": "the barcode's content could not be read",
    "barcode_other_item": "the barcode's GTIN is neither that of the case nor that of the each",
    "barcode_other_lot": "the barcode's lot is not that of the notice",
    "price_taken_per_each": "OCS does not say whether its price is of an each or a case: it was taken for one each's",
    "price_missing": "the notice has no price: the receipt takes the store's average cost",
}
"""Every warning's code and what it tells a store manager."""


@dataclass(frozen=True)
class NoticeLine:
    """One line of a shipment as the notice has it: quantities in eaches, money in Canadian dollars.

    `line_id` is made of what identifies the line: store, shipment, container, SKU, lot, case GTIN, packaging date and,
    where all these are the same, the occurrence number from 1. The event line that receives it has the same id.
    """

    line_id: UUID
    shipment_id: str
    container_id: str
    ocs_sku: str
    batch_lot: str
    case_gtin: str
    packaged_on: str
    occurrence: int
    item_name: str
    vendor: str
    brand: str
    each_gtin: str
    quantity: Decimal
    uom: str
    uom_conversion: str
    uom_conversion_quantity: Decimal | None
    unit_price: Decimal | None
    unit_cost: Decimal | None
    barcode: str
    barcode_gtin: str
    barcode_expires_on: date | None
    barcode_lot: str
    barcode_note: str
    warnings: tuple[str, ...]

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "NoticeLine":
        """Build it from a row of `shipment_lines`."""
        values = {field.name: row[field.name] for field in fields(cls)}
        return cls(**values | {"warnings": tuple(row["warnings"])})

    @property
    def is_countable(self) -> bool:
        """Tell whether its quantity can be received as it stands."""
        return "quantity_odd" not in self.warnings


@dataclass(frozen=True)
class ReadNotice:
    """The lines of a notice; `left_out` is how many had no usable shipment number."""

    lines: tuple[NoticeLine, ...]
    left_out: int


def read_notice(store_id: UUID, told: Sequence[wire.ShippingNoticeLine]) -> ReadNotice:
    """Read a notice's lines; the same lines in another order give the same."""
    usable = [line for line in told if 0 < len(_text(line.shipmentID)) <= LONGEST_ID]
    # Lines that agree in all that identifies them are told apart by a number. Ordered by what else they say, not by
    # their place: OCS promises no order, and a line must not change its number because the reply was shuffled.
    ordered = sorted(usable, key=lambda line: (_identity(line), _content(line)))
    lines = tuple(
        _line(store_id, identity, number, line)
        for identity, alike in groupby(ordered, _identity)
        for number, line in enumerate(alike, 1)
    )
    return ReadNotice(lines, len(told) - len(usable))


def unit_cost(price: Decimal | None, uom: str) -> tuple[Decimal | None, str | None]:
    """Read what one each costs out of the notice's price (CAD, 4 decimals), with a warning's code where it is a guess.

    No document says whether a price is that of an each or of a case [C]. It is taken for one each's: the quantity is
    given in eaches whatever the UOM is, so that is the unit the rest of the line counts in. Where the UOM is not the
    each the line is marked. This is the one place where the guess is made.
    """
    if price is None or not 0 <= price <= MOST_DOLLARS:
        return None, "price_missing"
    cost = price.quantize(FOUR_PLACES, ROUND_HALF_UP)
    return cost, None if uom.strip().upper() in UNITS else "price_taken_per_each"


def _line(store_id: UUID, identity: tuple[str, ...], number: int, told: wire.ShippingNoticeLine) -> NoticeLine:
    shipment_id, container_id, ocs_sku, batch_lot, case_gtin, packaged_on = identity
    quantity = _number(told.shippedQuantity)
    each_gtin, each_warnings = _each(_text(told.eachGTIN), case_gtin)
    barcode = read_barcode(_text(told.gTINBarcode), batch_lot)
    price = _number(told.unitPrice)
    cost, price_warning = unit_cost(price, told.UOM)
    warnings = [
        *(["quantity_odd"] if quantity is None or not _is_eaches(quantity) else []),
        *(["sku_missing"] if not 0 < len(ocs_sku) <= LONGEST_ID else []),
        *each_warnings,
        *_barcode_warnings(barcode, batch_lot, {case_gtin, each_gtin}),
        *([price_warning] if price_warning else []),
    ]
    return NoticeLine(
        line_id=uuid5(store_id, "\x1f".join(("shipment line", *identity, str(number)))),
        shipment_id=shipment_id,
        container_id=container_id,
        ocs_sku=ocs_sku,
        batch_lot=batch_lot,
        case_gtin=case_gtin,
        packaged_on=packaged_on,
        occurrence=number,
        item_name=_text(told.itemName),
        vendor=_text(told.vendor),
        brand=_text(told.brand),
        each_gtin=each_gtin,
        quantity=quantity or Decimal(0),
        uom=_text(told.UOM),
        uom_conversion=_text(told.UOMConversion),
        uom_conversion_quantity=_number(told.UOMConversionQuantity),
        unit_price=price,
        unit_cost=cost,
        barcode=_text(told.gTINBarcode),
        barcode_gtin=barcode.gtin,
        barcode_expires_on=barcode.expires_on,
        barcode_lot=barcode.lot,
        barcode_note=barcode.note,
        warnings=tuple(warnings),
    )


def _identity(told: wire.ShippingNoticeLine) -> tuple[str, ...]:
    words = (told.shipmentID, told.containerID, told.SKU, told.batchLot, told.caseGTIN)
    return (*(_text(word) for word in words), _day(_text(told.packagedOnDate)))


def _content(told: wire.ShippingNoticeLine) -> tuple[str, ...]:
    """Give all that a line says, as texts that can be ordered; a field that is new there counts too."""
    return tuple(f"{name}={value}" for name, value in sorted(told.model_dump(mode="json").items()))


def _text(told: str) -> str:
    # Postgres keeps no NUL in a text.
    return told.replace("\x00", "").strip()


def _day(told: str) -> str:
    """Give a date in one form where it can be read, so that a time of day behind it makes no other line of it."""
    try:
        return date.fromisoformat(told[:10]).isoformat()
    except ValueError:
        return told


def _number(told: Decimal | None) -> Decimal | None:
    if told is None or abs(told) >= BEYOND_REASON:
        return None
    return told.quantize(FOUR_PLACES, ROUND_HALF_UP) + 0


def _is_eaches(quantity: Decimal) -> bool:
    return 0 <= quantity <= MOST_EACHES and quantity == quantity.to_integral_value()


def _each(each_gtin: str, case_gtin: str) -> tuple[str, list[str]]:
    """Give the barcode of the each: as told, else worked out from the case's by its check digit."""
    if 0 < len(each_gtin) <= GTIN_LENGTH:
        return each_gtin, []
    if is_barcode(case_gtin) and has_right_check_digit(case_gtin):
        return each_of(case_gtin), ["each_from_case"]
    return "", ["each_unknown"]


def _barcode_warnings(barcode: Barcode, batch_lot: str, gtins: set[str]) -> Iterator[str]:
    known = {padded(gtin) for gtin in gtins if gtin}
    if barcode.note:
        yield "barcode_unread"
    if barcode.gtin and known and barcode.gtin not in known:
        yield "barcode_other_item"
    if barcode.lot and batch_lot and barcode.lot != batch_lot:
        yield "barcode_other_lot"
