"""The staff's routes to event lines: find them, read why one waits, submit, retry, replay and correct."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ocs import runtime
from ocs.access.caller import Caller, TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import bad_input
from ocs.casework import again, jobs
from ocs.casework.again import Counted, LineAgain, Submitted
from ocs.casework.correct import Corrected, Correction, correct
from ocs.casework.jobs import JobShown, JobsPage
from ocs.casework.line import LineShown, find_line, line
from ocs.casework.lines import LinesPage, Status, Wanted, history, stores_of
from ocs.casework.pending import WaitingPage, pending
from ocs.casework.why import Cause
from ocs.db.pool import Connection
from ocs.delivery.sender import ring
from ocs.errors import NotFound
from ocs.tenants.models import Store, TransactionType
from ocs.tenants.reach import row_in_reach, store_in_reach, tenant_in_reach
from ocs.tenants.read import store_by_id
from ocs.web.paging import Cursor, Limit
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/events", tags=["events"])
LONGEST_REPLAY, LONGEST_OF_TENANT = timedelta(days=92), timedelta(days=7)
"""Of one store, and of all a tenant's: its lines are counted while somebody waits for the answer."""
ACCEPTED = 202

Reference = Annotated[str, Field(min_length=1, max_length=100)]
StoreQuery = Annotated[str | None, Query(min_length=1, max_length=100, description="The store's id or CRSA")]
TenantQuery = Annotated[str | None, Query(min_length=1, max_length=100, description="The tenant's id or CROL")]
TextQuery = Annotated[str | None, Query(min_length=1, max_length=100)]
Sequence = Annotated[int, Field(ge=1, le=2**63 - 1)]
Revision = Annotated[
    str, Header(alias="If-Match", pattern=r'^"[0-9]{1,9}"$', description='The revision that was looked at, as `"3"`')
]


def _wanted(
    recorded_from: Annotated[AwareDatetime | None, Query(alias="from", description="Recorded then or later")] = None,
    recorded_to: Annotated[AwareDatetime | None, Query(alias="to", description="Recorded before")] = None,
    sku: Annotated[TextQuery, Query(description="The OCS SKU or the POS's own, to the letter")] = None,
    transaction_id: TextQuery = None,
    line_id: UUID | None = None,
    status: Status | None = None,
    reference_id: TextQuery = None,
    type_: Annotated[TransactionType | None, Query(alias="type")] = None,
) -> Wanted:
    return Wanted(recorded_from, recorded_to, sku, transaction_id, line_id, status, reference_id, type_)


