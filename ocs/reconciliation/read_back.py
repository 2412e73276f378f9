"""Reads back what the Data Platform holds of a store's window, page by page, and tells how it differs (UAT only).

Each page is one call without a database connection, then one transaction that judges it, writes what it came to and
goes to the next: a death between two pages costs nothing, one in a page costs that page's call.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.errors import Conflict
from ocs.reconciliation import pages, runs
from ocs.reconciliation.meanings import Tally, Verdict, Way, verdicts
from ocs.reconciliation.pages import Page
from ocs.reconciliation.runs import SUBJECTS, Place, Run
from ocs.regulator.client import regulator_of
from ocs.regulator.faults import CredentialsRefused, RegulatorFault, Rejected, SlowDown
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_by_id

SQL = load(__file__)
log = telemetry.logger("reconciliation")
WAITS = (15.0, 60.0, 300.0, 900.0)
"""Seconds after the first, second, … failure of one page in a row; after one more the read-back has failed."""
MOST_TRIES = len(WAITS) + 1
MOST_PAGES = 10_000
"""A million lines of one store: more than any has in the longest window, so the list has no end."""
KEPT_FOR_COMMAND = timedelta(minutes=10)
"""How long no worker takes up what a command is about to do itself."""
MOST_SHOWN = 100


@dataclass(frozen=True)
class Result:
    """How a read-back stands: `counts` of lines by subject and outcome, what it says of each transaction type."""

    row: dict[str, Any]
    counts: dict[str, dict[str, int]]
    verdicts: list[Verdict]
    differences: Sequence[dict[str, Any]] = ()


async def run_read_backs(runtime: Runtime) -> int:
    """Take the read-backs that are due further, one after the other, for as long as a drain; gives the pages read."""
    until = time.monotonic() + runtime.settings.drain_seconds
    read = 0
    while time.monotonic() < until and (run := await _claim(runtime, None)) is not None:
        read += await _go_on(runtime, run, until)
    return read


async def read_back_now(runtime: Runtime, store: Store, start: datetime, end: datetime) -> Result:
    """Read a store back from one posting time to another and give the result; raises BadInput and Conflict.

    Where the platform fails, the result is of a read-back that still runs: the app's timer goes on with it.
    """
    async with runtime.pool.transaction() as connection:
        asked = await runs.ask(connection, store, (start, end), "command line", KEPT_FOR_COMMAND)
    run = await _claim(runtime, asked)
    if run is None:
        raise Conflict(f"another worker is at read-back {asked}: ask for its result")
    await _go_on(runtime, run, until=None)
    async with runtime.pool.transaction() as connection:
        result = await result_of(connection, asked)
        assert result is not None  # noqa: S101 - nothing deletes a read-back
        shown = await differences(connection, result.row, limit=MOST_SHOWN)
    return replace(result, differences=shown)


async def result_of(connection: Connection, read_back_id: UUID) -> Result | None:
    """Give how a read-back stands, without its differences; None when there is none of this id."""
    words = {"read_back_id": read_back_id}
    row = await (await connection.execute(SQL["read_back"], words)).fetchone()
    if row is None:
        return None
    counts: dict[str, dict[str, int]] = {subject: {} for subject in SUBJECTS}
    async for one in await connection.execute(SQL["counts"], words):
        counts[one["subject"]][one["outcome"]] = one["lines"]
    tallies = []
    async for one in await connection.execute(SQL["ways"], words):
        lines, sent, there = (one.pop(name) for name in ("lines", "sent", "there"))
        tallies.append(Tally(Way(**one), lines, sent, there))
    return Result(row, counts, verdicts(tallies))


async def differences(
    connection: Connection, row: dict[str, Any], *, after: int = 0, kind: str | None = None, limit: int
) -> list[dict[str, Any]]:
    """Give the differences of a read-back's row in the order they were found, after the one of a number."""
    words = {"read_back_id": row["read_back_id"], "tenant_id": row["tenant_id"], "after": after, "kind": kind}
    return await (await connection.execute(SQL["differences"], words | {"most": limit})).fetchall()


def describe(result: Result) -> str:
    """Write a result for people: how it stands, the numbers, each type's verdict, the first differences."""
    row = result.row
    lines = [
        f"read-back {row['read_back_id']} of {row['crsa']}, {row['window_from']} to {row['window_to']}: {row['state']}"
        + (f", {row['said']}" if row["said"] else "")
    ]
    for subject, counted in result.counts.items():
        numbers = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
        lines.append(f"{subject}s: {numbers or 'none'}")
    lines += [
        f"{verdict.transaction_type}: {verdict.words}{'; may be confirmed' * verdict.may_confirm}"
        for verdict in result.verdicts
    ]
    for one in result.differences:
        values = f"ours {one['ours'] or '-'}, theirs {one['theirs'] or '-'}"
        where = f"{one['subject']} {one['reference']} {one['ocs_sku']} {one['upc']}"
        lines.append(f"{one['kind']}  {where}  {one['field'] or 'line'}: {values}")
    if row["kept"] > len(result.differences):
        lines.append(f"… and {row['kept'] - len(result.differences)} more")
    return "\n".join(lines)


