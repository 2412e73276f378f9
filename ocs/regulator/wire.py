"""The Data Platform's words: every field of its six calls, strings where it wants strings.

The only module that knows these names. Source: domain.md, "The Data Platform's API".
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

EVENTS_PATH = "/PosInventoryEventHttpTrigger"
POSITION_PATH = "/PosInventoryPositionHttpTrigger"
ASN_PATH = "/RetailerASNHttpTrigger"
REPORTED_EVENTS_PATH = "/POSInventoryEventFunction"
REPORTED_POSITIONS_PATH = "/POSInventoryPositionFunction"
CATALOGUE_PATH = "/RetailerItemCatalogueHttpTrigger"
HASH_KEY_HEADER = "retailer_hashkey"
CENT = Decimal("0.01")


class _Sent(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class _Read(BaseModel):
    """What we read: fields may be missing or new there, and nothing of it may break us."""

    model_config = ConfigDict(frozen=True, extra="allow", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_missing(cls, found: Any) -> Any:
        return {name: value for name, value in found.items() if value is not None} if isinstance(found, dict) else found


class EventLine(_Sent):
    """One inventory event; may carry one more field, whose name a connection tells (process on date)."""

    ocsSku: str
    upcAndBarcode: str
    posTransactionTimeStamp: str
    posTransactionLineId: str
    inventoryEventType: str
    inventoryQuantityChange: str
    inventoryValueChange: str
    posSalesTransactionId: str
    soldAtPrice: str
    counterPartyCRSA: str
    reasonCategory: str


class EventList(_Sent):
    """The body of POST inventory events."""

    inventoryEventList: list[EventLine]


class PositionLine(_Sent):
    """What a store holds of one item."""

    ocsSku: str
    upcAndBarcode: str
    inventoryQuantityOnHand: str
    inventoryBookValue: str


class PositionList(_Sent):
    """The body of POST inventory position."""

    inventoryPositionList: list[PositionLine]


class ReportedEvent(_Read):
    """An event as the platform gives it back (UAT only): numbers are numbers here."""

    ocsSku: str = ""
    upcAndBarcode: str = ""
    posTransactionTimeStamp: str = ""
    posTransactionLineId: str = ""
    inventoryEventType: str = ""
    inventoryQuantityChange: Decimal = Decimal(0)
    inventoryValueChange: Decimal = Decimal(0)
    posSalesTransactionId: str = ""
    soldAtPrice: Decimal | None = None
    counterPartyCRSA: str | None = None
    reasonCategory: str | None = None
    postingDateTimeStamp: str = ""
    posVendor: str = ""
    posVendorVersion: str = ""


class ReportedEvents(_Read):
    """A page of GET inventory events; the window filters by posting time."""

    crsa: str = ""
    posStartDateTime: str = ""
    posEndDateTime: str = ""
    pageNumber: int = 1
    inventoryEventList: list[ReportedEvent] = Field(default_factory=list)


class ReportedPosition(_Read):
    """A position line as the platform gives it back (UAT only)."""

    ocsSku: str = ""
    upcAndBarcode: str = ""
    postingDateTimeStamp: str = ""
    inventoryPositionDate: str = ""
    inventoryQuantityOnHand: Decimal = Decimal(0)
    inventoryBookValue: Decimal = Decimal(0)
    posVendor: str = ""
    posVendorVersion: str = ""


class ReportedPositions(_Read):
    """A page of GET inventory positions."""

    crsa: str = ""
    posStartDateTime: str = ""
    posEndDateTime: str = ""
    pageNumber: int = 1
    inventoryPositionList: list[ReportedPosition] = Field(default_factory=list)


class ShippingNoticeLine(_Read):
    """One line of an advance shipping notice; `shippedQuantity` is in eaches."""

    shipmentID: str = ""
    containerID: str = ""
    SKU: str = ""
    itemName: str = ""
    unitPrice: Decimal | None = None
    vendor: str = ""
    brand: str = ""
    caseGTIN: str = ""
    packagedOnDate: str = ""
    batchLot: str = ""
    gTINBarcode: str = ""
    eachGTIN: str = ""
    shippedQuantity: Decimal = Decimal(0)
    UOM: str = ""
    UOMConversion: str = ""
    UOMConversionQuantity: Decimal | None = None


class ShippingNotices(_Read):
    """The reply of GET ASN."""

    retailerCRSA: str = ""
    startDateTime: str = ""
    endDateTime: str = ""
    retailerASNList: list[ShippingNoticeLine] = Field(default_factory=list)


class CatalogueItem(_Read):
    """One product of the item master; potency is in per cent, grams or milligrams as the field's name says."""

    SKU: str = ""
    GTIN: str = ""
    brand: str = ""
    supplierName: str = ""
    productName: str = ""
    category: str = ""
    subCategory: str = ""
    subSubCategory: str = ""
    itemBarcode: str = ""
    ocsItemNumber: str = ""
    productSize: str = ""
    productColor: str = ""
    driedEquivalency: JsonValue = None
    packSize: JsonValue = None
    retailPackValue: JsonValue = None
    minTHCPercent: JsonValue = None
    maxTHCPercent: JsonValue = None
    thcContentPerCap: JsonValue = None
    thcContentPerVol: JsonValue = None
    minCBDPercent: JsonValue = None
    maxCBDPercent: JsonValue = None
    cbdContentPerCap: JsonValue = None
    cbdContentPerVol: JsonValue = None
    minTHCGrams: JsonValue = None
    maxTHCGrams: JsonValue = None
    minCBDGrams: JsonValue = None
    maxCBDGrams: JsonValue = None
    UOM: str = ""


