"""How the page writes values, and what it draws of a day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from ocs.dashboard.chart import HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart_of
from ocs.dashboard.render import linked
from ocs.dashboard.words import MINUS, NOTHING, lasting, moment, money, number, percent, words
from ocs.status.day import Quarter

QUARTER = timedelta(minutes=15)


def day_of(begins: datetime, taken: list[int], seconds: float | None = None) -> list[Quarter]:
    """Give a day's quarters, half of each accepted and the rest parked."""
    return [
        Quarter(begins + n * QUARTER, count, count // 2, 0, count - count // 2, seconds, seconds)
        for n, count in enumerate(taken)
    ]


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/Toronto", "1 Nov 2026, 01:30:00 EDT"),
        ("America/Winnipeg", "1 Nov 2026, 00:30:00 CDT"),
        ("America/Atikokan", "1 Nov 2026, 00:30:00 EST"),
    ],
)
def test_an_instant_is_told_in_the_stores_own_zone(zone: str, shown: str) -> None:
    assert moment(datetime(2026, 11, 1, 5, 30, tzinfo=UTC), zone) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, NOTHING),
        (0, "0 s"),
        (0.0124, "12 ms"),
        (2.24, "2.2 s"),
        (59.9, "60 s"),
        (61, "1 min"),
        (3661, "1 h 1 min"),
        (200_000, "2 days"),
    ],
)
def test_a_span_is_told_in_the_unit_that_people_use(seconds: float | None, shown: str) -> None:
    assert lasting(seconds) == shown


def test_numbers_have_no_needless_zeros_and_a_readable_minus() -> None:
    assert [number(Decimal("-1200.0000")), number(Decimal("1E+3")), number(None)] == [f"{MINUS}1,200", "1,000", NOTHING]
    assert [money(Decimal("-0.5")), percent(0.985), percent(1.0), words("store.not_made")] == [
        f"{MINUS}$0.50", "98.5 %", "100 %", "store not made",
    ]  # fmt: skip


def test_a_store_in_a_text_becomes_a_link_and_nothing_else_does() -> None:
    said = linked("<b>CRSA1234567</b>, xCRSA1234567 and CRSA12345678")
    assert said == (
        '&lt;b&gt;<a href="/api/dashboard/stores/CRSA1234567">CRSA1234567</a>&lt;/b&gt;, xCRSA1234567 and CRSA12345678'
    )


@given(st.lists(st.integers(0, 10_000), min_size=92, max_size=100), st.none() | st.floats(0, 100_000))
def test_everything_drawn_is_inside_the_drawing(taken: list[int], seconds: float | None) -> None:
    chart = chart_of(day_of(datetime(2026, 11, 1, 4, tzinfo=UTC), taken, seconds), "America/Toronto")
    for bar in chart.bars:
        assert bar.x >= LEFT
        assert bar.x + bar.width <= WIDTH - RIGHT
        for top, height in (bar.taken, bar.accepted, bar.parked):
            assert top >= TOP - 0.001
            assert top + height <= HEIGHT
    assert all(TOP - 0.001 <= y <= HEIGHT for _, y in chart.latency)
    assert sum(hour.taken_in for hour in chart.table) == sum(taken) == chart.taken_in


def test_a_day_of_25_hours_has_both_hours_of_the_clocks_change() -> None:
    begins = datetime(2026, 11, 1, 4, tzinfo=UTC)
    chart = chart_of(day_of(begins, [1] * 100), "America/Toronto")
    assert len(chart.table) == 25
    assert [label.text for label in chart.hours] == [
        "00:00",
        "03:00",
        "06:00",
        "09:00",
        "12:00",
        "15:00",
        "18:00",
        "21:00",
    ]
    assert date(2026, 11, 1) == begins.date()