@again_when_the_database_drops
async def _claim(runtime: Runtime, read_back_id: UUID | None) -> Run | None:
    async with runtime.pool.transaction() as connection:
        return await runs.claim(connection, runtime.settings, read_back_id)


async def _go_on(runtime: Runtime, run: Run, until: float | None) -> int:
    """Read pages until the read-back ends, the time is over or the platform fails; gives how many were read."""
    async with runtime.pool.transaction() as connection:
        store = await store_by_id(connection, run.store_id)
    read = 0
    going: Run | None = run
    if why := _why_not(run, store):
        await _end(runtime, run, why)
        return read
    while going is not None:
        if until is not None and time.monotonic() >= until:
            await _put_down(runtime, going)
            break
        try:
            page = await pages.fetch(regulator_of(runtime), store, going)
        except RegulatorFault as fault:
            await _after_fault(runtime, going, fault)
            break
        read += 1
        going = await _write_page(runtime, store, going, page)
    return read


@again_when_the_database_drops
async def _write_page(runtime: Runtime, store: Store, read: Run, page: Page) -> Run | None:
    """Write a page and go to the next; None when the read-back has ended or another worker has taken over."""
    async with runtime.pool.transaction() as connection:
        run = await runs.hold(connection, read)
        if run is None or run.place != read.place:
            return run  # the transaction's first try was committed though its answer got lost
        if not page.is_empty and (fault := _endless(run, page)):
            await runs.end(connection, run, "failed", fault)
            return None
        if not page.is_empty:
            kept = await pages.write(connection, store, run, page)
            following = replace(run.place, page=run.page + 1)
            return await runs.turn(connection, runtime.settings, run, following, page.digest, kept)
        missing = await pages.missing(connection, run, is_last_look=_is_last_look(run.place))
        place = _after_last_page(run.place, missing.lines)
        going = await runs.turn(connection, runtime.settings, run, place or run.place, None, missing.kept)
        if place is None:
            await runs.end(connection, run, "done")
            log.info("read back", crsa=store.crsa, read_back_id=str(run.read_back_id), differences=going.kept)
            return None
        return going


def _is_last_look(place: Place) -> bool:
    """Tell whether what is missing when the list ends is missing for good; a list without a page needs no second look.

    A line that is corrected meanwhile leaves the window, and those behind it move up, one of them past the page that
    was just read: so what is missing is looked for once more.
    """
    return place.look == pages.SECOND_LOOK or place.page == 1


def _after_last_page(place: Place, missing: int) -> Place | None:
    """Give where to go on when a list has ended; None at the end of all."""
    if missing and not _is_last_look(place):
        return replace(place, look=pages.SECOND_LOOK, page=1)
    following = SUBJECTS[SUBJECTS.index(place.subject) + 1 :]
    return Place(following[0]) if following else None


def _endless(run: Run, page: Page) -> str | None:
    """Say why the list seems to have no end, or nothing."""
    if page.digest == run.last_digest:
        return f"the platform gave page {run.page} of the {run.subject}s with the same content as the page before"
    return f"the platform's list of {run.subject}s does not end" if run.page >= MOST_PAGES else None


def _why_not(run: Run, store: Store) -> str | None:
    """Say why a read-back cannot go on, or nothing; workers that die of a page must not try it for ever."""
    if store.environment != "uat" or store.connection_id != run.connection_id:
        return "the store has got another connection since this was asked for"
    if run.failures > MOST_TRIES:
        return f"page {run.page} of the {run.subject}s was begun {MOST_TRIES} times and came to nothing: see the log"
    return None


async def _after_fault(runtime: Runtime, run: Run, fault: RegulatorFault) -> None:
    """Wait as told, or longer after each failure of the same page; what a repeat cannot mend ends the read-back."""
    said = f"page {run.page} of the {run.subject}s: {fault.message}"
    log.warning("a page could not be read back", read_back_id=str(run.read_back_id), said=said)
    failures = max(run.failures, 1)
    if isinstance(fault, SlowDown):
        await _put_down(runtime, run, fault.retry_after, failures - 1, said)
    elif isinstance(fault, CredentialsRefused | Rejected):
        await _end(runtime, run, said)
    elif failures >= MOST_TRIES:
        await _end(runtime, run, f"{failures} times in a row, {said}")
    else:
        await _put_down(runtime, run, WAITS[failures - 1], failures, said)


@again_when_the_database_drops
async def _put_down(runtime: Runtime, run: Run, wait: float = 0, failures: int = 0, said: str | None = None) -> None:
    async with runtime.pool.transaction() as connection:
        await runs.put_down(connection, run, wait, failures, said)


@again_when_the_database_drops
async def _end(runtime: Runtime, run: Run, said: str) -> None:
    async with runtime.pool.transaction() as connection:
        await runs.end(connection, run, "failed", said)
