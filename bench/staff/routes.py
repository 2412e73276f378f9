"""The routes that staff look at, each asked about many stores, lines and instants."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

import psycopg
from psycopg.rows import class_row

from ocs.web.paging import encode

SAMPLES = """
select s.store_id, s.crsa, t.crol, l.sequence, l.line_id, l.transaction_id, l.ocs_sku as sku, l.recorded_at,
       b.reference_id, p.snapshot_id
  from stores s
  join tenants t using (tenant_id)
  join delivery_streams d on d.store_id = s.store_id and d.kind = 'events'
  join event_lines l
    on l.store_id = s.store_id and l.sequence = greatest(1, (d.last_sequence * (1 - %(depth)s))::bigint)
  join outbox o on o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
  join delivery_batches b on b.batch_id = o.batch_id
  join snapshots p on p.store_id = s.store_id and p.business_date = current_date - 1
 order by md5(s.crsa)
 limit %(most)s
"""
DEEP = 0.8
"""How far back in a store's history its deep page lies: behind so much of its lines."""


@dataclass(frozen=True)
class Sample:
    """A store, a line far back in its history, and what else of it is asked for."""

    store_id: UUID
    crsa: str
    crol: str
    sequence: int
    line_id: UUID
    transaction_id: str
    sku: str
    recorded_at: datetime
    reference_id: str
    snapshot_id: int

    @property
    def cursor(self) -> str:
        """The cursor of the page that begins behind the line."""
        return encode(self.recorded_at, self.store_id, self.sequence)


@dataclass(frozen=True)
class Route:
    """A route with how it is asked; `pages` says whether it takes a limit."""

    name: str
    path: Callable[[Sample], str]
    pages: bool = True


def samples(url: str, most: int, seed: int = 7) -> list[Sample]:
    """Draw stores and their deep lines from a database, in an order of their own."""
    with psycopg.connect(url, row_factory=class_row(Sample)) as connection:
        found = connection.execute(SAMPLES, {"depth": DEEP, "most": most}).fetchall()
    random.Random(seed).shuffle(found)
    return found


def _history(**filters: str) -> Callable[[Sample], str]:
    return lambda one: f"/api/ocs/events/history/{one.crsa}?{urlencode(_filled(one, filters))}"


def _search(**filters: str) -> Callable[[Sample], str]:
    return lambda one: f"/api/ocs/events/search?{urlencode(_filled(one, filters))}"


def _filled(one: Sample, filters: dict[str, str]) -> dict[str, str]:
    """Fill in what a filter takes of the sample: `line_id="{line_id}"`; `hour` is the hour of its line."""
    words = {name: str(getattr(one, name)) for name in ("line_id", "transaction_id", "sku", "reference_id", "cursor")}
    begins, ends = one.recorded_at - timedelta(minutes=30), one.recorded_at + timedelta(minutes=30)
    words |= {"begins": begins.isoformat(), "ends": ends.isoformat()}
    return {name: value.format(**words) for name, value in filters.items()}


HOUR = {"from": "{begins}", "to": "{ends}"}
ROUTES = (
    Route("overview, the page", lambda _: "/api/dashboard", pages=False),
    Route("overview, as JSON", lambda _: "/api/ocs/compliance/dashboard", pages=False),
    Route("a store, the page", lambda one: f"/api/dashboard/stores/{one.crsa}", pages=False),
    Route("status of all tenants", lambda _: "/api/ocs/status"),
    Route("status of a tenant", lambda one: f"/api/ocs/status/{one.crol}"),
    Route("counts of a tenant, a week", lambda one: f"/api/ocs/status/{one.crol}/counts?limit=10", pages=False),
    Route("history, first page", _history()),
    Route("history, deep page", _history(cursor="{cursor}")),
    Route("history by SKU", _history(sku="{sku}")),
    Route("history by transaction", _history(transaction_id="{transaction_id}")),
    Route("history by line", _history(line_id="{line_id}")),
    Route("history by reference", _history(reference_id="{reference_id}")),
    Route("history by type (1 of 40)", _history(type="purchase")),
    Route("history, accepted", _history(status="accepted")),
    Route("history, parked", _history(status="parked")),
    Route("history, superseded (none)", _history(status="superseded")),
    Route("history of an hour", _history(**HOUR)),
    Route("search by SKU", _search(sku="{sku}")),
    Route("search by transaction", _search(transaction_id="{transaction_id}")),
    Route("search by line", _search(line_id="{line_id}")),
    Route("search by reference", _search(reference_id="{reference_id}")),
    Route("search of an hour", _search(**HOUR)),
    Route("one line with its tries", lambda one: f"/api/ocs/events/lines/{one.line_id}?store={one.crsa}", pages=False),
    Route("pending, all stores", lambda _: "/api/ocs/events/pending"),
    Route("pending, a store", lambda one: f"/api/ocs/events/pending?store={one.crsa}"),
    Route("position history", lambda one: f"/api/ocs/position/history/{one.crsa}", pages=False),
    Route("one position, 400 lines", lambda one: f"/api/ocs/position/snapshots/{one.snapshot_id}", pages=False),
    Route("audit, newest", lambda _: "/api/ocs/audit"),
    Route("audit of a store", lambda one: f"/api/ocs/audit?store={one.crsa}"),
    Route("audit, failed calls (none)", lambda _: "/api/ocs/audit?status=failed"),
    Route("audit of acts, deep", lambda one: f"/api/ocs/audit?{urlencode({'kind': 'acts', 'until': one.recorded_at})}"),
    Route("alerts", lambda _: "/api/ocs/alerts"),
    Route("dead letters", lambda _: "/api/ocs/dead-letters"),
)
