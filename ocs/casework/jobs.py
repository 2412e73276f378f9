"""Sends many lines again, a few at a time: a job with progress and a way to stop.

A job is a row, with one row for each of its stores. Each step is one transaction in one store, so a death leaves the
job where the last step ended and the next sweep goes on. A store takes its next step when what was sent again before is
settled: today's sales never wait behind more than one step, and a store that is paused keeps no other store back.
"""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from ocs import telemetry
from ocs.audit.acts import Act
from ocs.casework.again import Found, next_lines
from ocs.casework.lines import LATEST
from ocs.casework.why import Cause
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.delivery import outbox
from ocs.delivery.sender import ring
from ocs.errors import Conflict, NotFound
from ocs.events.report import EVENTS
from ocs.runtime import Runtime
from ocs.tenants.read import store_by_id
from ocs.web.paging import Page, decode, page_of

SQL = load(__file__)
log = telemetry.logger("casework")
STEP = {"retry": 100, "replay": 500}
"""Lines of one step. What was refused may be refused again, and then each line costs calls of its own."""
STORES_AT_ONCE = 50
NEWEST = (LATEST, UUID(int=2**128 - 1))


class JobShown(BaseModel):
    """A job and how far it is: lines as counted when it was asked for, sent again, and left as they are."""

    job_id: UUID
    tenant_id: UUID
    what: Literal["retry", "replay"]
    cause: str | None
    recorded_from: AwareDatetime | None
    recorded_to: AwareDatetime | None
    asked_by: str
    asked_at: AwareDatetime
    state: Literal["running", "done", "cancelled"]
    finished_at: AwareDatetime | None
    stores: int
    stores_done: int
    lines: int
    sent_again: int
    left_as_is: int


class JobsPage(BaseModel):
    """A page of jobs, newest first."""

    items: list[JobShown]
    next: str | None


async def ask(connection: Connection, act: Act, found: Found) -> UUID:
    """Make a job of what a filter found, of one tenant's stores; raises Conflict where it found nothing."""
    if not found.stores:
        raise Conflict("no line matches: there is nothing to send again")
    tenant_id: UUID = found.stores[0]["tenant_id"]
    words = {
        "tenant_id": tenant_id,
        "what": found.what,
        "cause": found.cause,
        "recorded_from": found.recorded_from,
        "recorded_to": found.recorded_to,
        "asked_by": act.caller.name,
        "store_ids": [store["store_id"] for store in found.stores],
        "lines": [store["lines"] for store in found.stores],
        "firsts": [store["first"] for store in found.stores],
        "lasts": [store["last"] for store in found.stores],
    }
    row = await (await connection.execute(SQL["ask_job"], words)).fetchone()
    assert row is not None  # noqa: S101 - an insert without conflict always returns its rows
    job_id: UUID = row["job_id"]
    after = {"what": found.what, "lines": found.lines, "stores": len(found.stores)}
    await act.note(connection, f"{found.what}.asked", tenant_id=tenant_id, subject=str(job_id), after=after)
    return job_id


async def jobs(
    connection: Connection, tenant_ids: list[UUID] | None, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """Give a page of the jobs of some tenants, or of all (None), newest first; raises BadInput for a wrong cursor."""
    after = decode(cursor, datetime, UUID) if cursor else NEWEST
    words = {"tenant_ids": tenant_ids, "job_id": None, "after_at": after[0], "after_job": after[1], "most": limit + 1}
    rows = await (await connection.execute(SQL["jobs"], words)).fetchall()
    return page_of(rows, limit, "asked_at", "job_id")


async def job(connection: Connection, job_id: UUID) -> dict[str, Any] | None:
    """Give one job, or None; the caller's reach is checked on its tenant."""
    words = {"tenant_ids": None, "job_id": job_id, "after_at": NEWEST[0], "after_job": NEWEST[1], "most": 1}
    return await (await connection.execute(SQL["jobs"], words)).fetchone()


async def cancel(connection: Connection, act: Act, found: dict[str, Any]) -> dict[str, Any]:
    """Stop a job where it is; lines that it made due go out all the same. Raises Conflict when it runs no more."""
    job_id = found["job_id"]
    if await (await connection.execute(SQL["cancel_job"], {"job_id": job_id})).fetchone() is None:
        raise Conflict("the job is over already: it is done, or was cancelled")
    await act.note(connection, f"{found['what']}.cancelled", tenant_id=found["tenant_id"], subject=str(job_id))
    now = await job(connection, job_id)
    if now is None:
        raise NotFound(f"no job {job_id}")
    return now


async def run_jobs(runtime: Runtime) -> int:
    """Take each running job a step further in its stores; gives how many lines were made due again."""
    async with runtime.pool.transaction() as connection:
        due = await (await connection.execute(SQL["steps_due"], {"most": STORES_AT_ONCE})).fetchall()
    again = 0
    for one in due:
        step = await _step(runtime, one["job_id"], one["store_id"])
        if step:
            await ring(runtime, one["store_id"])
        again += step
    async with runtime.pool.transaction() as connection:
        await connection.execute(SQL["finish_jobs"])
    return again


@again_when_the_database_drops
async def _step(runtime: Runtime, job_id: UUID, store_id: UUID) -> int:
    """Make a store's next lines due again and note how far the job is, in one transaction; gives how many lines."""
    key = {"job_id": job_id, "store_id": store_id}
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["lock_step"], key)).fetchone()
        if row is None:
            return 0  # another worker is at it, or it was cancelled
        if row["is_under_way"]:
            await connection.execute(SQL["note_step"], key | _noted(row["after_sequence"], 0, ended=False))
            return 0
        store = await store_by_id(connection, store_id)
        stream = await outbox.lock(connection, store, EVENTS.name)
        cause = None if row["cause"] is None else Cause(row["cause"])
        found = Found(row["what"], cause, row["recorded_from"], row["recorded_to"])
        span = (row["after_sequence"], row["through_sequence"])
        sequences = await next_lines(connection, found, store_id, store.tenant_id, span, STEP[found.what])
        verb = outbox.redrive if found.what == "retry" else outbox.replay
        again = await verb(connection, stream, sequences)
        ended = len(sequences) < STEP[found.what]
        after = row["through_sequence"] if ended else sequences[-1]
        await connection.execute(SQL["note_step"], key | _noted(after, len(again), ended=ended))
    log.info("lines sent again", job_id=job_id, crsa=store.crsa, lines=len(again), ended=ended)
    return len(again)


def _noted(after_sequence: int, sent_again: int, *, ended: bool) -> dict[str, Any]:
    return {"after_sequence": after_sequence, "sent_again": sent_again, "ended": ended}