TheWanted = Annotated[Wanted, Depends(_wanted)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Submit(_Body):
    """Which recorded transaction is to go now."""

    store_id: Reference = Field(description="The store's id or CRSA")
    transaction_id: Reference


class _Stores(_Body):
    store_id: Reference | None = Field(None, description="One store, by id or CRSA")
    tenant: Reference | None = Field(None, description="All stores of a tenant, by id or CROL")
    dry_run: Annotated[bool, Field(description="Count and show some, change nothing")] = False


class Retry(_Stores):
    """Which parked lines are to go again: named ones of one store at once, or all that a filter finds as a job."""

    line_ids: Annotated[list[UUID], Field(max_length=200)] = []
    sequences: Annotated[list[Sequence], Field(max_length=200)] = []
    cause: Cause | None = None
    recorded_from: AwareDatetime | None = None
    recorded_to: AwareDatetime | None = None


class Replay(_Stores):
    """Which accepted lines are to go again, by when they were recorded: 92 days of a store, 7 of a tenant at most."""

    recorded_from: AwareDatetime
    recorded_to: AwareDatetime


class SentAgain(BaseModel):
    """What came of it: of a dry run what was found, of named lines each result, of a filter the job that does it."""

    found: Counted | None = None
    lines: list[LineAgain] | None = None
    job: JobShown | None = None


@router.get("/history/{store_id}")
@open_to(Role.VIEWER)
async def get_history(
    store_id: str, caller: TheCaller, wanted: TheWanted, cursor: Cursor = None, limit: Limit = 50
) -> LinesPage:
    """List a store's event lines, the newest first."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, caller, store_id)
        page = await history(connection, [store.store_id], wanted, cursor=cursor, limit=limit)
    return LinesPage.model_validate(page)


@router.get("/search")
@open_to(Role.VIEWER)
async def search(caller: TheCaller, wanted: TheWanted, cursor: Cursor = None, limit: Limit = 50) -> LinesPage:
    """List event lines of all stores, the newest first; takes a filter that narrows, not the status or type alone."""
    if not wanted.narrows:
        expected = "at least one of sku, transaction_id, line_id, reference_id, or both from and to"
        raise bad_input("the filters", "none that narrows", expected)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store_ids = await stores_of(connection, caller.tenants)
        page = await history(connection, store_ids, wanted, cursor=cursor, limit=limit)
    return LinesPage.model_validate(page)


@router.get("/lines/{line_id}")
@open_to(Role.VIEWER)
async def get_line(line_id: UUID, caller: TheCaller, store: StoreQuery = None) -> LineShown:
    """Give one line: every revision, every try to send it, and why it is not sent yet."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await _store_of_line(connection, caller, store, line_id)
        return LineShown.model_validate(await line(connection, found, line_id))


@router.get("/pending")
@open_to(Role.VIEWER)
async def get_pending(
    caller: TheCaller,
    store: StoreQuery = None,
    tenant: TenantQuery = None,
    cause: Cause | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> WaitingPage:
    """List what is recorded and not settled, the oldest first, each line with why, and the counts by cause."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store_ids = await _stores(connection, caller, store, tenant)
        page = await pending(connection, store_ids, cause, cursor=cursor, limit=limit)
    return WaitingPage.model_validate(page)


@router.post("/submit", status_code=ACCEPTED)
@open_to(Role.STAFF)
async def submit(asked: Submit, act: TheAct) -> Submitted:
    """Send one recorded transaction now, whatever its store waits for between two tries."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        submitted = await again.submit(connection, act, store, asked.transaction_id)
    await ring(own, store.store_id)
    return Submitted.model_validate(submitted)


@router.post("/retry", responses={ACCEPTED: {"model": SentAgain, "description": "A job was made"}})
@open_to(Role.STAFF)
async def retry(asked: Retry, act: TheAct, response: Response) -> SentAgain:
    """Send parked lines again, in their old places: named ones at once, those of a filter as a job."""
    if asked.line_ids or asked.sequences:
        return await _retry_named(asked, act)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        stores = await _named_stores(connection, act.caller, asked)
        found = await again.find_parked(connection, stores, asked.cause, asked.recorded_from, asked.recorded_to)
        return await _dry_run_or_job(connection, act, found, response, dry_run=asked.dry_run)


@router.post("/replay", responses={ACCEPTED: {"model": SentAgain, "description": "A job was made"}})
@open_to(Role.MANAGER)
async def replay(asked: Replay, act: TheAct, response: Response) -> SentAgain:
    """Send accepted lines again, with the same line ids and in the store's order, as a job.

    The platform replaces a line by its id, so it has them once all the same. Only newest revisions go.
    """
    longest = LONGEST_OF_TENANT if asked.store_id is None else LONGEST_REPLAY
    if not timedelta() < asked.recorded_to - asked.recorded_from <= longest:
        expected = f"a time after recorded_from, by {longest.days} days at most"
        raise bad_input("recorded_to", asked.recorded_to.isoformat(), expected)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        stores = await _named_stores(connection, act.caller, asked)
        found = await again.find_accepted(connection, stores, asked.recorded_from, asked.recorded_to)
        return await _dry_run_or_job(connection, act, found, response, dry_run=asked.dry_run)


@router.get("/jobs")
@open_to(Role.VIEWER)
async def list_jobs(caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> JobsPage:
    """List retries and replays by filter, the newest first, each with how far it is."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenants = None if caller.tenants is None else sorted(caller.tenants)
        return JobsPage.model_validate(await jobs.jobs(connection, tenants, cursor=cursor, limit=limit))


@router.get("/jobs/{job_id}")
@open_to(Role.VIEWER)
async def get_job(job_id: UUID, caller: TheCaller) -> JobShown:
    """Give a retry or replay by filter: how many lines it found, sent again and left as they are."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return JobShown.model_validate(await _job(connection, caller, job_id))


@router.post("/jobs/{job_id}/cancel")
@open_to(Role.STAFF)
async def cancel_job(job_id: UUID, act: TheAct) -> JobShown:
    """Stop a retry or replay where it is; lines that it made due go out all the same."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await _job(connection, act.caller, job_id)
        return JobShown.model_validate(await jobs.cancel(connection, act, found))


@router.post("/lines/{line_id}/correct", status_code=ACCEPTED)
@open_to(Role.MANAGER)
async def correct_line(
    line_id: UUID, correction: Correction, act: TheAct, if_match: Revision, store: StoreQuery = None
) -> Corrected:
    """Correct a line and send it again with the same line id, which replaces it at the platform.

    412 when the POS or a colleague corrected it since it was looked at.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await _store_of_line(connection, act.caller, store, line_id)
        corrected = await correct(connection, act, found, line_id, correction, int(if_match.strip('"')))
    await ring(own, found.store_id)
    return corrected


async def _retry_named(asked: Retry, act: TheAct) -> SentAgain:
    if asked.store_id is None or asked.dry_run or asked.cause or asked.recorded_from or asked.recorded_to:
        expected = "with line_ids or sequences: the store_id, and neither a filter nor a dry run"
        raise bad_input("the whole body", "named lines", expected)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, act.caller, asked.store_id)
        results = await again.retry(connection, act, store, asked.line_ids, asked.sequences)
    await ring(own, store.store_id)
    return SentAgain(lines=[LineAgain.model_validate(one) for one in results])


async def _dry_run_or_job(
    connection: Connection, act: TheAct, found: again.Found, response: Response, *, dry_run: bool
) -> SentAgain:
    if dry_run:
        return SentAgain(found=Counted.model_validate(await again.sample(connection, found)))
    job_id = await jobs.ask(connection, act, found)
    response.status_code = ACCEPTED
    return SentAgain(job=JobShown.model_validate(await _job(connection, act.caller, job_id)))


async def _job(connection: Connection, caller: Caller, job_id: UUID) -> dict[str, Any]:
    return row_in_reach(caller, await jobs.job(connection, job_id), f"job {job_id}")


async def _store_of_line(connection: Connection, caller: Caller, reference: str | None, line_id: UUID) -> Store:
    """Give the store that was named, or the one of the caller's in which the line is; raises NotFound and Conflict."""
    if reference is not None:
        return await store_in_reach(connection, caller, reference)
    return await store_by_id(
        connection, await find_line(connection, await stores_of(connection, caller.tenants), line_id)
    )


async def _named_stores(connection: Connection, caller: Caller, asked: _Stores) -> list[UUID]:
    if (asked.store_id is None) == (asked.tenant is None):
        raise bad_input("store_id", asked.store_id or "nothing", "either a store_id or a tenant")
    return await _stores(connection, caller, asked.store_id, asked.tenant)


async def _stores(connection: Connection, caller: Caller, store: str | None, tenant: str | None) -> list[UUID]:
    """Give the store that was named, those of the tenant that was, or all of the caller's; raises NotFound."""
    if store is not None:
        found = await store_in_reach(connection, caller, store)
        if tenant is not None and await tenant_in_reach(connection, caller, tenant) != found.tenant_id:
            raise NotFound(f'no store "{store}" in tenant "{tenant}"')
        return [found.store_id]
    tenants = caller.tenants if tenant is None else {await tenant_in_reach(connection, caller, tenant)}
    return await stores_of(connection, tenants)
