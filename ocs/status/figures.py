"""The figures by which a store, a connection and all of them together are judged; what each one counts is said here.

Instants are UTC, ages are seconds, "today" is the store's own business day in its own zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

Night = Literal["accepted", "under_way", "refused", "not_made", "not_due"]
"""What became of last night's position: the newest one that is due, an hour of grace included."""
WaitCause = Literal["upstream", "slow_down", "credentials", "ours"]
Credentials = Literal["good", "refused", "not_used"]
Breaker = Literal["closed", "ramping", "open"]


@dataclass(frozen=True)
class Snapshot:
    """The newest position of a store, of whatever date, and what became of it."""

    business_date: date
    revision: int
    state: str
    settled_at: datetime | None


@dataclass(frozen=True)
class StoreFigures:
    """What is known of one store now."""

    store_id: UUID
    tenant_id: UUID
    connection_id: UUID
    crol: str
    crsa: str
    name: str
    time_zone: str
    switched_on: bool
    paused_through: Literal["store", "connection", "tenant"] | None
    """What was paused, if anything: nothing of it goes out meanwhile, and nothing is lost."""
    paused_at: datetime | None
    paused_why: str | None
    anchored: bool
    """Its first position was accepted, so its events may go."""
    today: date
    """The business day that is counted."""
    taken_in: int
    """Event lines recorded today: the numbers that its stream has given since the first one of the day."""
    accepted: int
    """Event lines that the platform accepted today, whenever they were taken in."""
    pending: int
    """Event lines that are on their way now, of whatever day."""
    parked: int
    """Event lines that wait for a person or a mapping now."""
    oldest_unsent_seconds: float | None
    oldest_parked_seconds: float | None
    waits_for: WaitCause | None
    waits_since: datetime | None
    night_date: date
    night: Night
    night_text: str | None
    """Why last night's position is not accepted, in words."""
    snapshot: Snapshot | None
    alerts: int


@dataclass(frozen=True)
class Success:
    """Calls that were answered or failed, and those of them that were accepted; calls we never made do not count."""

    calls: int
    accepted: int
    rate: float | None
    """The accepted share, 0 to 1; null without calls."""

    @classmethod
    def of(cls, calls: int, accepted: int) -> "Success":
        """Make the share of two counts."""
        return cls(calls, accepted, round(accepted / calls, 4) if calls else None)


@dataclass(frozen=True)
class ConnectionFigures:
    """What is known of one connection to the Data Platform now."""

    connection_id: UUID
    tenant_id: UUID
    name: str
    environment: str
    credentials: Credentials
    last_good_use: datetime | None
    refused_since: datetime | None
    """The first refusal after the last good use."""
    token: Literal["given", "refused", "not_asked"]
    """Whether the sign-in gives tokens. Each worker holds its own for its lifetime; they are nowhere to be read."""
    breaker: Breaker
    until: datetime | None
    """No call is made before."""
    held_for: str | None
    """Why not: breaker, slow_down or credentials."""
    last_hour: Success
    last_day: Success


@dataclass(frozen=True)
class Latency:
    """Seconds from the sale's message to the acceptance, of the lines accepted in the last hour."""

    lines: int
    p50_seconds: float | None
    p95_seconds: float | None


@dataclass(frozen=True)
class Beside:
    """What stands open and belongs to no store: messages that could not be taken in, and alerts."""

    letters: int
    alerts: int


@dataclass(frozen=True)
class Coverage:
    """How many stores stand how with last night's position."""

    accepted: int
    under_way: int
    refused: int
    not_made: int
    not_due: int


@dataclass(frozen=True)
class Totals:
    """The sums over the stores that are looked at."""

    stores: int
    switched_on: int
    taken_in: int
    accepted: int
    pending: int
    parked: int
    oldest_unsent_seconds: float | None
    coverage: Coverage
    dead_letters: int
    """Messages that could not be taken in and are not mended yet."""
    alerts: int
    """Open alerts, of stores and of what is above them."""
    last_hour: Success
    last_day: Success
    latency: Latency


def connection_of(row: Mapping[str, Any]) -> ConnectionFigures:
    """Read a row of the query `connection_figures`."""
    refused, good = row["refused_since"], row["last_good_use"]
    signed_out = row["held_for"] == "credentials"
    return ConnectionFigures(
        connection_id=row["connection_id"],
        tenant_id=row["tenant_id"],
        name=row["name"],
        environment=row["environment"],
        credentials="refused" if refused else "good" if good else "not_used",
        last_good_use=good,
        refused_since=refused,
        token="refused" if signed_out else "given" if good else "not_asked",
        breaker=row["breaker"] or "closed",
        until=row["held_until"],
        held_for=row["held_for"],
        last_hour=Success.of(row["calls_hour"], row["accepted_hour"]),
        last_day=Success.of(row["calls_day"], row["accepted_day"]),
    )


def totals_of(
    stores: Iterable[StoreFigures], connections: Iterable[ConnectionFigures], latency: Latency, beside: Beside
) -> Totals:
    """Add the figures up."""
    stores, connections = list(stores), list(connections)
    nights = [store.night for store in stores if store.switched_on]
    ages = [store.oldest_unsent_seconds for store in stores if store.oldest_unsent_seconds is not None]
    hour, day = ([getattr(one, span) for one in connections] for span in ("last_hour", "last_day"))
    return Totals(
        stores=len(stores),
        switched_on=len(nights),
        taken_in=sum(store.taken_in for store in stores),
        accepted=sum(store.accepted for store in stores),
        pending=sum(store.pending for store in stores),
        parked=sum(store.parked for store in stores),
        oldest_unsent_seconds=max(ages, default=None),
        coverage=Coverage(
            accepted=nights.count("accepted"),
            under_way=nights.count("under_way"),
            refused=nights.count("refused"),
            not_made=nights.count("not_made"),
            not_due=nights.count("not_due"),
        ),
        dead_letters=beside.letters,
        alerts=sum(store.alerts for store in stores) + beside.alerts,
        last_hour=_sum(hour),
        last_day=_sum(day),
        latency=latency,
    )


def _sum(shares: Iterable[Success]) -> Success:
    shares = list(shares)
    return Success.of(sum(one.calls for one in shares), sum(one.accepted for one in shares))
