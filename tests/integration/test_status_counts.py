"""The three counts of a day tell when a row is missing, and a day's quarters hold all its lines."""

from datetime import date

import httpx
import pytest

from ocs.bad_input import BadInput
from ocs.clock import utc_now
from ocs.runtime import Runtime
from ocs.status.day import day_of_store
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.night import send_all
from tests.integration.platform import CROL, FIRST, SECOND
from tests.integration.pos import sell

STATUS = f"/api/ocs/status/{CROL}"


async def _store(runtime: Runtime) -> Store:
    async with runtime.pool.transaction() as connection:
        return await store_of(connection, CROL, FIRST)


async def test_the_three_counts_are_equal_when_all_is_there(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await sell(runtime, "T1", lines=3)
    await sell(runtime, "T2", store=SECOND)
    await send_all(runtime)
    body = (await staff.get(f"{STATUS}/counts")).json()
    today = {day["crsa"]: day for day in body["days"] if day["counts"]["numbers"]}
    assert {crsa: day["counts"]["accepted"] for crsa, day in today.items()} == {FIRST: 3, SECOND: 1}
    assert {day["difference"]["agreement"] for day in body["days"]} == {"equal"}
    assert (body["sum"]["lines"], body["sum"]["outbox_items"], body["sum"]["accepted"]) == (4, 4, 4)
    assert len(body["days"]) == 3 * 7


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        (["delete from outbox where sequence = 2"], "recorded without an outbox row"),
        (["delete from event_lines where sequence = 2"], "in the outbox without the line"),
        (["delete from event_lines where sequence = 2", "delete from outbox where sequence = 2"], "it is lost"),
        (["delete from event_lines where sequence = 3", "delete from outbox where sequence = 3"], "it is lost"),
    ],
)
async def test_a_row_that_vanished_behind_the_back_is_named(
    runtime: Runtime, staff: httpx.AsyncClient, deed: list[str], said: str
) -> None:
    await sell(runtime, "T1", lines=3)
    async with runtime.pool.transaction() as connection:
        for statement in deed:
            await connection.execute(statement)
    body = (await staff.get(f"{STATUS}/counts")).json()
    (day,) = [day for day in body["days"] if day["counts"]["numbers"]]
    assert day["difference"]["agreement"] == "differs"
    assert any(said in words and words.startswith("1 of 3 lines") for words in day["difference"]["words"])


@pytest.mark.parametrize(
    "params",
    [
        {"from": "2026-11-20", "to": "2026-11-19"},
        {"from": "2026-01-01", "to": "2026-11-19"},
        {"to": "9999-12-31"},
        {"from": "0001-01-01"},
        {"from": "0001-01-01", "to": "0001-01-02"},
        {"from": "yesterday"},
        {"cursor": "%%%"},
        {"limit": "0"},
    ],
)
async def test_a_range_that_cannot_be_counted_is_told(staff: httpx.AsyncClient, params: dict[str, str]) -> None:
    reply = await staff.get(f"{STATUS}/counts", params=params)
    assert (reply.status_code, reply.headers["content-type"]) == (422, "application/problem+json")


async def test_a_days_quarters_hold_all_its_lines(runtime: Runtime) -> None:
    await sell(runtime, "T1", lines=3)
    await send_all(runtime)
    await sell(runtime, "T2", lines=2)
    store = await _store(runtime)
    day = store.local(utc_now()).date()
    async with runtime.pool.transaction() as connection:
        quarters = await day_of_store(connection, store, day)
    assert (len(quarters), quarters[0].begins) == (96, store.local(quarters[0].begins).replace(hour=0, minute=0))
    assert sum(one.taken_in for one in quarters) == 5
    assert (sum(one.accepted for one in quarters), sum(one.pending for one in quarters)) == (3, 2)
    assert all(one.p50_seconds is not None for one in quarters if one.accepted)


@pytest.mark.parametrize(
    ("day", "quarters"), [(date(2025, 3, 9), 92), (date(2025, 11, 2), 100), (date(2018, 10, 17), 96)]
)
async def test_a_day_has_as_many_quarters_as_the_clock_says(runtime: Runtime, day: date, quarters: int) -> None:
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        assert len(await day_of_store(connection, store, day)) == quarters


@pytest.mark.parametrize("day", [date.min, date(2018, 10, 16), date.max])
async def test_a_day_without_anything_is_refused(runtime: Runtime, day: date) -> None:
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        with pytest.raises(BadInput, match="day: found"):
            await day_of_store(connection, store, day)
