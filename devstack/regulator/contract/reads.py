"""The four calls that read: shipping notices, the catalogue, and what was reported (by posting time)."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from devstack.regulator.calls import Call, RefusedError, Reply, json_reply
from devstack.regulator.contract import shape
from devstack.regulator.contract.access import Access
from devstack.regulator.ledger import Entry, Ledger, ticks

Item = TypeVar("Item")
PAGE = 100
SAMPLE_CATALOGUE = Path(__file__).with_name("sample_catalogue.json")
NOTICED_AT = "noticedAt"
"""Not a field of the documents: when OCS gave the notice, told by the control door, never given out."""
ASN_TEXTS = (
    "shipmentID", "containerID", "SKU", "itemName", "vendor", "brand", "caseGTIN", "packagedOnDate", "batchLot",
    "gTINBarcode", "eachGTIN", "UOM", "UOMConversion",
)  # fmt: skip
ASN_NUMBERS = ("unitPrice", "shippedQuantity", "UOMConversionQuantity")
ITEM_TEXTS = (
    "SKU", "GTIN", "brand", "supplierName", "productName", "category", "subCategory", "subSubCategory", "itemBarcode",
    "ocsItemNumber", "productSize", "productColor", "UOM",
)  # fmt: skip
ITEM_NUMBERS = (
    "driedEquivalency", "packSize", "retailPackValue", "minTHCPercent", "maxTHCPercent", "thcContentPerCap",
    "thcContentPerVol", "minCBDPercent", "maxCBDPercent", "cbdContentPerCap", "cbdContentPerVol", "minTHCGrams",
    "maxTHCGrams", "minCBDGrams", "maxCBDGrams",
)  # fmt: skip


class Reads:
    """Lets be read what OCS publishes and what stores have reported."""

    def __init__(self, access: Access, ledger: Ledger) -> None:
        """Start with the sample catalogue and no shipments."""
        self._access = access
        self._ledger = ledger
        self._shipments: dict[str, list[dict[str, Any]]] = {}
        self._items: list[dict[str, Any]] = []
        self.forget(None)

    def publish_items(self, items: list[dict[str, Any]]) -> None:
        """Replace the catalogue; raises ValueError for a field that the catalogue does not have."""
        self._items = [_complete(item, ITEM_TEXTS, ITEM_NUMBERS) for item in items]

    def ship(self, crsa: str, lines: list[dict[str, Any]]) -> None:
        """Replace a store's shipping notices; raises ValueError for a field that they do not have."""
        for line in lines:
            _noticed_at(line)
        self._shipments[crsa] = [_complete(line, ASN_TEXTS, (*ASN_NUMBERS, NOTICED_AT)) for line in lines]

    def forget(self, crsa: str | None) -> None:
        """Drop one store's shipping notices; or all of them, and go back to the sample catalogue."""
        if crsa is not None:
            self._shipments.pop(crsa, None)
            return
        self._shipments.clear()
        self.publish_items(json.loads(SAMPLE_CATALOGUE.read_bytes()))

    def asn(self, call: Call) -> Reply:
        """Answer GET ASN: the lines whose notice falls into the window; those without a time always do."""
        self._access.check_token(call)
        start, end = shape.instant(call, "startDateTime"), shape.instant(call, "endDateTime")
        crsa = self._access.check_store(call, "retailerCRSA")
        lines = [line for line in self._shipments.get(crsa, []) if _falls(_noticed_at(line), start, end)]
        body = {
            "retailerCRSA": crsa,
            "startDateTime": call.query["startDateTime"],
            "endDateTime": call.query["endDateTime"],
            "retailerASNList": [{k: v for k, v in line.items() if k != NOTICED_AT} for line in lines],
        }
        return json_reply(200, body)

    def catalogue(self, call: Call) -> Reply:
        """Answer GET item catalogue: a page of 100 items; an empty list ends it."""
        self._access.check_token(call)
        return json_reply(200, {"itemList": _page(self._items, _page_number(call))})

    def reported_events(self, call: Call) -> Reply:
        """Answer GET inventory events: a page of the lines posted in the window, in order of posting."""
        crsa, first, last, page = self._window(call)
        entries = _page(self._ledger.store(crsa).lines_posted(first, last), page)
        lines = [shape.as_read(shape.EVENT, entry.content) | _posted_by(entry) for entry in entries]
        return _read_back(call, page, "inventoryEventList", lines)

    def reported_positions(self, call: Call) -> Reply:
        """Answer GET inventory positions: a page of the position lines posted in the window, in order of posting."""
        crsa, first, last, page = self._window(call)
        lines = []
        for entry in self._ledger.store(crsa).positions_posted(first, last):
            position_date, *contents = entry.content.split(shape.BETWEEN_LINES)
            beside = _posted_by(entry) | {"inventoryPositionDate": position_date}
            lines += [shape.as_read(shape.POSITION, content) | beside for content in contents]
        return _read_back(call, page, "inventoryPositionList", _page(lines, page))

    def _window(self, call: Call) -> tuple[str, int, int, int]:
        self._access.check_token(call)
        start, end = shape.instant(call, "posStartDate"), shape.instant(call, "posEndDate")
        page = _page_number(call)
        # A parameter knows microseconds, a posting time one digit more: the last microsecond counts whole.
        return self._access.check_store(call, "crsa"), ticks(start), ticks(end) + 9, page


def _posted_by(entry: Entry) -> dict[str, str | int | float]:
    by = entry.posting
    return {"postingDateTimeStamp": by.stamp, "posVendor": by.pos_vendor, "posVendorVersion": by.pos_vendor_version}


def _read_back(call: Call, page: int, name: str, lines: list[dict[str, Any]]) -> Reply:
    body = {
        "crsa": call.query["crsa"],
        "posStartDateTime": call.query["posStartDate"],
        "posEndDateTime": call.query["posEndDate"],
        "pageNumber": page,
        name: lines,
    }
    return json_reply(200, body)


def _page_number(call: Call) -> int:
    text = shape.required(call, "pageNumber")
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise RefusedError(shape.bad_request(call, "pageNumber", f"found {text}, expected a number from 1"))
    return int(text)


def _page(items: list[Item], page: int) -> list[Item]:
    return items[(page - 1) * PAGE : page * PAGE]


def _complete(given: dict[str, Any], texts: tuple[str, ...], numbers: tuple[str, ...]) -> dict[str, Any]:
    """Give all the fields that the documents name, in one order, empty where they were not told."""
    unknown = given.keys() - set(texts) - set(numbers)
    if unknown:
        raise ValueError(f"unknown field {min(unknown)}")
    return dict.fromkeys(texts, "") | dict.fromkeys(numbers) | given


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
