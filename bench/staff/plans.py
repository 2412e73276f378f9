"""Which queries a route makes, and by which plans: the app runs in this process, and each query is explained first."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import httpx
import psycopg
from psycopg import AsyncCursor

import function_app
from bench.scene.ground import BenchError
from bench.staff.history import BIG
from bench.staff.routes import Route, Sample
from ocs import runtime, settings as settings_of_app
from ocs.access.caller import Caller, who_calls
from ocs.web.app import create_app

EXPLAINED = ("select", "with")
FEW, MANY = 5, 100
"""Rows of a page: neither may make more queries than the other."""


@dataclass
class Seen:
    """What was seen of one request: its queries, the pages that they touch, and where a big table is read whole."""

    queries: list[str] = field(default_factory=list)
    whole_reads: list[str] = field(default_factory=list)
    pages: int = 0


@dataclass(frozen=True)
class Plans:
    """What a route costs the database: queries of a request, the same whatever the page's size, and whole reads.

    `pages` are the 8 KiB pages of tables and indexes that a request touches: a cost that no other work on the machine
    and no cache changes.
    """

    name: str
    queries: int
    whole_reads: tuple[str, ...]
    pages: int


def plans_of(url: str, routes: tuple[Route, ...], sample: Sample) -> list[Plans]:
    """Ask each route of the app in this process, on a database; the app's other settings are in the environment."""
    with patch.dict("os.environ", {"OCS_DATABASE_URL": url}):
        settings_of_app.load.cache_clear()
        return asyncio.run(_plans_of(routes, sample))


async def _plans_of(routes: tuple[Route, ...], sample: Sample) -> list[Plans]:
    found = []
    async with _client() as client:
        for route in routes:
            path = route.path(sample)
            sizes = [_sized(path, size) for size in (FEW, MANY)] if route.pages else [path]
            seen = [await _look(client, one) for one in sizes]
            counts = {len(one.queries) for one in seen}
            if len(counts) != 1:
                raise BenchError(f"{route.name}: {sorted(counts)} queries, depending on the rows of a page")
            whole_reads = {read for one in seen for read in one.whole_reads}
            found.append(Plans(route.name, counts.pop(), tuple(sorted(whole_reads)), seen[-1].pages))
    return found


def _sized(path: str, rows: int) -> str:
    return f"{path}{'&' if '?' in path else '?'}limit={rows}"


@asynccontextmanager
async def _client() -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(function_app.ROUTERS)
    app.dependency_overrides[who_calls] = lambda: Caller("bench", "the bench", super_admin=True)
    own = await runtime.current()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app", timeout=300) as client:
            yield client
    finally:
        await own.close()
        runtime._Process.runtime = None  # noqa: SLF001 - the next database gets a runtime of its own
        runtime._Process.checked = False  # noqa: SLF001 - the same


async def _look(client: httpx.AsyncClient, path: str) -> Seen:
    with _watched() as seen:
        reply = await client.get(path)
    if reply.status_code != httpx.codes.OK:
        raise BenchError(f"{path} answered {reply.status_code}: {reply.text[:300]}")
    return seen


@contextmanager
def _watched() -> Iterator[Seen]:
    """Note each query for the block, and have it explained just before, in its own transaction and with its values.

    Explained means run as well, so that the pages are known: these are looks, and change nothing.
    """
    seen = Seen()
    plain = AsyncCursor.execute

    async def execute(self: AsyncCursor[Any], query: Any, params: Any = None, **words: Any) -> AsyncCursor[Any]:
        text = query if isinstance(query, str) else query.as_string(self)
        if not text.lstrip().startswith("select set_config("):  # the wall's: a setting, not a look at data
            seen.queries.append(text)
            if text.lstrip().startswith(EXPLAINED):
                plan = await _plan(self.connection, text, params)
                seen.pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
                tables = [node["Relation Name"] for node in _nodes(plan) if _reads_whole(node)]
                seen.whole_reads += [f"{table} in: {' '.join(text.split())[:60]}" for table in tables]
        return await plain(self, query, params, **words)

    async def _plan(connection: psycopg.AsyncConnection[Any], text: str, params: Any) -> dict[str, Any]:
        cursor = AsyncCursor(connection, row_factory=psycopg.rows.scalar_row)
        await plain(cursor, f"explain (analyze, buffers, timing off, format json) {text}", params)
        (said,) = await cursor.fetchall()
        plan: dict[str, Any] = said[0]["Plan"]
        return plan

    with patch.object(AsyncCursor, "execute", execute):
        yield seen


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _reads_whole(node: dict[str, Any]) -> bool:
    return node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG
