"""A read-back goes on where it was, whatever fails: the platform, a worker, or two workers at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import psycopg
import pytest

from ocs.db.pool import Connection
from ocs.errors import Conflict
from ocs.reconciliation import pages, read_back, runs
from ocs.reconciliation.read_back import MOST_TRIES, run_read_backs
from ocs.runtime import Runtime
from tests.integration.platform import Answer, Platform, status
from tests.integration.pos import rows
from tests.integration.reading_back import Ledger, ask, end_waits, read, report, result, told


class Death(BaseException):
    """The process dies here."""


def die(_request: httpx.Request) -> httpx.Response:
    """End the worker's process instead of answering."""
    raise Death


def slow_down(_request: httpx.Request) -> httpx.Response:
    """Ask for half an hour's rest."""
    return httpx.Response(429, headers={"Retry-After": "1800"})


async def wait_seconds(runtime: Runtime) -> float:
    """Give for how long the only read-back waits from now on, in seconds."""
    found = await rows(runtime, "select extract(epoch from due_at - clock_timestamp()) as wait from read_backs")
    return float(found[0]["wait"])


@pytest.mark.parametrize("answer", [status(500), status(404), status(503)], ids=["500", "404", "503"])
async def test_a_page_that_fails_half_way_is_read_again_and_no_other(
    runtime: Runtime, platform: Platform, answer: Answer
) -> None:
    ledger = Ledger(platform, faults={2: deque([answer])})
    await report(runtime, lines=250)
    asked = await ask(runtime)
    assert await run_read_backs(runtime) == 1
    waiting = await result(runtime, asked)
    assert (waiting.row["state"], waiting.row["page"], waiting.counts["event"]) == ("running", 2, {"same": 100})
    assert "page 2 of the events: HTTP" in waiting.row["said"]
    assert await run_read_backs(runtime) == 0, "it waits"
    await end_waits(runtime)
    await run_read_backs(runtime)
    done = await result(runtime, asked)
    assert (done.row["state"], done.row["said"], done.counts["event"]) == ("done", None, {"same": 250})
    assert ledger.pages == [1, 2, 2, 3, 4]


async def test_a_worker_that_dies_in_a_page_costs_that_page_only(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform, faults={2: deque([die])})
    await report(runtime, lines=150)
    asked = await ask(runtime)
    with pytest.raises(Death):
        await run_read_backs(runtime)
    await end_waits(runtime)
    assert await run_read_backs(runtime) == 0, "its lease is not over"
    await end_waits(runtime, leases=True)
    await run_read_backs(runtime)
    assert ((await result(runtime, asked)).counts["event"], ledger.pages) == ({"same": 150}, [1, 2, 2, 3])


async def test_a_page_on_which_workers_die_is_not_tried_for_ever(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform, faults={1: deque([die] * 20)})
    await report(runtime)
    asked = await ask(runtime)
    for _ in range(MOST_TRIES):
        with pytest.raises(Death):
            await run_read_backs(runtime)
        await end_waits(runtime, leases=True)
    assert await run_read_backs(runtime) == 0
    found = await result(runtime, asked)
    assert (found.row["state"], "came to nothing" in found.row["said"]) == ("failed", True)
    assert ledger.pages == [1] * MOST_TRIES


@pytest.mark.parametrize("other_is_done", [True, False])
async def test_a_worker_that_was_slow_writes_nothing_once_another_took_over(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch, other_is_done: bool
) -> None:
    Ledger(platform)
    await report(runtime, lines=150)
    asked = await ask(runtime)
    fetch = pages.fetch
    overtaken: list[bool] = []

    async def slow_fetch(*words: Any) -> pages.Page:
        page = await fetch(*words)
        if not overtaken:
            overtaken.append(True)
            await end_waits(runtime, leases=True)
            if other_is_done:
                await run_read_backs(runtime)
            else:
                async with runtime.pool.transaction() as connection:
                    await runs.claim(connection, runtime.settings, asked)
        return page

    monkeypatch.setattr(pages, "fetch", slow_fetch)
    await run_read_backs(runtime)
    found = await result(runtime, asked)
    expected = ("done", {"same": 150}, 4) if other_is_done else ("running", {}, 0)
    assert (found.row["state"], found.counts["event"], found.row["pages_read"]) == expected


