"""Reads the figures of all stores in reach, in a fixed number of queries, and judges them.

Positions fall due by the app's clock; lines are counted by the database's, which is the one that stamps them. The two
differ on a local stack whose clock is moved.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ocs.access.caller import Caller
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.positions import coverage
from ocs.positions.business_day import business_day, last_due
from ocs.positions.coverage import Uncovered
from ocs.status.figures import (
    Beside,
    ConnectionFigures,
    Latency,
    Night,
    Snapshot,
    StoreFigures,
    Totals,
    connection_of,
    totals_of,
)
from ocs.status.verdict import Verdict, verdict, verdict_of_store
from ocs.tenants.models import Store

SQL = load(__file__)
PLAIN = (
    "store_id",
    "tenant_id",
    "connection_id",
    "crol",
    "crsa",
    "name",
    "time_zone",
    "switched_on",
    "paused_through",
    "paused_at",
    "paused_why",
    "anchored",
    "taken_in",
    "accepted",
    "pending",
    "parked",
    "alerts",
)
"""Figures that are as the queries give them."""


@dataclass(frozen=True)
class JudgedStore:
    """A store's figures with the answer for it alone."""

    figures: StoreFigures
    verdict: Verdict


@dataclass(frozen=True)
class TenantFigures:
    """One tenant's stores added up."""

    tenant_id: UUID
    crol: str
    verdict: Verdict
    totals: Totals


@dataclass(frozen=True)
class Overview:
    """All that is looked at, judged together: stores by CRSA, connections by name."""

    at: datetime
    verdict: Verdict
    totals: Totals
    stores: tuple[JudgedStore, ...]
    connections: tuple[ConnectionFigures, ...]
    beside: Mapping[UUID | None, Beside]
    """By tenant; under None what belongs to no tenant, or to one that nobody could read."""


async def overview(connection: Connection, caller: Caller, now: datetime) -> Overview:
    """Give the figures of all stores that the caller may see; `now` is the app's clock (`runtime.now()`)."""
    return await overview_of(connection, caller.tenants, now)


async def overview_of(connection: Connection, tenants: Iterable[UUID] | None, now: datetime) -> Overview:
    """Give the figures of some tenants' stores, of all with None."""
    within = {"tenant_ids": None if tenants is None else list(tenants)}
    at = utc_now()
    # Instants are given: Postgres looks up no index by a clock that moves while it looks.
    lately = {"hour_ago": at - timedelta(hours=1), "day_ago": at - timedelta(hours=24)}
    stores = await _stores(connection, within | {"store_id": None}, now)
    rows = await (await connection.execute(SQL["connection_figures"], within | lately)).fetchall()
    connections = tuple(connection_of(row) for row in rows)
    rows = await (await connection.execute(SQL["beside_stores"], within)).fetchall()
    beside = {row["tenant_id"]: Beside(row["letters"], row["alerts"]) for row in rows}
    both = Beside(sum(one.letters for one in beside.values()), sum(one.alerts for one in beside.values()))
    latency = await _latency(connection, stores, lately)
    return Overview(
        at=at,
        verdict=verdict(stores, connections, both.letters),
        totals=totals_of(stores, connections, latency, both),
        stores=tuple(JudgedStore(store, verdict_of_store(store)) for store in stores),
        connections=connections,
        beside=beside,
    )


async def store_status(connection: Connection, store: Store, now: datetime) -> JudgedStore:
    """Give the figures of one store, which is in the caller's reach."""
    within = {"tenant_ids": [store.tenant_id], "store_id": store.store_id}
    (figures,) = await _stores(connection, within, now)
    return JudgedStore(figures, verdict_of_store(figures))


