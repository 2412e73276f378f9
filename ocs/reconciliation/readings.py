"""How a value is read before it is compared: two ways of writing the same thing are the same. Pure.

The platform gives numbers where we sent texts, times in another zone and with seven decimals, and null for what we
left empty (domain.md, "The Data Platform's API").
"""

from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from uuid import UUID

from ocs.regulator.wire import CENT

GTIN_DIGITS = 14


def written(value: object) -> str:
    """Give a value as text that can be kept and shown: null is the empty text, 3.0 is "3", a NUL is dropped."""
    if value is None:
        return ""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else str(value).replace("\x00", "").strip()


def number(text: str) -> object:
    """Read a number, whatever zeros stand behind its point; what is none stays text."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def money(text: str) -> object:
    """Read Canadian dollars to the cent; nothing is 0, since a line without a price is sent with 0."""
    try:
        return Decimal(text or 0).quantize(CENT, rounding=ROUND_HALF_UP)
    except InvalidOperation:
        return text


def instant(text: str) -> object:
    """Read a time as an instant, whatever its offset; one without an offset stays text: nobody knows its zone."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if read.tzinfo is None else read.astimezone(UTC)


def identity(text: str) -> object:
    """Read a UUID, whatever its case; what is none stays text."""
    try:
        return UUID(text)
    except ValueError:
        return text


def barcode(text: str) -> str:
    """Pad a barcode to 14 digits: leading zeros get lost where it is taken for a number."""
    return text.zfill(GTIN_DIGITS) if text.isascii() and text.isdigit() else text


def position_moment(text: str) -> tuple[datetime | None, date | None]:
    """Read of when a position is: its instant, its day, or both where a midnight may stand for a whole day.

    Whether the platform gives back the time that was sent or only its date is not known [C].
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None, None
    moment = read.astimezone(UTC) if read.tzinfo else None
    day = read.date() if moment is None or read.time() == time() else None
    return moment, day
