"""Barcodes as GTINs: padded to 14 digits, their check digit, and the each inside a case. Pure.

Source: GS1 General Specifications; domain.md, "Formats".
"""

import re

LENGTH = 14
SHORTEST, LONGEST = 12, 14
BARCODE = re.compile(r"^[0-9]{12,14}$")


def is_barcode(text: str) -> bool:
    """Tell whether a text is 12 to 14 digits, as barcodes are kept here."""
    return BARCODE.match(text) is not None


def padded(barcode: str) -> str:
    """Give a barcode as 14 digits, as which barcodes are compared; a text that is no barcode stays as it is."""
    return barcode.zfill(LENGTH) if is_barcode(barcode) else barcode


def check_digit(body: str) -> str:
    """Give the check digit of a GTIN without it (GS1 mod 10): digits weigh 3 and 1 in turn from the right."""
    weighted = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body)))
    return str(-weighted % 10)


def has_right_check_digit(digits: str) -> bool:
    """Check a GTIN's last digit, whatever its length."""
    return check_digit(digits[:-1]) == digits[-1]


def is_case(barcode: str) -> bool:
    """Tell whether a barcode is that of a case: its indicator, the first of 14 digits, is 1 to 8."""
    return is_barcode(barcode) and "1" <= padded(barcode)[0] <= "8"


def each_of(barcode: str) -> str:
    """Give the barcode of the each inside a case, indicator 0 and a check digit of its own; an each's stays its own.

    10628582000521 is a case of 00628582000524.
    """
    digits = padded(barcode)
    if not is_case(digits):
        return digits
    body = "0" + digits[1:-1]
    return body + check_digit(body)
