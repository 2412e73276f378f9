"""A store's business days in its own zone: when they begin and end, and which of them are over. Pure.

A business day is [its midnight, the next midnight) in the store's own zone: 23 or 25 hours long where clocks change.
OCS does not say where its own day ends (domain.md, "Formats").
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class BusinessDay:
    """One day of one zone; both instants are aware."""

    business_date: date
    begins: datetime
    ends: datetime
    """The first instant that is not in it."""


def business_day(business_date: date, time_zone: str) -> BusinessDay:
    """Give a date's business day in an IANA zone."""
    zone = ZoneInfo(time_zone)
    begins, ends = (datetime.combine(day, time(), zone) for day in (business_date, business_date + ONE_DAY))
    return BusinessDay(business_date, begins, ends)


def last_due(now: datetime, time_zone: str, snapshot_at: time) -> date:
    """Give the newest date whose position is due at an instant: yesterday's from `snapshot_at` local on."""
    local = now.astimezone(ZoneInfo(time_zone))
    due = datetime.combine(local.date(), snapshot_at, ZoneInfo(time_zone))
    return local.date() - (ONE_DAY if now >= due else 2 * ONE_DAY)


def days_between(first: date, last: date) -> Iterator[date]:
    """Give the dates from the first to the last, both included."""
    for number in range((last - first).days + 1):
        yield first + number * ONE_DAY


def stamp(as_of: datetime, time_zone: str) -> datetime:
    """Give the time that goes out with a position as of an instant: the last second that is in it.

    So that its date is the business date in the store's own zone, and not the day after (docs/decisions/0012).
    """
    return (as_of.astimezone(UTC) - ONE_SECOND).astimezone(ZoneInfo(time_zone))
