"""What the platform holds: every line by its id for ever, every position by its instant and each of its postings.

Kept lean, since a bench brings a million lines: the content of a line is one text (see contract/shape.py).
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TypeVar

Key = TypeVar("Key")
TICKS = 10_000_000
"""Posting times are counted in 100 ns, the seven decimals of the platform's own stamps."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Posting:
    """One accepted call: when it was posted (100 ns since 1970, UTC), and by which POS."""

    ticks: int
    pos_vendor: str
    pos_vendor_version: str

    @property
    def stamp(self) -> str:
        """Write the posting time as the platform does: "2022-09-28T20:00:31.2033333Z"."""
        seconds, rest = divmod(self.ticks, TICKS)
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:07d}Z"


def posting(pos_vendor: str, pos_vendor_version: str) -> Posting:
    """Give a posting of now."""
    return Posting(time.time_ns() // 100, pos_vendor, pos_vendor_version)


def ticks(instant: datetime) -> int:
    """Give an aware instant in the unit of posting times."""
    return (instant - EPOCH) // timedelta(microseconds=1) * 10


@dataclass(slots=True)
class Entry:
    """A line or a position as it stands: the content of its last acceptance."""

    content: str
    posting: Posting
    first_number: int
    last_number: int
    times_received: int = 1
    _others: set[int] | None = None

    @property
    def contents_seen(self) -> int:
        """How many distinct contents came under this id."""
        return len(self._others) if self._others else 1

    def replace(self, content: str, by: Posting, number: int) -> None:
        """Take the content of a later acceptance."""
        if content != self.content:
            self._others = (self._others or {hash(self.content)}) | {hash(content)}
            self.content = content
        self.posting = by
        self.last_number = number
        self.times_received += 1


@dataclass(slots=True)
class StoreLedger:
    """What one store has reported: lines by the bytes of their id, positions by their instant in UTC.

    `position_postings` keeps each posting of a position, in order, also where a later one replaced it.
    """

    lines: dict[bytes, Entry] = field(default_factory=dict)
    positions: dict[datetime, Entry] = field(default_factory=dict)
    position_postings: list[tuple[Posting, str]] = field(default_factory=list)
    lines_received: int = 0

    def lines_posted(self, first: int, last: int) -> list[Entry]:
        """Give the lines posted between two times (100 ns, both included), in order of posting."""
        posted = (entry for entry in self.lines.values() if first <= entry.posting.ticks <= last)
        return sorted(posted, key=attrgetter("last_number"))

    def positions_posted(self, first: int, last: int) -> list[tuple[Posting, str]]:
        """Give each posting of a position between two times (100 ns, both included) with its content, in order."""
        return [posted for posted in self.position_postings if first <= posted[0].ticks <= last]


class Ledger:
    """The ledgers of all stores, by CRSA."""

    def __init__(self) -> None:
        """Start empty; arrival numbers are given to lines and positions of all stores in one sequence."""
        self._stores: dict[str, StoreLedger] = {}
        self._number = 0

    def store(self, crsa: str) -> StoreLedger:
        """Give what a store has reported; an empty ledger where it has reported nothing."""
        return self._stores.get(crsa) or StoreLedger()

    def stores(self) -> dict[str, StoreLedger]:
        """Give the ledgers of the stores that have reported."""
        return self._stores

    def record_lines(self, crsa: str, ids: list[bytes], contents: list[str], by: Posting) -> None:
        """Record a whole batch in its order; the same id replaces the line."""
        store = self._stores.setdefault(crsa, StoreLedger())
        for line_id, content in zip(ids, contents, strict=True):
            self._put(store.lines, line_id, content, by)
        store.lines_received += len(ids)

    def record_position(self, crsa: str, instant: datetime, content: str, by: Posting) -> None:
        """Record what a store held at an instant; the same instant replaces it."""
        store = self._stores.setdefault(crsa, StoreLedger())
        kept = self._put(store.positions, instant, content, by)
        store.position_postings.append((by, kept.content))

    def _put(self, entries: dict[Key, Entry], key: Key, content: str, by: Posting) -> Entry:
        self._number += 1
        known = entries.get(key)
        if known is None:
            entries[key] = known = Entry(content, by, self._number, self._number)
        else:
            known.replace(content, by, self._number)
        return known

    def forget(self, crsa: str | None) -> None:
        """Drop what one store has reported, or all of it."""
        if crsa is None:
            self._stores.clear()
        else:
            self._stores.pop(crsa, None)