class CataloguePage(_Read):
    """A page of the item catalogue: about 100 items; an empty list ends it."""

    itemList: list[CatalogueItem] = Field(default_factory=list)


def position_list(lines: Iterable[tuple[str, str, str, str]]) -> PositionList:
    """Write the lines of a position: OCS SKU, barcode, whole eaches, and dollars to the cent, as texts."""
    names = tuple(PositionLine.model_fields)
    # All lines in one validation: a third of the time that one after the other takes.
    return PositionList.model_validate(
        {"inventoryPositionList": [dict(zip(names, line, strict=True)) for line in lines]}
    )


def money(amount: Decimal) -> str:
    """Write Canadian dollars to the cent: "80.85"."""
    return str(amount.quantize(CENT, rounding=ROUND_HALF_UP))


def eaches(quantity: Decimal) -> str:
    """Write a quantity in whole eaches: "3"."""
    return str(int(quantity))


def timestamp(instant: datetime) -> str:
    """Write an aware instant as ISO 8601 with its own offset and whole seconds: "2022-04-14T14:31:30-04:00"."""
    if instant.tzinfo is None:
        raise ValueError("a time on the wire needs its offset")
    return instant.isoformat(timespec="seconds")


def with_process_on(line: EventLine, field: str, day: date) -> EventLine:
    """Give the line with the process on date under the name that OCS told for it."""
    extra: dict[str, Any] = {field: day.isoformat()}
    return line.model_copy(update=extra)


REFERENCE_NAMES = ("referenceid", "reference", "refid", "transactionid", "correlationid", "requestid", "id")
"""Under what name a reply may carry its reference id, the plan of record's first; compared without case or `_`."""


def reference_id(body: object) -> str | None:
    """Read the reference id out of a reply's JSON, tolerantly: the exact body is not public [C].

    A body that is nothing but a text is the id itself. None where nothing looks like one.
    """
    if isinstance(body, str):
        return body.strip() or None
    if not isinstance(body, dict):
        return None
    by_plain_name = {str(key).lower().replace("_", ""): value for key, value in body.items()}
    for name in REFERENCE_NAMES:
        found = by_plain_name.get(name)
        if isinstance(found, str | int) and not isinstance(found, bool) and found != "":
            return str(found)
    return None
