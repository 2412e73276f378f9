"""One store's business day in quarters of an hour: what came in, what became of it, and how long it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from ocs.bad_input import bad_input
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.positions.business_day import business_day
from ocs.tenants.models import Store

SQL = load(__file__)
QUARTER = timedelta(minutes=15)
OLDEST = date(2018, 10, 17)
"""Since when cannabis is sold by law in Canada (Cannabis Act, S.C. 2018, c. 16)."""


@dataclass(frozen=True)
class Quarter:
    """A quarter of an hour: the event lines recorded in it and what became of them by now.

    The latencies are seconds from the sale's message to the acceptance, of those that were accepted.
    """

    begins: datetime
    taken_in: int
    accepted: int
    pending: int
    parked: int
    p50_seconds: float | None
    p95_seconds: float | None


def require_day(field: str, day: date, newest: date) -> None:
    """Raise BadInput for a day of which nothing can have been recorded."""
    if not OLDEST <= day <= newest:
        raise bad_input(field, str(day), f"a date from {OLDEST} to {newest}")


async def day_of_store(connection: Connection, store: Store, day: date) -> list[Quarter]:
    """Give all quarters of a store's business day in its own zone: 96 of them, 92 or 100 where clocks change.

    Raises BadInput for a day that is not yet, or before there was anything to record.
    """
    require_day("day", day, store.local(utc_now()).date())
    span = business_day(day, store.time_zone)
    begins, ends = span.begins.astimezone(UTC), span.ends.astimezone(UTC)
    words = {"store_id": store.store_id, "begins": begins, "ends": ends}
    rows = await (await connection.execute(SQL["quarters_of_day"], words)).fetchall()
    found = {row["begins"]: row for row in rows}
    return [_quarter(begins + n * QUARTER, found.get(begins + n * QUARTER)) for n in range((ends - begins) // QUARTER)]


def _quarter(begins: datetime, row: Mapping[str, Any] | None) -> Quarter:
    if row is None:
        return Quarter(begins, 0, 0, 0, 0, None, None)
    seconds = [None if row[name] is None else round(row[name], 3) for name in ("p50", "p95")]
    return Quarter(begins, row["taken_in"], row["accepted"], row["pending"], row["parked"], *seconds)
