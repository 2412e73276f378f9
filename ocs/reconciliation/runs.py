"""The row of a read-back: who asked for it, which page is next, and who is at it.

A worker holds a lease, and its fence grows with every claim: who has an older one writes nothing. A death leaves the
row with its next page; when the lease is over, the next tick goes on there. It goes on and does not begin anew because
a large window has thousands of pages, more than one run of a function may last.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from ocs.bad_input import bad_input
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Conflict
from ocs.settings import Settings
from ocs.tenants.models import Store

SQL = load(__file__)
Subject = Literal["event", "position"]
SUBJECTS: tuple[Subject, ...] = ("event", "position")
LONGEST_WINDOW = timedelta(days=31)
MARGIN = timedelta(minutes=5)
"""How much wider the platform is asked on both sides: its clock and ours differ, and a POST takes its time."""
OLDEST = timedelta(days=3 * 366)
"""Records are kept three years (domain.md, "The month")."""
LEASE_MARGIN_SECONDS = 60
NO_WAIT = timedelta(0)


@dataclass(frozen=True)
class Place:
    """The page that is read next. A second look is for what the first did not find: corrections shift the pages."""

    subject: Subject = "event"
    look: int = 1
    page: int = 1


@dataclass(frozen=True)
class Run:
    """A read-back under a worker's lease; the window is of posting time, aware, its end not included."""

    read_back_id: UUID
    store_id: UUID
    tenant_id: UUID
    connection_id: UUID
    window_from: datetime
    window_to: datetime
    subject: Subject
    look: int
    page: int
    last_digest: bytes | None
    failures: int
    """Tries of this page that came to nothing, and the one under way where it is not the first of this lease."""
    fence: int
    kept: int

    @property
    def place(self) -> Place:
        """Give the page that is read next."""
        return Place(self.subject, self.look, self.page)

    @property
    def asked_window(self) -> tuple[datetime, datetime]:
        """Give the window that the platform is asked for."""
        return self.window_from - MARGIN, self.window_to + MARGIN

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Run":
        """Build it from a row of the table."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


async def ask(
    connection: Connection, store: Store, window: tuple[datetime, datetime], asked_by: str, wait: timedelta = NO_WAIT
) -> UUID:
    """Ask for a store to be read back; `wait` is how long no worker takes it up.

    Raises BadInput for a window that cannot be, and Conflict for a production store or while one is running.
    """
    if store.environment != "uat":
        raise Conflict(f"store {store.crsa} reports to {store.environment}: the platform can be read back in UAT only")
    start, end = window
    now = utc_now()
    if end > now:
        raise bad_input("to", end.isoformat(), f"a time not after now, {now.isoformat(timespec='seconds')}")
    if not timedelta(0) < end - start <= LONGEST_WINDOW:
        raise bad_input("from", start.isoformat(), f"a time before `to`, by {LONGEST_WINDOW.days} days at most")
    if start < now - OLDEST:
        raise bad_input("from", start.isoformat(), "a time within the three years for which records are kept")
    words = {
        "store_id": store.store_id,
        "tenant_id": store.tenant_id,
        "connection_id": store.connection_id,
        "window_from": start,
        "window_to": end,
        "asked_by": asked_by,
        "wait": wait,
    }
    row = await (await connection.execute(SQL["ask_read_back"], words)).fetchone()
    if row is None:
        raise Conflict(f"store {store.crsa} is being read back already: wait until that is done")
    read_back_id: UUID = row["read_back_id"]
    return read_back_id


async def claim(connection: Connection, settings: Settings, read_back_id: UUID | None) -> Run | None:
    """Take the read-back that has been due longest, or a named one; None when there is none or somebody is at it."""
    words = {"read_back_id": read_back_id, "lease": lease(settings)}
    row = await (await connection.execute(SQL["claim_read_back"], words)).fetchone()
    return None if row is None else Run.from_row(row)


async def hold(connection: Connection, run: Run) -> Run | None:
    """Lock the row for writing; None when another worker has taken over. Its place tells what is written already."""
    words = {"read_back_id": run.read_back_id, "fence": run.fence}
    row = await (await connection.execute(SQL["hold_read_back"], words)).fetchone()
    return None if row is None else Run.from_row(row)


async def turn(
    connection: Connection, settings: Settings, run: Run, place: Place, digest: bytes | None, kept: int
) -> Run:
    """Go to the next page, in the transaction that wrote this one's; `kept` is how many differences it kept."""
    words = {
        "read_back_id": run.read_back_id,
        "subject": place.subject,
        "look": place.look,
        "page": place.page,
        "digest": digest,
        "kept": kept,
        "lease": lease(settings),
    }
    row = await (await connection.execute(SQL["turn_page"], words)).fetchone()
    assert row is not None  # noqa: S101 - the row is locked by this transaction
    return Run.from_row(row)


async def put_down(
    connection: Connection, run: Run, wait: float = 0, failures: int = 0, said: str | None = None
) -> None:
    """Give the lease back, to be gone on with after `wait` seconds; `said` is why it waits."""
    words = {"read_back_id": run.read_back_id, "fence": run.fence, "failures": failures, "said": said}
    await connection.execute(SQL["put_down"], words | {"wait": timedelta(seconds=wait)})


async def end(connection: Connection, run: Run, state: Literal["done", "failed"], said: str | None = None) -> None:
    """End it, and drop what only a running one needs; nothing happens when another worker has taken over."""
    words = {"read_back_id": run.read_back_id, "fence": run.fence, "state": state, "said": said}
    if await (await connection.execute(SQL["end_read_back"], words)).fetchone() is not None:
        await connection.execute(SQL["forget_found"], {"read_back_id": run.read_back_id})


def lease(settings: Settings) -> timedelta:
    """Give how long a worker may be silent: a read that is tried twice, and signing in."""
    return timedelta(seconds=2 * settings.get_timeout_seconds + LEASE_MARGIN_SECONDS)
