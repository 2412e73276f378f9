"""How the page writes values: instants in the store's own zone with the zone named, spans, counts and money."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

ONTARIO = "America/Toronto"
"""The zone in which is shown what belongs to no store."""
MINUTE, HOUR, DAY = 60, 3600, 86400
TENTHS_BELOW = 10
"""Seconds below which tenths are shown."""
NOTHING = "–"  # noqa: RUF001 - a dash where there is no value
MINUS = "−"  # noqa: RUF001 - as wide as a digit, and read as minus


def words(value: object) -> str:
    """Give a code such as `not_made` or `store.paused` as words."""
    return re.sub("[_.-]", " ", str(value))


def moment(at: datetime | None, zone: str = ONTARIO) -> str:
    """Give an instant in a zone: 21 Nov 2026, 09:36:05 EST."""
    if at is None:
        return "never"
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y, %H:%M:%S} {_zone_name(local)}"


def clock(at: datetime, zone: str = ONTARIO) -> str:
    """Give an instant's time of day in a zone: 09:36."""
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def day(value: date | None) -> str:
    """Give a date: Sat 21 Nov 2026."""
    return NOTHING if value is None else f"{value:%a} {value.day} {value:%b %Y}"


def _zone_name(local: datetime) -> str:
    name = local.tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def lasting(seconds: float | None) -> str:
    """Give a span of time: 40 s, 12 min, 3 h 5 min, 2 days."""
    if seconds is None:
        return NOTHING
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds else "0 s"
    if seconds < MINUTE:
        return f"{seconds:.0f} s" if seconds >= TENTHS_BELOW else f"{seconds:.1f} s".replace(".0 s", " s")
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min"
    if seconds < 2 * DAY:
        return f"{seconds // HOUR:.0f} h {seconds % HOUR // MINUTE:.0f} min"
    return f"{seconds // DAY:.0f} days"


def ago(at: datetime | None, now: datetime) -> str:
    """Give how long ago an instant was."""
    return "never" if at is None else f"{lasting(max((now - at) / timedelta(seconds=1), 0.0))} ago"


def number(value: Decimal | float | str | None) -> str:
    """Give a number without needless zeros, its thousands set apart; eaches and counts."""
    if value is None:
        return NOTHING
    text = f"{Decimal(str(value)).normalize():,f}"
    return text.replace("-", MINUS)


def money(value: Decimal | str | None) -> str:
    """Give Canadian dollars: $49.95."""
    if value is None:
        return NOTHING
    amount = Decimal(value)
    return f"{MINUS if amount < 0 else ''}${abs(amount):,.2f}"


def percent(share: float | None) -> str:
    """Give a share of one: 98.5 %."""
    return NOTHING if share is None else f"{share * 100:.1f} %".replace(".0 %", " %")
