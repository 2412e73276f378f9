"""The staff's routes to the audit: search it, take it away as a file, and check that it is whole."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit import chain, export
from ocs.audit.acts import TheAct
from ocs.audit.search import Asked, Kind, finds_more_than, search
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.tenants.reach import store_in_reach, tenant_in_reach
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/audit", tags=["audit"])
MOST_EXPORTED = 50_000
"""Rows of a file, some 40 MB: the Functions host holds an answer in memory as a whole."""
MOST_CHECKED = 50_000
Words = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Filter(BaseModel):
    """What is looked for, as a query writes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = Field("all", description="acts of staff, calls to the regulator, or both")
    since: AwareDatetime | None = Field(None, description="From this instant on")
    until: AwareDatetime | None = Field(None, description="Before this instant")
    tenant: Words | None = Field(None, description="Id or CROL")
    store: Words | None = Field(None, description="Id or CRSA")
    who: Words | None = Field(None, description="Subject or name of the person")
    act: Words | None = Field(None, description="`store.paused`, or `store` for all acts of the noun")
    subject: Words | None = Field(None, description="What was changed, as people name it")
    status: Words | None = Field(None, description="`404`, `5xx`, `no-reply` or `failed`")
    correlation_id: Words | None = Field(None, description="Of a request or a delivery: its act and its calls")


class Search(Filter):
    """A search, and which page of it."""

    cursor: str | None = Field(None, max_length=1000, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=200, description="Rows of a page")


class Export(Filter):
    """An export: of 50,000 rows at most."""

    format: export.Form = Field("ndjson", description="ndjson for machines, csv for people")


class ActRow(BaseModel):
    """Something that one of the staff did; times are UTC."""

    kind: Literal["act"]
    id: UUID
    at: datetime
    tenant_id: UUID | None
    store_id: UUID | None
    crsa: str | None
    correlation_id: str
    place: int | None
    hash: str | None
    who_subject: str
    who_name: str
    what: str
    subject: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    why: str
    way: str


class CallRow(BaseModel):
    """A call to the regulator: `at` is when it began (UTC), sizes are bytes, bodies are not kept."""

    kind: Literal["call"]
    id: UUID
    at: datetime
    tenant_id: UUID | None
    store_id: UUID | None
    crsa: str | None
    correlation_id: str
    place: int | None
    hash: str | None
    connection_id: UUID | None
    method: str
    url: str
    status: int | None
    error: str | None
    ms: int
    request_bytes: int
    request_sha256: str | None
    response_bytes: int | None
    response_sha256: str | None
    batch_id: int | None
    attempt_id: int | None


class Found(BaseModel):
    """A page of the audit, newest first."""

    items: list[Annotated[ActRow | CallRow, Field(discriminator="kind")]]
    next: str | None


class Wrong(BaseModel):
    """The first place of a chain that is not as it was written."""

    place: int
    row_id: UUID | None
    what: str


class Cut(BaseModel):
    """Where the retention has cut a chain: the last place that is gone, how many rows are, and when (UTC)."""

    place: int
    gone: int
    at: datetime


class Verdict(BaseModel):
    """What a check found; `next` is the `after` with which to go on, null at the chain's end."""

    chain: chain.Chain
    whole: bool
    rows: int
    after: int
    through: int
    first_broken: Wrong | None
    checkpoint: Cut
    end: int
    unlinked: int
    next: int | None


async def _asked(connection: Connection, caller: TheCaller, wanted: Filter) -> Asked:
    given = wanted.model_dump(include=set(Asked.__dataclass_fields__))
    tenant_id = None if wanted.tenant is None else await tenant_in_reach(connection, caller, wanted.tenant)
    store = None if wanted.store is None else await store_in_reach(connection, caller, wanted.store)
    return Asked(**given, what=wanted.act, tenant_id=tenant_id, store_id=None if store is None else store.store_id)


@router.get("", response_model=Found)
@open_to(Role.TENANT_ADMIN)
async def find(caller: TheCaller, wanted: Annotated[Search, Query()]) -> Any:
    """Search what staff did and every call to the regulator, newest first; a tenant's admin sees the own tenant's."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        asked = await _asked(connection, caller, wanted)
        return await search(connection, caller, asked, cursor=wanted.cursor, limit=wanted.limit)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}, "text/csv": {}}, "description": "The file"}},
)
@open_to(Role.TENANT_ADMIN)
async def take_away(act: TheAct, wanted: Annotated[Export, Query()]) -> StreamingResponse:
    """Export what a search finds, all of it or, above 50,000 rows, nothing; the export is an act itself."""
    caller, own, form = act.caller, await runtime.current(), wanted.format
    # What happens while the file is written, the export itself first of all, is not in it.
    wanted = wanted.model_copy(update={"until": wanted.until or own.now()})
    async with own.pool.transaction() as connection:
        asked = await _asked(connection, caller, wanted)
        if await finds_more_than(connection, caller, asked, MOST_EXPORTED):
            expected = f"a time in which there are at most {MOST_EXPORTED} rows: export it in parts"
            raise bad_input("since", None if wanted.since is None else wanted.since.isoformat(), expected)
        told = wanted.model_dump(mode="json", exclude_none=True)
        tenants = [asked.tenant_id] if asked.tenant_id or caller.tenants is None else sorted(caller.tenants)
        for tenant_id in tenants:
            await act.note(connection, "audit.exported", tenant_id=tenant_id, subject=f"audit ({form})", after=told)
    headers = {"Content-Disposition": f'attachment; filename="audit-{own.now():%Y%m%dT%H%M%SZ}.{form}"'}
    return StreamingResponse(export.written(own, caller, asked, form), media_type=export.TYPES[form], headers=headers)


@router.get("/verify", response_model=Verdict)
@open_to(Role.SUPER_ADMIN)
async def check(
    caller: TheCaller,  # noqa: ARG001 - opens the wall to all tenants, of whose rows a chain is made
    of: Annotated[chain.Chain, Query(alias="chain")] = "acts",
    after: Annotated[int, Query(ge=0, lt=2**62, description="`next` of the check before")] = 0,
    most: Annotated[int, Query(ge=1, le=MOST_CHECKED, description="Rows to check")] = 20_000,
) -> Any:
    """Reckon a chain's hashes anew, oldest first, and name the first place that is not as it was written."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await chain.verify(connection, of, after=after, most=most)
    return {**vars(found), "whole": found.first_broken is None}
