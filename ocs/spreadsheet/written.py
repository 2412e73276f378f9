"""Writes lines of a CSV file that a spreadsheet may open without running anything in it.

A cell that begins like a formula gets an apostrophe before it, which spreadsheets show as plain text (OWASP, "CSV
Injection"). Reading such a file back with `table.py` takes the apostrophe of an item's number off again.
"""

import csv
import io
from collections.abc import Iterable

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The four signs, their full-width forms, and what some programs skip before they look for them."""


def harmless(cell: object) -> str:
    """Give a cell's text, nothing for None; a number of Python's own is a number and stays as it is."""
    if cell is None:
        return ""
    if isinstance(cell, int | float):
        return str(cell)
    text = str(cell)
    return f"'{text}" if text.lstrip(" \u00a0").startswith(FORMULA_BEGINS) else text


def csv_lines(rows: Iterable[Iterable[object]]) -> str:
    """Write rows as CSV lines (RFC 4180), each cell harmless."""
    lines = io.StringIO()
    writer = csv.writer(lines)
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
    return lines.getvalue()
