"""Business days in Ontario's zones: 23, 24 and 25 hours, and when a position is due."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, strategies as st

from ocs.positions.business_day import ONE_DAY, business_day, days_between, last_due, stamp

TORONTO, KENORA, ATIKOKAN = "America/Toronto", "America/Winnipeg", "America/Atikokan"
zones = st.sampled_from([TORONTO, KENORA, ATIKOKAN])
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (TORONTO, date(2026, 3, 8), 23),
        (TORONTO, date(2026, 11, 1), 25),
        (KENORA, date(2026, 3, 8), 23),
        (KENORA, date(2026, 11, 1), 25),
        (ATIKOKAN, date(2026, 3, 8), 24),
        (ATIKOKAN, date(2026, 11, 1), 24),
        (TORONTO, date(2026, 11, 20), 24),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(zone: str, day: date, hours: int) -> None:
    its = business_day(day, zone)
    assert its.ends.astimezone(UTC) - its.begins.astimezone(UTC) == timedelta(hours=hours)


@given(days, zones)
def test_each_day_begins_where_the_one_before_ends_and_its_stamp_is_of_its_own_date(day: date, zone: str) -> None:
    its, before = business_day(day, zone), business_day(day - ONE_DAY, zone)
    assert before.ends == its.begins
    assert stamp(its.ends, zone).date() == day
    assert its.ends.astimezone(UTC) - stamp(its.ends, zone).astimezone(UTC) == timedelta(seconds=1)


@given(days, zones, st.times(max_value=time(23, 59)), st.integers(0, 25 * 60))
def test_what_is_due_is_over_and_never_goes_back(day: date, zone: str, snapshot_at: time, minutes: int) -> None:
    now = business_day(day, zone).begins.astimezone(UTC) + timedelta(minutes=minutes)
    due, later = last_due(now, zone, snapshot_at), last_due(now + timedelta(minutes=5), zone, snapshot_at)
    assert business_day(due, zone).ends <= now
    assert due <= later <= due + ONE_DAY


def test_a_position_is_due_at_one_oclock_of_the_stores_own_zone() -> None:
    at_one_in_toronto = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
    due = [last_due(at_one_in_toronto, zone, time(1)) for zone in (TORONTO, KENORA, ATIKOKAN)]
    assert due == [date(2026, 11, 20), date(2026, 11, 19), date(2026, 11, 20)]
    assert last_due(at_one_in_toronto - timedelta(seconds=1), TORONTO, time(1)) == date(2026, 11, 19)


def test_one_oclock_comes_twice_when_the_clocks_go_back_and_the_first_one_counts() -> None:
    first_one = datetime(2026, 11, 1, 5, 0, tzinfo=UTC)
    assert last_due(first_one, TORONTO, time(1)) == date(2026, 10, 31)
    assert last_due(first_one + timedelta(hours=1), TORONTO, time(1)) == date(2026, 10, 31)


def test_days_between_holds_both_ends() -> None:
    assert list(days_between(date(2026, 2, 27), date(2026, 3, 1))) == [
        date(2026, 2, 27),
        date(2026, 2, 28),
        date(2026, 3, 1),
    ]
    assert list(days_between(date(2026, 3, 1), date(2026, 2, 27))) == []
