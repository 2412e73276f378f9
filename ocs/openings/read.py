"""Reads an upload of levels from its bytes, and names what is wrong by line and field; knows no store and no clock."""

import json
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from ocs.bad_input import BadInput, FieldFault, bad_input, explain, quoted
from ocs.openings.models import LARGEST_VALUE, Counted, CountedItem, Given, OpeningBody, OpeningMessage, Place, Rest
from ocs.spreadsheet.cells import Column, Kind
from ocs.spreadsheet.table import Row, read_table

JSON_TYPE, CSV_TYPE = "application/json", "text/csv"
COLUMNS = (
    Column("ocs_sku", Kind.SKU, required=False),
    Column("sku", Kind.SKU, required=False),
    Column("upc", Kind.BARCODE, required=False),
    Column("quantity", Kind.EACHES),
    Column("unit_cost", Kind.MONEY, required=False),
    Column("value", Kind.MONEY, required=False, most=Decimal(LARGEST_VALUE)),
)
"""The columns of a CSV upload, in any order; every line needs one of the SKUs and one of the costs."""

Body = TypeVar("Body", bound=BaseModel)


def from_json(content: bytes, as_of: datetime | None, rest: Rest | None) -> Given:
    """Read an upload as JSON; `as_of` and `rest` of the address count where the body has none.

    Raises BadInput when it cannot be trusted as a whole; a fault of one line is kept beside the good ones.
    """
    body = _parsed(OpeningBody, content)
    if as_of is not None and body.as_of is not None and as_of != body.as_of:
        raise bad_input("as_of", as_of.isoformat(), f"one instant: the body says {body.as_of.isoformat()}")
    if rest is not None and body.rest is not None and rest != body.rest:
        raise bad_input("rest", rest, f"one word: the body says {body.rest}")
    instant = _required(body.as_of or as_of)
    lines, faults = _items(body.items)
    return Given(instant, body.rest or rest or "keep", lines, faults, len(body.items), JSON_TYPE, content)


def from_csv(content: bytes, as_of: datetime | None, rest: Rest | None) -> Given:
    """Read an upload as a CSV file, in the same way."""
    instant = _required(as_of)
    table = read_table(content, COLUMNS)
    lines = [_counted_row(row) for row in table.rows]
    return Given(instant, rest or "keep", lines, list(table.faults), table.lines, CSV_TYPE, content)


def from_message(text: str) -> tuple[OpeningMessage, Given]:
    """Read a POS's message, in the same way; also gives the message, for the store that it names."""
    content = text.encode()
    message = _parsed(OpeningMessage, content)
    lines, faults = _items(message.items)
    return message, Given(message.as_of, message.rest, lines, faults, len(message.items), JSON_TYPE, content)


def _parsed(shape: type[Body], content: bytes) -> Body:
    try:
        return shape.model_validate_json(content.removeprefix(b"\xef\xbb\xbf"))
    except ValidationError as error:
        raise BadInput(explain(error)) from None


def _required(as_of: datetime | None) -> datetime:
    if as_of is None:
        expected = "the instant of the count, with its offset, such as 2026-11-20T08:00:00-05:00"
        raise BadInput([FieldFault("as_of", "nothing", expected)])
    return as_of


def _items(items: list[JsonValue]) -> tuple[list[Counted], list[FieldFault]]:
    lines: list[Counted] = []
    faults: list[FieldFault] = []
    for number, raw in enumerate(items):
        where = Place(number, in_file=False)
        if not isinstance(raw, dict):
            faults.append(FieldFault(str(where), quoted(raw), "an object with ocs_sku, upc, quantity and unit_cost"))
            continue
        try:
            # As JSON once more: in Python's own types a true would pass for the number 1.
            item = CountedItem.model_validate_json(json.dumps(raw))
        except ValidationError as error:
            faults += explain(error, f"{where}.")
        else:
            ocs_sku, sku, upc = item.ocs_sku or "", item.sku or "", item.upc or ""
            lines.append(Counted(where, ocs_sku, sku, upc, item.quantity, item.unit_cost, item.value))
    return lines, faults


def _counted_row(row: Row) -> Counted:
    return Counted(
        Place(row.line, in_file=True),
        row.text("ocs_sku"),
        row.text("sku"),
        row.text("upc"),
        row.number("quantity") or Decimal(0),
        row.number("unit_cost"),
        row.number("value"),
    )
