"""The staff's routes to status: of one tenant, of all in reach, the three counts by day, and the overview as JSON."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.bad_input import bad_input
from ocs.clock import utc_now
from ocs.status.counts import Counted, CountedDay, counts_of, summed
from ocs.status.day import OLDEST, require_day
from ocs.status.figures import ConnectionFigures, Totals
from ocs.status.overview import JudgedStore, Overview, TenantFigures, by_tenant, overview, overview_of
from ocs.status.verdict import Verdict
from ocs.tenants.reach import tenant_in_reach
from ocs.web.paging import Cursor, Limit, decode, encode
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs", tags=["status"])
LONGEST_RANGE = 31
"""Days of one question about counts."""
A_WEEK, ONE_DAY = timedelta(days=6), timedelta(days=1)
T = TypeVar("T")


@dataclass(frozen=True)
class StoresPage:
    """One page of stores, by CRSA."""

    items: list[JudgedStore]
    next: str | None


@dataclass(frozen=True)
class Status:
    """How everything stands that is asked about: the answer, its sums, its connections, and a page of its stores."""

    at: datetime
    verdict: Verdict
    totals: Totals
    connections: list[ConnectionFigures]
    stores: StoresPage


@dataclass(frozen=True)
class TenantsPage:
    """One page of tenants, by CROL."""

    items: list[TenantFigures]
    next: str | None


@dataclass(frozen=True)
class StatusOfAll:
    """How all of the caller's tenants stand, added up, and a page of them one by one."""

    at: datetime
    verdict: Verdict
    totals: Totals
    tenants: TenantsPage


@dataclass(frozen=True)
class CountsPage:
    """The counts of a page of stores by day, and their sum; `days` has every day of every store on the page."""

    tenant_id: UUID
    first_date: date
    last_date: date
    sum: Counted
    days: list[CountedDay]
    next: str | None


@router.get("/status")
@open_to(Role.VIEWER)
async def status_of_all(caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> StatusOfAll:
    """Tell how the caller's tenants stand: all together, and each one by its CROL."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        whole = await overview(connection, caller, own.now())
    tenants, more = _page(by_tenant(whole), after, limit, lambda one: one.crol)
    return StatusOfAll(whole.at, whole.verdict, whole.totals, TenantsPage(tenants, more))


@router.get("/status/{tenant_id}")
@open_to(Role.VIEWER)
async def status_of_tenant(tenant_id: str, caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> Status:
    """Tell how a tenant stands: its connections and credentials, its stores, what waits, how quick and well it goes."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await tenant_in_reach(connection, caller, tenant_id)
        whole = await overview_of(connection, [found], own.now())
    return _status(whole, after, limit)


@router.get("/status/{tenant_id}/counts")
@open_to(Role.VIEWER)
async def counts_of_tenant(
    tenant_id: str,
    caller: TheCaller,
    first: Annotated[
        date | None, Query(alias="from", description="The first day; else six days before the last")
    ] = None,
    last: Annotated[date | None, Query(alias="to", description="The last day; else today")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CountsPage:
    """Compare, for each store and day, the lines recorded, the outbox and what was accepted; differences are named."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    first, last = _range(first, last, utc_now().date() + ONE_DAY)
    async with own.pool.transaction() as connection:
        found = await tenant_in_reach(connection, caller, tenant_id)
        stores = await counts_of(connection, found, (first, last), after, limit + 1)
    days = [day for store in stores[:limit] for day in store]
    more = encode(days[-1].crsa) if len(stores) > limit else None
    return CountsPage(found, first, last, summed(days), days, more)


@router.get("/compliance/dashboard")
@open_to(Role.VIEWER)
async def compliance(caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> Status:
    """Answer whether the caller's stores are compliant now, with the reasons in words, and each store's row."""
    (after,) = decode(cursor, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        whole = await overview(connection, caller, own.now())
    return _status(whole, after, limit)


def _range(first: date | None, last: date | None, newest: date) -> tuple[date, date]:
    """Give the days that are asked for, a week up to today without them; raises BadInput for what cannot be counted."""
    last = newest - ONE_DAY if last is None else last
    require_day("to", last, newest)
    first = max(last - A_WEEK, OLDEST) if first is None else first
    oldest = max(last - timedelta(days=LONGEST_RANGE - 1), OLDEST)
    if not oldest <= first <= last:
        raise bad_input("from", str(first), f"a date from {oldest} to {last}: {LONGEST_RANGE} days at most")
    return first, last


def _status(whole: Overview, after: str | None, limit: int) -> Status:
    stores, more = _page(whole.stores, after, limit, lambda one: one.figures.crsa)
    return Status(whole.at, whole.verdict, whole.totals, list(whole.connections), StoresPage(stores, more))


def _page(rows: Sequence[T], after: str | None, limit: int, key: Callable[[T], str]) -> tuple[list[T], str | None]:
    """Cut one page out of rows that are all known, since their sums need them all."""
    behind = [row for row in rows if after is None or key(row) > after]
    shown = behind[:limit]
    return shown, encode(key(shown[-1])) if len(behind) > limit else None
