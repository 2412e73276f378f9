"""Reads an environment's item catalogue from the platform, page by page, and keeps what is new, different and gone.

A reading ("sync") is a row: the page that is read next, and who is at it. Each page is one call without a database
connection, then one transaction that writes it and goes to the next. A worker holds a lease, and its fence grows with
every claim: who has an older one writes nothing. A death leaves the row with its next page; once the lease is over,
the next tick goes on there.
"""

import time
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Literal

from ocs import telemetry
from ocs.catalogue.pages import Page, read_page, write_page
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.errors import Conflict
from ocs.regulator.client import regulator_of
from ocs.regulator.faults import RegulatorFault, SlowDown
from ocs.runtime import Runtime
from ocs.tenants.models import Store

SQL = load(__file__)
log = telemetry.logger("catalogue")
RUN_SECONDS = 45.0
"""How long one run begins new pages: the next tick goes on, and other sweeps wait for the slowest one of a tick."""
WAITS = (15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds after the first, second, … failure of one page in a row; the last one repeats."""
SECOND_PAGE = 2
"""A list that had no more than one page before its end cannot have shifted between two."""
MOST_PAGES = 1000
"""A hundred thousand items: many times what OCS sells, so the list has no end."""
NIGHTLY_GAP = timedelta(hours=12)
"""A nightly tick that comes again so soon is the same one."""
MISSED_AFTER = timedelta(hours=26)
"""A nightly tick that has not come by then was missed."""
GIVEN_UP_AFTER = timedelta(hours=20)
"""A reading that takes so long makes room for the next night's: the list has changed under it."""
LEASE_MARGIN_SECONDS = 60
EndState = Literal["done", "suspicious"]


@dataclass(frozen=True)
class Sync:
    """A reading under a worker's lease."""

    sync_id: int
    environment: str
    accepts_short: bool
    look: int
    next_page: int
    first_digest: bytes | None
    last_digest: bytes | None
    items: int
    failures: int
    """Tries of this page that came to nothing, and the one under way where it is not the first of this lease."""
    fence: int

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Sync":
        """Build it from a row of the table."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


async def ask_sync(connection: Connection, environment: str, asked_by: str, *, accepts_short: bool = False) -> int:
    """Ask for a catalogue to be read, or for the reading under way to wait no longer; gives the reading's number.

    `accepts_short` is a person's word that a list of less than half of what was there is right. Raises Conflict where
    no store reports to the environment: nobody could sign the call.
    """
    rows = await (await connection.execute(SQL["environments"])).fetchall()
    if environment not in [row["environment"] for row in rows]:
        raise Conflict(f"no store reports to {environment}: onboard one first, its connection signs the call")
    words = {"environment": environment, "asked_by": asked_by, "accepts_short": accepts_short}
    row = await (await connection.execute(SQL["ask_sync"], words)).fetchone()
    assert row is not None  # noqa: S101 - an insert that updates on conflict always returns its row
    sync_id: int = row["sync_id"]
    return sync_id


async def ask_nightly(runtime: Runtime) -> int:
    """Ask for the catalogue of each environment that stores report to; gives how many readings were begun."""
    return await _ask_when_old(runtime, NIGHTLY_GAP)


async def run_syncs(runtime: Runtime) -> int:
    """Take the readings that are due further, one after the other; gives how many pages were read.

    Also ends those that take too long, and asks for what a missed tick should have asked for: at once for an
    environment whose catalogue was never read.
    """
    await _give_up_old(runtime)
    await _ask_when_old(runtime, MISSED_AFTER)
    until = time.monotonic() + RUN_SECONDS
    pages = 0
    while time.monotonic() < until and (sync := await _claim(runtime, None)) is not None:
        pages += await _go_on(runtime, sync, until)
    return pages


async def sync_catalogue(runtime: Runtime, environment: str) -> dict[str, Any]:
    """Read an environment's catalogue now, or go on with the reading under way; gives the row as it then stands.

    Where the platform fails or the time is over, it is still `running`: the timer goes on with it. Raises Conflict
    where no store reports to the environment.
    """
    async with runtime.pool.transaction() as connection:
        sync_id = await ask_sync(connection, environment, "command line")
    sync = await _claim(runtime, sync_id)
    if sync is not None:
        await _go_on(runtime, sync, time.monotonic() + RUN_SECONDS)
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["sync"], {"sync_id": sync_id})).fetchone()
    assert row is not None  # noqa: S101 - nothing deletes a sync
    return row


@again_when_the_database_drops
async def _ask_when_old(runtime: Runtime, older_than: timedelta) -> int:
    async with runtime.pool.transaction() as connection:
        rows = await connection.execute(SQL["ask_sync_when_old"], {"older_than": older_than})
        return len(await rows.fetchall())


@again_when_the_database_drops
async def _give_up_old(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["give_up_old"], {"older_than": GIVEN_UP_AFTER})).fetchall()
    for row in rows:
        log.error("the item catalogue could not be read", environment=row["environment"], said=row["said"])


@again_when_the_database_drops
async def _claim(runtime: Runtime, sync_id: int | None) -> Sync | None:
    async with runtime.pool.transaction() as connection:
        words = {"sync_id": sync_id, "lease": _lease(runtime)}
        row = await (await connection.execute(SQL["claim_sync"], words)).fetchone()
    return None if row is None else Sync.from_row(row)


async def _go_on(runtime: Runtime, sync: Sync, until: float) -> int:
    """Read pages until the list ends, the time (monotonic clock) is over or the platform fails; gives how many."""
    going: Sync | None = sync
    pages = 0
    while going is not None:
        if time.monotonic() >= until:
            await _put_down(runtime, going)
            break
        store = await _store_that_asks(runtime, going)
        if store is None:
            await _put_down(runtime, going, WAITS[-1], 0, "no store reports to this environment any more")
            break
        try:
            page = read_page(await regulator_of(runtime).catalogue(store, going.next_page))
        except RegulatorFault as fault:
            await _after_fault(runtime, going, fault)
            break
        pages += 1
        going = await _write(runtime, going, page)
    return pages


async def _store_that_asks(runtime: Runtime, sync: Sync) -> Store | None:
    words = {"environment": sync.environment, "failures": max(sync.failures - 1, 0)}
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["store_that_asks"], words)).fetchone()
    return None if row is None else Store.from_row(row)


@again_when_the_database_drops
async def _write(runtime: Runtime, read: Sync, page: Page) -> Sync | None:
    """Write a page and go to the next; None when the reading has ended or another worker has taken over."""
    async with runtime.pool.transaction() as connection:
        words = {"sync_id": read.sync_id, "fence": read.fence}
        row = await (await connection.execute(SQL["hold_sync"], words)).fetchone()
        if row is None:
            return None
        sync = Sync.from_row(row)
        if (sync.look, sync.next_page) != (read.look, read.next_page):
            return sync  # the transaction's first try was committed though its answer got lost
        if page.lines == 0 or page.digest in (sync.first_digest, sync.last_digest):
            return await _end(connection, sync, _lease(runtime))
        if sync.next_page > MOST_PAGES:
            await _close(
                connection, sync, "suspicious", 0, f"the platform's list does not end: {MOST_PAGES} pages read"
            )
            return None
        counts = await write_page(connection, sync.environment, sync.sync_id, page)
        turned = vars(counts) | {"digest": page.digest, "unusable": page.unusable, "lease": _lease(runtime)}
        row = await (await connection.execute(SQL["turn_page"], turned | {"sync_id": sync.sync_id})).fetchone()
        assert row is not None  # noqa: S101 - the row is locked by this transaction
        return Sync.from_row(row)


async def _end(connection: Connection, sync: Sync, lease: timedelta) -> Sync | None:
    """End a reading: what it has not seen is gone, unless it saw so little that the answer itself is doubtful.

    What is missing is looked for once more: an item that OCS takes out meanwhile lets those behind it move up, one of
    them past the page that was just read.
    """
    words = {"environment": sync.environment, "sync_id": sync.sync_id}
    row = await (await connection.execute(SQL["seen_again"], words)).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    if row["seen"] < row["before"] and sync.look == 1 and sync.next_page > SECOND_PAGE:
        again = await (await connection.execute(SQL["look_again"], words | {"lease": lease})).fetchone()
        assert again is not None  # noqa: S101 - the row is locked by this transaction
        return Sync.from_row(again)
    if sync.items == 0 or (row["seen"] * 2 < row["before"] and not sync.accepts_short):
        said = (
            f"{row['seen']} of {row['before']} items were there: the platform may have answered short, nothing is gone"
        )
        await _close(connection, sync, "suspicious", 0, said)
        return None
    gone = (await connection.execute(SQL["let_unseen_go"], words)).rowcount
    await connection.execute(SQL["drop_old_barcodes"], words)
    await _close(connection, sync, "done", gone)
    return None


async def _close(connection: Connection, sync: Sync, state: EndState, gone: int, said: str | None = None) -> None:
    words = {"sync_id": sync.sync_id, "state": state, "gone": gone, "said": said}
    row = await (await connection.execute(SQL["end_sync"], words)).fetchone()
    assert row is not None  # noqa: S101 - the row is locked by this transaction
    facts = {name: row[name] for name in ("environment", "items", "added", "changed", "back", "gone")}
    if state == "done":
        log.info("item catalogue read", **facts)
    else:
        log.error("the item catalogue looks wrong", said=said, **facts)


async def _after_fault(runtime: Runtime, sync: Sync, fault: RegulatorFault) -> None:
    """Wait as told, or longer after each failure of the same page; the next try asks with another connection."""
    said = f"page {sync.next_page}: {fault.message}"
    log.warning("a page of the item catalogue could not be read", environment=sync.environment, said=said)
    failures = max(sync.failures, 1)
    if isinstance(fault, SlowDown):
        await _put_down(runtime, sync, fault.retry_after, failures - 1, said)
    else:
        await _put_down(runtime, sync, WAITS[min(failures, len(WAITS)) - 1], failures, said)


@again_when_the_database_drops
async def _put_down(runtime: Runtime, sync: Sync, wait: float = 0, failures: int = 0, said: str | None = None) -> None:
    words = {"sync_id": sync.sync_id, "fence": sync.fence, "failures": failures, "said": said}
    async with runtime.pool.transaction() as connection:
        await connection.execute(SQL["put_down"], words | {"wait": timedelta(seconds=wait)})


def _lease(runtime: Runtime) -> timedelta:
    """Give how long a worker may be silent: a page that is asked for twice (new token), and signing in."""
    return timedelta(seconds=2 * runtime.settings.get_timeout_seconds + LEASE_MARGIN_SECONDS)
