"""Reads the GS1 barcode of a case: its GTIN, expiry date and lot.

Source: GS1 General Specifications, section 3 (application identifiers 01, 17 and 10); domain.md, "Formats".
"""

import re
from dataclasses import dataclass
from datetime import date

from biip import ParseError
from biip.gs1_messages import GS1Message

from ocs.catalogue.gtin import has_right_check_digit, is_barcode, padded

GTIN, EXPIRES, LOT = "01", "17", "10"
FNC1 = "\x1d"
"""What a scanner gives for the separator after a value of open length."""
WRITTEN_FNC1 = re.compile(r"<GS>|\{GS\}|<FNC1>|\u241d", re.IGNORECASE)
"""How systems write that unseen character where they cannot keep it."""
SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9]")
"""What a scanner puts before the content to say which kind of barcode it was: `]C1`."""


@dataclass(frozen=True)
class Barcode:
    """What stands in a barcode; empty where it is not in it, and `note` says why something could not be read."""

    gtin: str = ""
    expires_on: date | None = None
    lot: str = ""
    note: str = ""


def read_barcode(text: str, batch_lot: str = "") -> Barcode:
    """Read a barcode's text, with or without separators or parentheses; never raises.

    `batch_lot`, as the notice tells it, shows where a lot ends that no separator ends.
    """
    content = WRITTEN_FNC1.sub(FNC1, SYMBOLOGY.sub("", text.strip()))
    if not content:
        return Barcode()
    if is_barcode(content):
        note = "" if has_right_check_digit(content) else "the check digit of its GTIN is wrong"
        return Barcode(gtin=padded(content), note=note)
    try:
        return _from_message(_parsed(content), batch_lot)
    except ParseError as error:
        return Barcode(note=f"not read as GS1: {error}"[:300])


def _parsed(content: str) -> GS1Message:
    if not content.startswith("("):
        return GS1Message.parse(content)
    message = GS1Message.parse_hri(content)
    # A parenthesis within a lot ends it for the library, without a word.
    written = "".join(f"({element.ai.ai}){element.value}" for element in message.element_strings)
    if written != "".join(content.split()):
        raise ParseError("a parenthesis stands within a value")
    return message


def _from_message(message: GS1Message, batch_lot: str) -> Barcode:
    values: dict[str, str] = {}
    expires_on, notes = None, []
    for element in message.element_strings:
        values.setdefault(element.ai.ai, element.value)
        if element.ai.ai == EXPIRES:
            expires_on = element.date
        if element.ai.ai == GTIN and element.gtin_error:
            notes.append("the check digit of its GTIN is wrong")
    if GTIN not in values:
        notes.append("it has no GTIN (AI 01)")
    lot = values.get(LOT, "")
    if batch_lot and lot != batch_lot and lot.startswith(batch_lot):
        separated = message.value.replace(LOT + lot, LOT + batch_lot + FNC1 + lot.removeprefix(batch_lot), 1)
        try:
            return _from_message(GS1Message.parse(separated), "")
        except ParseError:
            pass  # then the lot really is longer than the notice says
    return Barcode(values.get(GTIN, ""), expires_on, lot, "; ".join(notes))
