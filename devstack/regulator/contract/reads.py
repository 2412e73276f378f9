"""The four calls that read: shipping notices, the catalogue, and what was reported (by posting time)."""

from typing import Any, TypeVar

from devstack.regulator.calls import Call, RefusedError, Reply, json_reply
from devstack.regulator.contract import shape
from devstack.regulator.contract.access import Access
from devstack.regulator.ledger import Ledger, Posting, ticks
from devstack.regulator.wholesale.catalogue import Catalogue
from devstack.regulator.wholesale.shipments import Shipments

Item = TypeVar("Item")
PAGE = 100


class Reads:
    """Lets be read what OCS publishes and what stores have reported."""

    def __init__(self, access: Access, ledger: Ledger, catalogue: Catalogue, shipments: Shipments) -> None:
        """Read from these."""
        self._access = access
        self._ledger = ledger
        self._catalogue = catalogue
        self._shipments = shipments

    def asn(self, call: Call) -> Reply:
        """Answer GET ASN: the lines whose notice falls into the window; those without a time always do."""
        self._access.check_token(call)
        start, end = shape.instant(call, "startDateTime"), shape.instant(call, "endDateTime")
        crsa = self._access.check_store(call, "retailerCRSA")
        body = {
            "retailerCRSA": crsa,
            "startDateTime": call.query["startDateTime"],
            "endDateTime": call.query["endDateTime"],
            "retailerASNList": self._shipments.noticed(crsa, start, end),
        }
        return json_reply(200, body)

    def catalogue(self, call: Call) -> Reply:
        """Answer GET item catalogue: a page of 100 items; an empty list ends it."""
        self._access.check_token(call)
        return json_reply(200, {"itemList": _page(self._catalogue.items, _page_number(call))})

    def reported_events(self, call: Call) -> Reply:
        """Answer GET inventory events: a page of the lines posted in the window, in order of posting."""
        crsa, first, last, page = self._window(call)
        entries = _page(self._ledger.store(crsa).lines_posted(first, last), page)
        lines = [shape.as_read(shape.EVENT, entry.content) | _posted_by(entry.posting) for entry in entries]
        return _read_back(call, page, "inventoryEventList", lines)

    def reported_positions(self, call: Call) -> Reply:
        """Answer GET inventory positions: a page of the position lines posted in the window, in order of posting.

        Every posting is given, also those that a later one of the same instant replaced.
        """
        crsa, first, last, page = self._window(call)
        posted = []
        for posting, position in self._ledger.store(crsa).positions_posted(first, last):
            position_date, *contents = position.split(shape.BETWEEN_LINES)
            posted += [(posting, position_date, content) for content in contents]
        lines = [
            shape.as_read(shape.POSITION, content) | _posted_by(posting) | {"inventoryPositionDate": position_date}
            for posting, position_date, content in _page(posted, page)
        ]
        return _read_back(call, page, "inventoryPositionList", lines)

    def _window(self, call: Call) -> tuple[str, int, int, int]:
        self._access.check_token(call)
        start, end = shape.instant(call, "posStartDate"), shape.instant(call, "posEndDate")
        page = _page_number(call)
        # A parameter knows microseconds, a posting time one digit more: the last microsecond counts whole.
        return self._access.check_store(call, "crsa"), ticks(start), ticks(end) + 9, page


def _posted_by(by: Posting) -> dict[str, str | int | float]:
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
