"""How hard a connection may be called: the circuit breaker and the cap on concurrent calls, kept in Postgres.

Instances come and go and cannot be capped low, so no process keeps any of this. The rules are pure functions; the
transactions that use them lock the connection's row.

  closed ── 5 failures in a row, or 70 % of at least 10 in 30 s ──▶ open
  open ──── its wait is over and one probe is answered ───────────▶ ramping   (calls at a time double up to the cap)
  ramping ─ the cap is reached ───────────────────────────────────▶ closed
  open, ramping ── a call fails ──────────────────────────────────▶ open      (its wait doubles)
"""

import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from ocs import telemetry
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.settings import Settings

SQL = load(__file__)
log = telemetry.logger("delivery")

FAILURES_IN_A_ROW = 5
LEAST_CALLS = 10
FAILED_SHARE = 0.7
WINDOW = timedelta(seconds=30)
LONGEST_OPEN = 10
"""The breaker's wait doubles with each failed probe, up to this many times the first."""
LONG_OUTAGE = 5
"""Openings in a row, with no answer in between, that staff should know of: some eight minutes."""
JITTER = 0.1
"""Waits differ by up to a tenth, so that stores that failed together do not come back together."""


@dataclass(frozen=True)
class Pace:
    """A connection's breaker: `allowed` calls at a time now, of `cap` on a good day."""

    state: Literal["closed", "open", "ramping"]
    allowed: int
    cap: int
    failures: int
    times_opened: int


def after_success(pace: Pace) -> Pace:
    """Give the pace after a call was answered: a probe's answer starts the ramp, each further one doubles it."""
    if pace.state == "closed":
        return replace(pace, failures=0)
    allowed = min(max(pace.allowed, 1) * 2, pace.cap)
    if allowed >= pace.cap:
        return replace(pace, state="closed", allowed=pace.cap, failures=0, times_opened=0)
    return replace(pace, state="ramping", allowed=allowed, failures=0)


def after_failure(pace: Pace, failed: int, total: int) -> Pace:
    """Give the pace after a call failed; `failed` of `total` calls did in the last 30 seconds."""
    failures = pace.failures + 1
    too_many = failures >= FAILURES_IN_A_ROW or (total >= LEAST_CALLS and failed >= FAILED_SHARE * total)
    if pace.state == "closed" and not too_many:
        return replace(pace, failures=failures)
    return replace(pace, state="open", allowed=1, failures=failures, times_opened=pace.times_opened + 1)


def open_seconds(first: float, times_opened: int) -> float:
    """Give the breaker's wait before its next probe, before jitter: `first`, twice that, … up to ten times."""
    return min(first * 2.0 ** min(times_opened - 1, 10), first * LONGEST_OPEN)


def backoff_seconds(schedule: tuple[float, ...], failures: int) -> float:
    """Give the wait after a batch's n-th counted failure, before jitter; the schedule's last wait repeats."""
    return schedule[min(failures, len(schedule)) - 1]


def jittered(seconds: float) -> float:
    """Spread a wait by up to a tenth either way."""
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads load, keeps no secret


async def prepare(connection: Connection, connection_id: UUID | None = None) -> None:
    """Give one connection, or all, a pace and its call slots, and follow a cap that was changed."""
    words = {"connection_id": connection_id}
    await connection.execute(SQL["save_paces"], words)
    await connection.execute(SQL["save_slots"], words)


async def note_success(connection: Connection, connection_id: UUID) -> None:
    """Tell the breaker that the platform answered; on a calm day this reads one row and writes nothing."""
    row = await (await connection.execute(SQL["disturbed_pace"], {"connection_id": connection_id})).fetchone()
    if row is None:
        return
    before = Pace(**row)
    recovered = before.state == "open"
    await _save(connection, connection_id, after_success(before), recovered=recovered)
    if recovered:
        log.info("breaker: the platform answers again", connection_id=connection_id)


@dataclass(frozen=True)
class Judged:
    """What the breaker makes of a failure: whether it counts against the batch, and whether the outage is long.

    It does not count while the breaker is open or ramping: the platform is known to be down, and the batch is innocent.
    """

    counts: bool
    long_outage: bool = False


async def note_failure(connection: Connection, settings: Settings, connection_id: UUID, attempt_id: int) -> Judged:
    """Tell the breaker of a failure."""
    words = {"connection_id": connection_id, "attempt_id": attempt_id, "window": WINDOW}
    row = await (await connection.execute(SQL["failing_pace"], words)).fetchone()
    if row is None:
        return Judged(counts=True)
    old_news, failed, total = row.pop("old_news"), row.pop("failed"), row.pop("total")
    before = Pace(**row)
    if old_news:  # it was sent before the breaker opened, and says nothing about the platform now
        return Judged(counts=False)
    after = after_failure(before, failed, total)
    hold = jittered(open_seconds(settings.breaker_open_seconds, after.times_opened)) if after.state == "open" else None
    await _save(connection, connection_id, after, hold=hold)
    if hold is not None:
        log.warning("breaker: open", connection_id=connection_id, seconds=round(hold, 1), failures=after.failures)
    return Judged(counts=before.state == "closed", long_outage=after.times_opened >= LONG_OUTAGE)


async def hold_all(connection: Connection, connection_id: UUID, seconds: float, cause: str) -> None:
    """Let nobody call on the connection for a while."""
    words = {"connection_id": connection_id, "hold": timedelta(seconds=seconds), "cause": cause}
    await connection.execute(SQL["hold_connection"], words)


async def _save(
    connection: Connection, connection_id: UUID, pace: Pace, *, hold: float | None = None, recovered: bool = False
) -> None:
    words: dict[str, Any] = {
        "connection_id": connection_id,
        "state": pace.state,
        "allowed": pace.allowed,
        "failures": pace.failures,
        "times_opened": pace.times_opened,
        "recovered": recovered,
        "opens": hold is not None,
        "hold": timedelta(seconds=hold or 0),
    }
    await connection.execute(SQL["save_pace"], words)
