"""The shape of a store's day: what was sold and what of it is accepted, quarter by quarter, with the latency above it.

Numbers only: the template draws them, and beside the drawing stands a table of the same day by the hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from ocs.status.day import Quarter

WIDTH, HEIGHT = 960, 240
LEFT, RIGHT, TOP, BOTTOM = 40, 48, 16, 24
PLOT_WIDTH, PLOT_HEIGHT = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
HOURS_BETWEEN_LABELS = 3
LEAST_SECONDS = 5.0
"""The least span of the latency's scale, so that a quick day does not look like a slow one."""
STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Bar:
    """A quarter's bar: what was taken in, what of it is accepted from the ground up, and what is parked above that."""

    x: float
    width: float
    taken: tuple[float, float]
    """Top and height, as in the others."""
    accepted: tuple[float, float]
    parked: tuple[float, float]


@dataclass(frozen=True)
class Label:
    """A text at a place of an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Hour:
    """The figures of an hour, for the table; the latency is that of its slowest quarter, in seconds."""

    begins: datetime
    taken_in: int
    accepted: int
    pending: int
    parked: int
    p95_seconds: float | None


@dataclass(frozen=True)
class Chart:
    """All that is drawn of a day, in a box of WIDTH x HEIGHT, and the same in figures."""

    bars: Sequence[Bar]
    latency: Sequence[tuple[float, float]]
    hours: Sequence[Label]
    lines: Sequence[Label]
    seconds: Sequence[Label]
    table: Sequence[Hour]
    taken_in: int
    accepted: int
    pending: int
    parked: int
    slowest: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    ground: int = TOP + PLOT_HEIGHT

    @property
    def path(self) -> str:
        """The latency's points as an SVG polyline has them."""
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.latency)


def chart_of(quarters: Sequence[Quarter], zone: str) -> Chart:
    """Reckon a day's chart; hours are those of the store's zone, so a day may have 23 or 25 of them."""
    most = _round_up(max((one.taken_in for one in quarters), default=0))
    slowest = max((one.p95_seconds for one in quarters if one.p95_seconds is not None), default=None)
    longest = float(_round_up(max(slowest or 0.0, LEAST_SECONDS)))
    step = PLOT_WIDTH / max(len(quarters), 1)
    bars = [_bar(one, LEFT + number * step, step, most) for number, one in enumerate(quarters) if one.taken_in]
    latency = [
        (LEFT + (number + 0.5) * step, _y(one.p95_seconds / longest))
        for number, one in enumerate(quarters)
        if one.p95_seconds is not None
    ]
    return Chart(
        bars=bars,
        latency=latency,
        hours=_hours(quarters, zone, step),
        lines=[Label(_y(share), f"{most * share:g}") for share in (0.0, 0.5, 1.0)],
        seconds=[Label(_y(share), f"{longest * share:g} s") for share in (0.0, 0.5, 1.0)],
        table=table_of(quarters, zone),
        taken_in=sum(one.taken_in for one in quarters),
        accepted=sum(one.accepted for one in quarters),
        pending=sum(one.pending for one in quarters),
        parked=sum(one.parked for one in quarters),
        slowest=slowest,
    )


def table_of(quarters: Sequence[Quarter], zone: str) -> list[Hour]:
    """Add the quarters of each hour up; hours in which nothing happened are left out."""
    local = ZoneInfo(zone)
    hours = []
    for _, grouped in groupby(quarters, lambda one: one.begins.astimezone(local).strftime("%d %H %z")):
        some = list(grouped)
        seconds = [one.p95_seconds for one in some if one.p95_seconds is not None]
        counts = {
            name: sum(getattr(one, name) for one in some) for name in ("taken_in", "accepted", "pending", "parked")
        }
        if counts["taken_in"]:
            hours.append(Hour(some[0].begins, **counts, p95_seconds=max(seconds, default=None)))
    return hours


def _bar(one: Quarter, x: float, step: float, most: int) -> Bar:
    accepted, both = one.accepted / most, (one.accepted + one.parked) / most
    return Bar(
        x=x + step * 0.1,
        width=step * 0.8,
        taken=_span(0.0, one.taken_in / most),
        accepted=_span(0.0, accepted),
        parked=_span(accepted, both),
    )


def _span(low: float, high: float) -> tuple[float, float]:
    return _y(high), (high - low) * PLOT_HEIGHT


def _y(share: float) -> float:
    return TOP + (1 - share) * PLOT_HEIGHT


def _hours(quarters: Sequence[Quarter], zone: str, step: float) -> list[Label]:
    local = ZoneInfo(zone)
    starts = [(number, one.begins.astimezone(local)) for number, one in enumerate(quarters)]
    return [
        Label(LEFT + number * step, f"{at:%H:%M}")
        for number, at in starts
        if at.minute == 0 and at.hour % HOURS_BETWEEN_LABELS == 0
    ]


def _round_up(value: float) -> int:
    """Give the next round number, 1, 2 or 5 with zeros, so that the axis reads well."""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= value:
                return step * power
        power *= 10