async def test_a_commit_whose_answer_gets_lost_counts_its_page_once(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database drops the connection after the commit, so the worker tries the same page's transaction again."""
    ledger = Ledger(platform)
    await report(runtime, lines=150)
    asked = await ask(runtime)
    open_transaction, written = runtime.pool.transaction, pages.write
    lost: list[int] = []

    async def write(*words: Any) -> int:
        lost.append(0)
        return await written(*words)

    @asynccontextmanager
    async def transaction() -> AsyncIterator[Connection]:
        async with open_transaction() as connection:
            yield connection
        if lost == [0]:
            lost.append(1)
            raise psycopg.OperationalError("the connection was lost")

    monkeypatch.setattr(pages, "write", write)
    monkeypatch.setattr(runtime.pool, "transaction", transaction)
    await run_read_backs(runtime)
    assert lost == [0, 1, 0], "the first page was written once, the second after it"
    assert ((await result(runtime, asked)).counts["event"], ledger.pages) == ({"same": 150}, [1, 2, 3])


async def test_ticks_side_by_side_read_each_page_once(runtime: Runtime, platform: Platform) -> None:
    ledger = Ledger(platform)
    await report(runtime, lines=150)
    asked = await ask(runtime)
    await asyncio.gather(*(run_read_backs(runtime) for _ in range(3)))
    assert ((await result(runtime, asked)).row["state"], ledger.pages) == ("done", [1, 2, 3])


async def test_a_tick_whose_time_is_over_leaves_the_rest_to_the_next(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(platform)
    await report(runtime, lines=150)
    asked = await ask(runtime)
    clock = iter((0, 1, 2, 21, 22))
    with monkeypatch.context() as patched:
        patched.setattr(read_back, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        assert await run_read_backs(runtime) == 1
    assert (await result(runtime, asked)).row["state"] == "running"
    assert await run_read_backs(runtime) == 3
    assert ((await result(runtime, asked)).row["state"], ledger.pages) == ("done", [1, 2, 3])


async def test_a_platform_that_never_answers_ends_it_after_some_tries(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform, faults={1: deque([status(500)] * 20)})
    asked = await ask(runtime)
    waits = []
    for _ in range(MOST_TRIES):
        await run_read_backs(runtime)
        waits.append(await wait_seconds(runtime))
        await end_waits(runtime)
    found = await result(runtime, asked)
    assert (found.row["state"], found.row["said"].startswith("5 times in a row, page 1")) == ("failed", True)
    assert 0 < waits[0] <= 15 < waits[1] <= 60 < waits[2] <= 300 < waits[3] <= 900, "each wait is longer"


async def test_a_platform_that_wants_fewer_calls_gets_its_wait_and_nothing_is_counted(
    runtime: Runtime, platform: Platform
) -> None:
    Ledger(platform, faults={1: deque([slow_down] * MOST_TRIES)})
    asked = await ask(runtime)
    for _ in range(MOST_TRIES):
        await run_read_backs(runtime)
        assert await wait_seconds(runtime) > 1700
        await end_waits(runtime)
    await run_read_backs(runtime)
    assert (await result(runtime, asked)).row["state"] == "done"


@pytest.mark.parametrize(("code", "calls"), [(400, 1), (401, 2)])
async def test_what_a_repeat_cannot_mend_ends_it_at_once(
    runtime: Runtime, platform: Platform, code: int, calls: int
) -> None:
    Ledger(platform, faults={1: deque([status(code)] * calls)})
    found = await read(runtime)
    assert (found.row["state"], f"HTTP {code}" in found.row["said"]) == ("failed", True)
    assert (await read(runtime)).row["state"] == "done", "and another one may be asked for"


async def test_a_list_without_an_end_is_noticed(runtime: Runtime, platform: Platform) -> None:
    """A platform that takes no notice of the page's number gives the first one for ever."""
    ledger = Ledger(platform)
    await report(runtime, lines=100)
    ledger.alter = lambda lines: lines * 100
    found = await read(runtime)
    assert (found.row["state"], ledger.pages) == ("failed", [1, 2])
    assert found.row["said"] == "the platform gave page 2 of the events with the same content as the page before"


async def test_a_million_differences_are_counted_and_not_all_kept(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_KEPT", 120)
    Ledger(platform).alter = lambda lines: [line | {"ocsSku": "x"} for line in lines[:110]]
    await report(runtime, lines=150)
    found = await read(runtime)
    assert found.counts["event"] == {"differs": 110, "missing_there": 40}
    assert (found.row["kept"], len(await rows(runtime, "select 1 from read_back_differences"))) == (120, 120)
    assert told(found)[0] == ("differs", "sku", "101955_3.5g___", "x")


async def test_what_only_a_running_one_needs_is_deleted(runtime: Runtime, platform: Platform) -> None:
    Ledger(platform)
    await report(runtime, lines=3)
    await read(runtime)
    assert await rows(runtime, "select * from read_back_found") == []


async def test_a_command_leaves_the_rest_to_the_timer_when_the_platform_fails(
    runtime: Runtime, platform: Platform
) -> None:
    Ledger(platform, faults={2: deque([status(500)])})
    await report(runtime, lines=150)
    found = await read(runtime)
    assert (found.row["state"], found.counts["event"]) == ("running", {"same": 100})
    with pytest.raises(Conflict, match="is being read back already"):
        await read(runtime)
    await end_waits(runtime)
    await run_read_backs(runtime)
    assert (await result(runtime, found.row["read_back_id"])).row["state"] == "done"


async def test_a_store_that_gets_another_connection_meanwhile_is_not_read_on(
    runtime: Runtime, platform: Platform
) -> None:
    ledger = Ledger(platform)
    asked = await ask(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update connections set environment = 'production'")
    await run_read_backs(runtime)
    assert ((await result(runtime, asked)).row["state"], ledger.pages) == ("failed", [])
