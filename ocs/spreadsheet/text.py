"""Turns the bytes of a CSV file into text, or says why they are none and how to save the file so that they are."""

import codecs
import re
from collections.abc import Collection

from ocs.bad_input import BadInput, FieldFault, quoted

LARGEST_FILE = 4 * 1024 * 1024
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx and .xls files begin."""
CURE = 'in Excel: save as "CSV UTF-8 (comma delimited)"'
OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "upright bars"}
LINE_END = re.compile(r"\r\n|\r|\n")


def wrong_file(place: str, found: str, expected: str) -> BadInput:
    """Make the error for a file that cannot be trusted as a whole; `found` is a description, not a quotation."""
    return BadInput([FieldFault(place, found, expected)])


def text_of(body: bytes) -> str:
    """Give a file's text, UTF-8 with or without a byte order mark, or UTF-16 with one; raises BadInput."""
    if len(body) > LARGEST_FILE:
        raise wrong_file("the whole file", f"{len(body)} bytes", f"at most {LARGEST_FILE} bytes: send it in parts")
    if body.startswith(WORKBOOKS):
        raise wrong_file("the whole file", "an Excel workbook", f"a CSV file; {CURE}")
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return body.decode("utf-16")
        except UnicodeDecodeError:
            raise wrong_file("the whole file", "broken UTF-16", f"a file in UTF-8; {CURE}") from None
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start : error.start + 1]
        line = len(LINE_END.findall(error.object[: error.start].decode("latin-1"))) + 1
        found = f'the byte 0x{wrong.hex()} ("{wrong.decode("cp1252", errors="replace")}" in Windows-1252)'
        raise wrong_file(f"line {line}", found, f"a file in UTF-8; {CURE}") from None


def require_commas(line: int, header: str, names: Collection[str]) -> None:
    """Raise BadInput for a header line that has its columns' names by another delimiter than the comma."""
    by_comma = _known(header, ",", names)
    for delimiter, shown in OTHER_DELIMITERS.items():
        if _known(header, delimiter, names) > by_comma:
            found = f"{shown} between the columns: {quoted(header)}"
            raise wrong_file(f"line {line}", found, f"commas between them; {CURE}")


def _known(header: str, delimiter: str, names: Collection[str]) -> int:
    cells = [cell.strip().strip('"').strip().lower() for cell in header.split(delimiter)]
    return len(set(cells) & set(names))
