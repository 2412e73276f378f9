"""Pages by cursor: an answer's `next` holds where the next page begins, and a caller sends it back as it is.

Always by key, never by a count of rows to pass over: the last page costs what the first one costs.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypedDict
from uuid import UUID

from fastapi import Query

from ocs.bad_input import bad_input

Cursor = Annotated[str | None, Query(max_length=1000, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of a page")]


class Page(TypedDict):
    """One page: its rows, and the cursor of the next page, null behind the last one."""

    items: list[dict[str, Any]]
    next: str | None


def page_of(rows: Sequence[dict[str, Any]], limit: int, *keys: str) -> Page:
    """Make a page of rows that were asked for with one more than `limit`; `keys` are what they are ordered by."""
    shown = list(rows[:limit])
    more = len(rows) > limit and shown
    return {"items": shown, "next": encode(*(shown[-1][key] for key in keys)) if more else None}


def encode(*values: object) -> str:
    """Write a row's keys as a cursor."""
    text = json.dumps([None if value is None else _text(value) for value in values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type) -> list[Any]:
    """Read a cursor's keys, each of its kind (datetime, date, int, UUID, Decimal or str); all None without a cursor.

    Raises BadInput for a cursor that no page gave.
    """
    if cursor is None:
        return [None] * len(kinds)
    try:
        given = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [
            None if value is None else _READERS[kind](value) for kind, value in zip(kinds, list(given), strict=True)
        ]
    except (ValueError, TypeError, AttributeError, KeyError, InvalidOperation, binascii.Error, RecursionError):
        raise bad_input("cursor", cursor, "`next` of the page before, as it was given") from None


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _instant(value: str) -> datetime:
    instant = datetime.fromisoformat(value)
    if instant.tzinfo is None:
        raise ValueError("no offset")
    return instant


def _number(value: str) -> int:
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError("not a number of a row")
    return number


def _words(value: str) -> str:
    if "\x00" in value:
        raise ValueError("NUL")
    value.encode()
    return value


def _decimal(value: str) -> Decimal:
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("not a number")
    return number


_READERS: dict[type, Callable[[str], Any]] = {
    datetime: _instant,
    date: date.fromisoformat,
    int: _number,
    UUID: UUID,
    Decimal: _decimal,
    str: _words,
}
