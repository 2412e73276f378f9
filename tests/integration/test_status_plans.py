"""Status costs the same however long the history: its queries use indexes, behind the wall too, and are a fixed few."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection

from ocs.clock import utc_now
from ocs.db.queries import load
from ocs.db.wall import behind_the_wall
from ocs.positions.business_day import business_day
from ocs.runtime import Runtime
from ocs.status import overview
from tests.integration.many_stores import fill
from tests.integration.pos import rows

SQL = load(overview.__file__)
LARGE = {"event_lines", "outbox", "delivery_attempts", "delivery_batches"}
ROUTES = (
    "/api/ocs/status",
    "/api/ocs/status/CROL1234567",
    "/api/ocs/status/CROL1234567/counts",
    "/api/ocs/compliance/dashboard",
)
MOST_STATEMENTS = 9
"""Of one request: the wall, what was granted, the tenant, and the figures."""


def _scans(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give how each table is read, anywhere in a plan."""
    own = [(plan["Node Type"], plan["Relation Name"])] if "Relation Name" in plan else []
    return own + [scan for part in plan.get("Plans", []) for scan in _scans(part)]


async def _words(runtime: Runtime) -> dict[str, Any]:
    stores = await rows(runtime, "select store_id, tenant_id from stores order by crsa")
    now, day = utc_now(), business_day(utc_now().date(), "America/Toronto")
    each = len(stores)
    return {
        "tenant_ids": None,
        "tenant_id": stores[0]["tenant_id"],
        "store_id": stores[0]["store_id"],
        "store_ids": [store["store_id"] for store in stores],
        "days": [day.begins] * each,
        "nights": [day.business_date - timedelta(days=1)] * each,
        "begins": [day.begins] * each,
        "ends": [day.ends] * each,
        "hour_ago": now - timedelta(hours=1),
        "day_ago": now - timedelta(hours=24),
        "after": None,
        "most": 51,
    }


@pytest.fixture
async def province(runtime: Runtime) -> Runtime:
    """Give a database in which a whole table costs far more than what is asked for."""
    await fill(runtime, stores=20, days=6)
    return runtime


async def test_no_figure_reads_a_whole_table(province: Runtime) -> None:
    words = await _words(province)
    own = {
        "store_figures": {"tenant_ids": [words["tenant_id"]] * len(words["store_ids"])},
        "counts_of_days": {"days": [day.date() for day in words["days"]]},
        "quarters_of_day": {"begins": words["begins"][0], "ends": words["ends"][0]},
    }
    found = {}
    with behind_the_wall(None):
        for name, query in SQL.items():
            async with province.pool.transaction() as connection:
                asked = await connection.execute(f"explain (format json) {query}", words | own.get(name, {}))
                (row,) = await asked.fetchall()
            found[name] = _scans(row["QUERY PLAN"][0]["Plan"])
    whole = {
        name: [scan for scan in scans if scan[0].endswith("Seq Scan") and scan[1] in LARGE]
        for name, scans in found.items()
    }
    assert {name: scans for name, scans in whole.items() if scans} == {}
    assert {table for scans in found.values() for _, table in scans} >= LARGE


async def test_a_store_is_not_read_beyond_the_day_that_is_asked_for(province: Runtime) -> None:
    """A condition that the wall keeps out of the index would read all of the store's lines to count one day's."""
    words = await _words(province)
    words |= {"days": [day.date() for day in words["days"]]}
    with behind_the_wall(None):
        async with province.pool.transaction() as connection:
            query = f"explain (format json, analyze) {SQL['counts_of_days']}"
            (row,) = await (await connection.execute(query, words)).fetchall()
    removed = [int(number) for number in _removed(row["QUERY PLAN"][0]["Plan"])]
    assert sum(removed) == 0, json.dumps(row["QUERY PLAN"][0]["Plan"])


def _removed(plan: Mapping[str, Any]) -> list[float]:
    own = (
        [plan["Rows Removed by Filter"]]
        if plan.get("Relation Name") in LARGE and "Rows Removed by Filter" in plan
        else []
    )
    return own + [number for part in plan.get("Plans", []) for number in _removed(part)]


@pytest.mark.parametrize("path", ROUTES)
async def test_a_route_asks_as_often_for_many_stores_as_for_few(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    asked: list[object] = []
    execute = AsyncConnection.execute

    async def counted(self: AsyncConnection[Any], query: Any, *words: Any, **more: Any) -> Any:
        asked.append(query)
        return await execute(self, query, *words, **more)

    monkeypatch.setattr(AsyncConnection, "execute", counted)
    few = await _statements(staff, path, asked)
    await fill(runtime, stores=20, days=1)
    many = await _statements(staff, path, asked)
    assert few == many
    assert many <= MOST_STATEMENTS


async def _statements(staff: httpx.AsyncClient, path: str, asked: list[object]) -> int:
    asked.clear()
    reply = await staff.get(path)
    assert reply.status_code == 200
    return len(asked)
