"""A reading of the item catalogue goes on where it was: the platform fails, a worker dies, two are at it at once."""

import asyncio
from collections import deque
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from ocs.catalogue import pages, sync
from ocs.regulator import wire
from ocs.regulator.client import Regulator
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from tests.integration.cataloguing import Published, changes, current, end_waits, items, newest, read, sku
from tests.integration.platform import Answer, Platform, cut, status
from tests.integration.pos import rows

PAGES = [1, 2, 3, 4]


class Death(BaseException):
    """The process dies here."""


def die(_request: httpx.Request) -> httpx.Response:
    """End the worker's process instead of answering."""
    raise Death


def garbled(_request: httpx.Request) -> httpx.Response:
    """Answer with half a page."""
    return httpx.Response(200, text='{"itemList": [{"SKU": "10')


def slow_down(_request: httpx.Request) -> httpx.Response:
    """Ask for half an hour's rest."""
    return httpx.Response(429, headers={"Retry-After": "1800"})


async def asked(runtime: Runtime) -> None:
    """Have the catalogue asked for, as each night."""
    assert await sync.ask_nightly(runtime) == 1


async def wait_seconds(runtime: Runtime) -> float:
    """Give for how long the only reading waits from now on, in seconds."""
    found = await rows(runtime, "select extract(epoch from due_at - clock_timestamp()) as wait from catalogue_syncs")
    return float(found[0]["wait"])


@pytest.mark.parametrize("page", PAGES)
async def test_a_worker_that_dies_in_any_page_costs_that_page_only(
    runtime: Runtime, platform: Platform, page: int
) -> None:
    there = Published(platform, items(1, 250), faults={page: deque([die])})
    await asked(runtime)
    with pytest.raises(Death):
        await sync.run_syncs(runtime)
    assert len(await current(runtime)) == min(100 * (page - 1), 250), "the pages before are kept"
    await end_waits(runtime)
    assert await sync.run_syncs(runtime) == 0, "its lease is not over"
    await end_waits(runtime, leases=True)
    await sync.run_syncs(runtime)
    done = await newest(runtime)
    assert (done["state"], done["items"], done["added"]) == ("done", 250, 250)
    assert there.asked == sorted([*PAGES, page])
    assert len(await changes(runtime, done["sync_id"])) == 250, "each item was added once"


@pytest.mark.parametrize("page", PAGES)
async def test_a_death_before_the_commit_leaves_nothing_of_a_page(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    Published(platform, items(1, 250))
    await asked(runtime)
    written = 100 * (page - 1)

    async def write_and_die(*words: Any) -> pages.Counts:
        counts = await pages.write_page(*words)
        if len(await current(runtime)) == written:
            raise Death
        return counts

    async def end_and_die(*_words: object) -> None:
        raise Death

    with monkeypatch.context() as patched:
        patched.setattr(sync, "write_page", write_and_die)
        patched.setattr(sync, "_close", end_and_die)
        with pytest.raises(Death):
            await sync.run_syncs(runtime)
    assert len(await current(runtime)) == min(written, 250)
    await end_waits(runtime, leases=True)
    await sync.run_syncs(runtime)
    done = await newest(runtime)
    assert (done["state"], done["items"], len(await changes(runtime, done["sync_id"]))) == ("done", 250, 250)


@pytest.mark.parametrize("answer", [status(500), status(404), status(400), cut, garbled], ids=str)
async def test_a_page_that_fails_is_read_again_and_no_other(
    runtime: Runtime, platform: Platform, answer: Answer
) -> None:
    there = Published(platform, items(1, 250), faults={2: deque([answer])})
    await asked(runtime)
    assert await sync.run_syncs(runtime) == 1
    waiting = await newest(runtime)
    assert (waiting["state"], waiting["next_page"], waiting["failures"]) == ("running", 2, 1)
    assert waiting["said"].startswith("page 2: ")
    assert await sync.run_syncs(runtime) == 0, "it waits"
    await end_waits(runtime)
    await sync.run_syncs(runtime)
    done = await newest(runtime)
    assert (done["state"], done["items"], done["said"]) == ("done", 250, None)
    assert there.asked == [1, 2, 2, 3, 4]


async def test_the_waits_after_failures_grow(runtime: Runtime, platform: Platform) -> None:
    Published(platform, items(1, 5), faults={1: deque([status(500)] * 6)})
    await asked(runtime)
    waits = []
    for _ in range(6):
        await sync.run_syncs(runtime)
        waits.append(await wait_seconds(runtime))
        await end_waits(runtime)
    assert [sum(wait > limit for limit in (0, 15, 60, 300, 900)) for wait in waits] == [1, 2, 3, 4, 5, 5]
    assert max(waits) <= 3600
    await sync.run_syncs(runtime)
    assert (await newest(runtime))["state"] == "done"


async def test_a_platform_that_wants_fewer_calls_gets_its_wait_and_nothing_is_counted(
    runtime: Runtime, platform: Platform
) -> None:
    Published(platform, items(1, 5), faults={1: deque([slow_down] * 3)})
    await asked(runtime)
    for _ in range(3):
        await sync.run_syncs(runtime)
        assert (await newest(runtime))["failures"] == 0
        assert 1700 < await wait_seconds(runtime) <= 1800
        await end_waits(runtime)


async def test_a_person_who_asks_ends_the_wait(runtime: Runtime, platform: Platform) -> None:
    Published(platform, items(1, 5), faults={1: deque([status(500)])})
    await asked(runtime)
    await sync.run_syncs(runtime)
    done = await read(runtime)
    assert (done["state"], done["asked_by"]) == ("done", "timer"), "it is the same reading"
    assert len(await rows(runtime, "select 1 from catalogue_syncs")) == 1


async def test_a_connection_whose_credentials_are_refused_is_not_the_only_one(
    runtime: Runtime, platform: Platform
) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "insert into connections (tenant_id, name, environment, base_url, token_url, scope, client_id,"
            " client_secret_name) select tenant_id, 'other', environment, 'https://other.example/func', token_url,"
            " scope, 'other', client_secret_name from connections"
        )
        await connection.execute(
            "update stores set connection_id = (select connection_id from connections where name = 'other')"
            " where crsa = 'CRSA2222222'"
        )
    there = Published(platform, items(1, 5))
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(403) if request.url.host == hosts[0] else there.answer(request)

    platform.gets["/RetailerItemCatalogueHttpTrigger"] = answer
    await asked(runtime)
    for _ in range(4):
        await sync.run_syncs(runtime)
        await end_waits(runtime)
    assert (await newest(runtime))["state"] == "done"
    assert set(hosts) == {"platform.example", "other.example"}


async def test_ticks_side_by_side_read_each_page_once(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 250))
    await asked(runtime)
    await asyncio.gather(*(sync.run_syncs(runtime) for _ in range(3)))
    assert ((await newest(runtime))["state"], there.asked) == ("done", PAGES)


async def test_a_worker_that_was_slow_writes_nothing_once_another_took_over(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Published(platform, items(1, 150))
    await asked(runtime)
    catalogue = Regulator.catalogue
    overtaken: list[int] = []

    async def slow_catalogue(regulator: Regulator, store: Store, page: int) -> wire.CataloguePage:
        reply = await catalogue(regulator, store, page)
        if not overtaken:
            overtaken.append(page)
            there.lines = items(1, 20)
            await end_waits(runtime, leases=True)
            await sync.run_syncs(runtime)
        return reply

    monkeypatch.setattr(Regulator, "catalogue", slow_catalogue)
    assert await sync.run_syncs(runtime) == 1
    done = await newest(runtime)
    assert (done["state"], done["items"], len(await current(runtime))) == ("done", 20, 20)


async def test_a_run_whose_time_is_over_leaves_the_rest_to_the_next(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Published(platform, items(1, 250))
    await asked(runtime)
    clock = iter((0, 1, 2, sync.RUN_SECONDS - 1, sync.RUN_SECONDS + 1, sync.RUN_SECONDS + 2))
    with monkeypatch.context() as patched:
        patched.setattr(sync, "time", SimpleNamespace(monotonic=lambda: next(clock)))
        assert await sync.run_syncs(runtime) == 2
    assert (await newest(runtime))["next_page"] == 3
    assert await sync.run_syncs(runtime) == 2, "at once: nothing has failed"
    assert ((await newest(runtime))["state"], there.asked) == ("done", PAGES)


async def test_a_reading_that_takes_a_day_makes_room_for_the_next(runtime: Runtime, platform: Platform) -> None:
    there = Published(platform, items(1, 250), faults={2: deque([status(500)])})
    await asked(runtime)
    await sync.run_syncs(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update catalogue_syncs set asked_at = asked_at - interval '21 hours'")
    await sync.run_syncs(runtime)
    assert (await newest(runtime))["state"] == "failed"
    assert "not read to its end in time, page 2: page 2: HTTP 500" in (await newest(runtime))["said"]
    assert await current(runtime) == {sku(number) for number in range(1, 101)}, "what was read is kept, none is gone"
    await asked(runtime)
    await sync.run_syncs(runtime)
    assert ((await newest(runtime))["items"], there.asked) == (250, [1, 2, *PAGES])
