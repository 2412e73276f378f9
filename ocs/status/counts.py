"""Source = outbox = accepted: the counts of each store and day, and the difference between them named in words.

A store's stream numbers its lines without gaps, under one lock, in the transaction that writes the line and its outbox
row. So a day is a range of numbers, and a row that is missing on either side, or on both, is a number without it. A
day's range begins with the first line recorded in it: of two messages taken in within the same instant at midnight, one
may be counted with the other's day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.positions.business_day import business_day, days_between

SQL = load(__file__)
COUNTED = (
    "numbers",
    "lines",
    "outbox_items",
    "accepted",
    "parked",
    "pending",
    "superseded",
    "lines_alone",
    "items_alone",
)


@dataclass(frozen=True)
class Counted:
    """What one store's day came to, in event lines (each correction is a line of its own).

    `numbers` were given by the stream. `lines_alone` have no outbox row, `items_alone` are outbox rows without a line.
    """

    numbers: int
    lines: int
    outbox_items: int
    accepted: int
    parked: int
    pending: int
    superseded: int
    lines_alone: int
    items_alone: int

    @property
    def lost(self) -> int:
        """Numbers that are neither a line nor an outbox row."""
        return self.numbers - self.lines - self.items_alone


Agreement = Literal["equal", "explained", "differs"]


@dataclass(frozen=True)
class Difference:
    """How the three counts agree: equal, explained (nothing is missing, not all is accepted), or they differ."""

    agreement: Agreement
    words: tuple[str, ...]


@dataclass(frozen=True)
class CountedDay:
    """A store's business day, in its own zone, with its counts and their difference."""

    store_id: UUID
    crsa: str
    day: date
    counts: Counted
    difference: Difference


def difference_of(counts: Counted) -> Difference:
    """Name the difference between the lines recorded, the outbox and what was accepted."""
    broken = [
        (counts.lines_alone, "recorded without an outbox row: nobody will send it"),
        (counts.items_alone, "in the outbox without the line that was recorded: it cannot be shown or sent again"),
        (counts.lost, "numbered, and neither recorded nor in the outbox: it is lost"),
    ]
    waiting = [
        (counts.pending, "on its way"),
        (counts.parked, "parked: it waits for a person or for its SKU to be mapped"),
        (counts.superseded, "replaced by a correction before it was sent"),
    ]
    said = [f"{number} of {counts.numbers} lines: {words}." for number, words in (*broken, *waiting) if number]
    agreement: Agreement = "differs" if any(number for number, _ in broken) else "explained" if said else "equal"
    return Difference(agreement, tuple(said))


async def counts_of(
    connection: Connection, tenant_id: UUID, dates: tuple[date, date], after: str | None, most: int
) -> list[list[CountedDay]]:
    """Give the counts of a tenant's stores from the first to the last date, both included: each store's days together.

    The stores come by CRSA, those after `after`, at most `most`.
    """
    words = {"tenant_id": tenant_id, "after": after, "most": most}
    stores = await (await connection.execute(SQL["stores_of_counts"], words)).fetchall()
    days = list(days_between(*dates))
    asked = [(store["store_id"], business_day(day, store["time_zone"])) for store in stores for day in days]
    columns = {
        "store_ids": [store_id for store_id, _ in asked],
        "days": [day.business_date for _, day in asked],
        "begins": [day.begins for _, day in asked],
        "ends": [day.ends for _, day in asked],
    }
    rows = await (await connection.execute(SQL["counts_of_days"], columns)).fetchall()
    found = {(row["store_id"], row["day"]): row for row in rows}
    return [[_counted(store, day, found.get((store["store_id"], day))) for day in days] for store in stores]


def _counted(store: Mapping[str, Any], day: date, row: Mapping[str, Any] | None) -> CountedDay:
    counts = Counted(**{name: 0 if row is None else row[name] for name in COUNTED})
    return CountedDay(store["store_id"], store["crsa"], day, counts, difference_of(counts))


def summed(days: Sequence[CountedDay]) -> Counted:
    """Add the counts of several days up."""
    return Counted(**{name: sum(getattr(day.counts, name) for day in days) for name in COUNTED})
