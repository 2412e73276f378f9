"""GTINs and what stands in a GS1 barcode.

Source: GS1 General Specifications. A GTIN-14 is an indicator digit (0 for the each, 1 to 8 for a case), twelve digits
and a check digit; a barcode's content is a row of application identifiers (AI), each followed by its value.
"""

from datetime import date
from functools import lru_cache

LENGTH, SHORTEST = 14, 12
CASES = frozenset("12345678")


def check_digit(body: str) -> str:
    """Give the check digit of a GTIN-14's first thirteen digits."""
    digits = [int(digit) for digit in body]
    return str(-(3 * sum(digits[0::2]) + sum(digits[1::2])) % 10)


def is_gtin(barcode: str) -> bool:
    """Tell whether a barcode has 12 to 14 digits and, padded to 14, the right check digit."""
    padded = barcode.zfill(LENGTH)
    digits = barcode.isascii() and barcode.isdigit() and SHORTEST <= len(barcode) <= LENGTH
    return digits and check_digit(padded[:-1]) == padded[-1]


def packed_as(gtin: str, indicator: int) -> str:
    """Give the GTIN-14 of the same item packed otherwise: 0 for the each, 1 to 8 for a case."""
    body = f"{indicator}{gtin.zfill(LENGTH)[1:-1]}"
    return body + check_digit(body)


@lru_cache(maxsize=65_536)
def comparable(barcode: str) -> str:
    """Give the form in which barcodes are compared: padded to 14, and a good GTIN of a case as that of its each."""
    padded = barcode.zfill(LENGTH)
    return packed_as(padded, 0) if padded[0] in CASES and is_gtin(padded) else padded


def label(gtin: str, expires: date, lot: str) -> str:
    """Give the content of a shipping label: AI 01 GTIN-14, AI 17 expiry (YYMMDD), AI 10 lot; no brackets on labels.

    The lot stands last, since its length varies: so no separator is needed.
    """
    return f"01{gtin.zfill(LENGTH)}17{expires:%y%m%d}10{lot}"
