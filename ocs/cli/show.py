"""Writes answers for people: aligned tables, plain words, and colours on a terminal only."""

import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

RED, YELLOW, GREEN, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[32m", "\x1b[0m"
COLOURS = {
    "yes": GREEN,
    "accepted": GREEN,
    "good": GREEN,
    "at risk": YELLOW,
    "under way": YELLOW,
    "ramping": YELLOW,
    "no": RED,
    "refused": RED,
    "not made": RED,
    "open": RED,
}
"""Words that are coloured where they fill a cell, or stand alone."""
CELL = re.compile(rf"(?<![^ ])({'|'.join(sorted(COLOURS, key=len, reverse=True))})(?=  |$)", re.MULTILINE)
MINUTE, HOUR, DAY = 60, 3600, 86400
NOTHING = "-"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write rows in aligned columns, numbers to the right; no rows are said so."""
    if not rows:
        return "none"
    cells = [[cell(value) for value in row] for row in rows]
    widths = [max(len(head), *(len(row[n]) for row in cells)) for n, head in enumerate(heads)]
    right = [all(isinstance(row[n], int | float | None) for row in rows) for n in range(len(heads))]

    def line(texts: Sequence[str]) -> str:
        columns = zip(texts, widths, right, strict=True)
        return "  ".join(
            text.rjust(width) if to_right else text.ljust(width) for text, width, to_right in columns
        ).rstrip()

    return "\n".join([line([head.upper() for head in heads]), *(line(row) for row in cells)])


def cell(value: object) -> str:
    """Write one value on one line; what a POS sent may hold signs that would steer a terminal, shown as escapes."""
    if value is None:
        return NOTHING
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in str(value))


def age(seconds: float | None) -> str:
    """Write an age in the unit that a person would use."""
    if seconds is None:
        return NOTHING
    for unit, word in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.0f} {word}"
    return f"{seconds:.0f} s"


def share(rate: float | None) -> str:
    """Write a share in percent."""
    return NOTHING if rate is None else f"{rate:.1%}"


def said(word: str) -> str:
    """Write a program's word as people say it."""
    return word.replace("_", " ")


def painted(text: str, out: TextIO | None = None) -> str:
    """Colour the words that tell good from bad, on a terminal, unless NO_COLOR is set (no-color.org)."""
    stream: Any = out or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return text
    return CELL.sub(lambda found: f"{COLOURS[found[1]]}{found[1]}{PLAIN}", text)
