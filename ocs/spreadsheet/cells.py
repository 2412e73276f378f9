"""Reads one cell of a table: its text, a number in it, and the damage that spreadsheets do to both.

A wrong cell raises ValueError; the error's words say what was expected, for the person who made the file.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

Value = str | Decimal

FORMULA = re.compile(r'^="(?P<text>[^"]*)"$')
"""How some programs make Excel keep leading zeros: `="00708762000695"`."""
SCIENTIFIC = re.compile(r"^[+-]?[0-9]+([.,][0-9]+)?E[+-][0-9]{1,3}$", re.IGNORECASE)
NUMBER = re.compile(r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$")
THOUSANDS = re.compile(r"^[+-]?[0-9]{1,3}(([ ,'\u2019\u00a0\u202f][0-9]{3})+(\.[0-9]*)?|(\.[0-9]{3})+,[0-9]*)$")
DECIMAL_COMMA = re.compile(r"^[+-]?[0-9]*,[0-9]+$")
SHORTEST_BARCODE, LONGEST_BARCODE = 12, 14
CENTS_PLACES = 4
EXCELS_DOING = "Excel turned it into a number and its digits are lost: format the column as text, then fill it in again"


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    SKU = "sku"
    """An item's number, the OCS's or a POS's own; its underscores are kept."""
    BARCODE = "barcode"
    """12 to 14 digits, kept as text with their leading zeros."""
    EACHES = "eaches"
    """A whole number of eaches."""
    MONEY = "money"
    """Canadian dollars with a decimal point and at most four decimals."""


@dataclass(frozen=True)
class Column:
    """One column of a table: its name in the header, what it holds, and whether every line must fill it.

    A column that is not required may be missing altogether. `most` bounds numbers, `longest` the characters of texts.
    """

    name: str
    kind: Kind = Kind.TEXT
    required: bool = True
    below_zero: bool = False
    most: Decimal = Decimal(1_000_000)
    longest: int = 100


def read_cell(column: Column, raw: str) -> Value | None:
    """Give a cell's value, None where it is empty; raises ValueError with what was expected."""
    _refuse_unseen_characters(column, raw)
    text = raw.strip()
    formula = FORMULA.match(text)
    if formula:
        text = formula["text"].strip()
    if not text:
        if column.required:
            raise ValueError("a value: the column must be filled in every line")
        return None
    if column.kind in (Kind.EACHES, Kind.MONEY):
        return _number(column, text)
    return _text(column, text)


def _refuse_unseen_characters(column: Column, raw: str) -> None:
    # A name may be written with joiners (Cf); in a number of any kind they make two that look alike different.
    refused = ("Cc",) if column.kind is Kind.TEXT else ("Cc", "Cf")
    for character in raw:
        if unicodedata.category(character) in refused:
            raise ValueError(f"text without the unseen character U+{ord(character):04X}")


def _text(column: Column, text: str) -> str:
    if column.kind is not Kind.TEXT:
        text = text.removeprefix("'")
        if SCIENTIFIC.match(text):
            raise ValueError(f"the number as it was before Excel: {EXCELS_DOING}")
    if column.kind is Kind.BARCODE:
        _refuse_no_barcode(text)
    if len(text) > column.longest:
        raise ValueError(f"at most {column.longest} characters")
    return text


def _refuse_no_barcode(text: str) -> None:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("12 to 14 digits and nothing else")
    if len(text) < SHORTEST_BARCODE:
        raise ValueError(
            "12 to 14 digits: leading zeros may have been lost in Excel; format the column as text, fill it in again"
        )
    if len(text) > LONGEST_BARCODE:
        raise ValueError("12 to 14 digits")


def _number(column: Column, text: str) -> Decimal:
    example = "12" if column.kind is Kind.EACHES else "12.50"
    if not NUMBER.match(text):
        raise ValueError(_what_the_number_should_be(text, example))
    # Adding 0 makes 0 of -0; 28 digits are far more than any bound here, so nothing else is rounded.
    number = Decimal(text)
    if abs(number) > column.most:
        raise ValueError(f"at most {column.most:f}")
    if number < 0 and not column.below_zero:
        raise ValueError("0 or more")
    if column.kind is Kind.EACHES:
        if number != number.to_integral_value():
            raise ValueError("a whole number of eaches (a case of 12 counts 12)")
        return number.to_integral_value() + 0
    if number != round(number, CENTS_PLACES):
        raise ValueError(f"at most {CENTS_PLACES} decimals")
    return number + 0


def _what_the_number_should_be(text: str, example: str) -> str:
    if THOUSANDS.match(text):
        return f"a number without separators between thousands, such as {example}"
    if DECIMAL_COMMA.match(text):
        return f"a number with a decimal point, not a comma, such as {example}"
    if "$" in text:
        return f"a number without a currency sign, such as {example}"
    return f"a number such as {example}"