async def _stores(connection: Connection, within: Mapping[str, Any], now: datetime) -> list[StoreFigures]:
    rows = await (await connection.execute(SQL["stores_in_reach"], within)).fetchall()
    uncovered = {one.store.store_id: one for one in await coverage.missing(connection, now, coverage.GRACE)}
    at = utc_now()
    today = [at.astimezone(ZoneInfo(row["time_zone"])).date() for row in rows]
    nights = [last_due(now - coverage.GRACE, row["time_zone"], row["snapshot_at"]) for row in rows]
    words = {
        "store_ids": [row["store_id"] for row in rows],
        "tenant_ids": [row["tenant_id"] for row in rows],
        "days": [business_day(day, row["time_zone"]).begins for day, row in zip(today, rows, strict=True)],
        "nights": nights,
    }
    found = {row["store_id"]: row for row in await (await connection.execute(SQL["store_figures"], words)).fetchall()}
    return [
        _figures(row | found[row["store_id"]], at, (day, night), uncovered.get(row["store_id"]))
        for row, day, night in zip(rows, today, nights, strict=True)
    ]


def _figures(
    row: Mapping[str, Any], at: datetime, dates: tuple[date, date], uncovered: Uncovered | None
) -> StoreFigures:
    today, night_date = dates
    was_here = row["created_at"] < business_day(night_date, row["time_zone"]).ends
    night = _night(row["night_state"], was_here=was_here)
    return StoreFigures(
        **{name: row[name] for name in PLAIN},
        today=today,
        oldest_unsent_seconds=_age(at, row["oldest_unsent_at"]),
        oldest_parked_seconds=_age(at, row["oldest_parked_at"]),
        waits_for=row["wait_cause"],
        waits_since=row["waiting_since"],
        night_date=night_date,
        night=night if uncovered is None else _uncovered_night(uncovered),
        night_text=None if uncovered is None else uncovered.message,
        snapshot=_snapshot(row),
    )


def _night(state: str | None, *, was_here: bool) -> Night:
    """Say how the position of a night stands that the coverage check does not ask for: paused stores' among them."""
    named: dict[str | None, Night] = {"accepted": "accepted", "parked": "refused"}
    return named.get(state, "under_way" if state else "not_made" if was_here else "not_due")


def _uncovered_night(uncovered: Uncovered) -> Night:
    named: dict[str | None, Night] = {None: "not_made", "parked": "refused"}
    return named.get(uncovered.state, "under_way")


def _snapshot(row: Mapping[str, Any]) -> Snapshot | None:
    if row["snapshot_date"] is None:
        return None
    return Snapshot(row["snapshot_date"], row["snapshot_revision"], row["snapshot_state"], row["snapshot_settled_at"])


def _age(at: datetime, then: datetime | None) -> float | None:
    return None if then is None else round(max((at - then).total_seconds(), 0.0), 1)


async def _latency(connection: Connection, stores: Sequence[StoreFigures], lately: Mapping[str, datetime]) -> Latency:
    words = {"store_ids": [store.store_id for store in stores], "hour_ago": lately["hour_ago"]}
    row = await (await connection.execute(SQL["latency_of_last_hour"], words)).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Latency(row["lines"], *(None if row[name] is None else round(row[name], 3) for name in ("p50", "p95")))


def by_tenant(whole: Overview) -> list[TenantFigures]:
    """Add an overview up for each of its tenants, by CROL; without latency, which is told of the whole only."""
    stores, connections = defaultdict(list), defaultdict(list)
    for judged in whole.stores:
        stores[judged.figures.tenant_id, judged.figures.crol].append(judged.figures)
    for one in whole.connections:
        connections[one.tenant_id].append(one)
    return [
        _tenant(
            tenant_id, crol, stores[tenant_id, crol], connections[tenant_id], whole.beside.get(tenant_id, Beside(0, 0))
        )
        for tenant_id, crol in sorted(stores, key=itemgetter(1))
    ]


def _tenant(
    tenant_id: UUID, crol: str, stores: list[StoreFigures], connections: list[ConnectionFigures], beside: Beside
) -> TenantFigures:
    totals = totals_of(stores, connections, Latency(0, None, None), beside)
    return TenantFigures(tenant_id, crol, verdict(stores, connections, beside.letters), totals)
