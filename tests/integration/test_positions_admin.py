"""The staff's routes to positions: submit, history, one position, backfill with progress, and what is missing."""

from datetime import timedelta

import httpx
import pytest

from ocs.delivery.sender import answer_bell
from ocs.positions.backfill import STEP, run_backfills
from ocs.positions.night import make_due
from ocs.runtime import Runtime
from tests.integration.night import MIDNIGHT, YESTERDAY, at, open_store
from tests.integration.platform import FIRST, SECOND, Platform, status
from tests.integration.pos import sell

NOON = MIDNIGHT + timedelta(hours=12)
POSITION = "/api/ocs/position"


async def test_submit_makes_a_new_revision_and_it_is_sent(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    at(runtime, monkeypatch, NOON)
    await make_due(runtime)
    await sell(runtime, "T1", occurred_at=(MIDNIGHT - timedelta(hours=1)).isoformat())
    reply = await staff.post(f"{POSITION}/submit", json={"store_id": FIRST})
    assert (reply.status_code, reply.json()["revision"], reply.json()["business_date"]) == (202, 2, str(YESTERDAY))
    await answer_bell(runtime, store.store_id)
    assert [lines[0]["inventoryQuantityOnHand"] for _, _, lines in platform.positions] == ["9"]
    shown = (await staff.get(f"{POSITION}/snapshots/{reply.json()['snapshot_id']}")).json()
    assert (shown["state"], shown["lines"][0]["quantity"], shown["lines"][0]["value"]) == ("accepted", "9", "45.0000")
    assert [attempt["outcome"] for attempt in shown["attempts"]] == ["accepted"]


async def test_todays_position_is_that_of_this_moment(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    at(runtime, monkeypatch, NOON)
    await sell(runtime, "T1", occurred_at=(NOON - timedelta(minutes=1)).isoformat())
    await staff.post(f"{POSITION}/submit", json={"store_id": FIRST, "business_date": "2026-11-20"})
    await answer_bell(runtime, store.store_id)
    assert [(at_, lines[0]["inventoryQuantityOnHand"]) for _, at_, lines in platform.positions] == [
        ("2026-11-20T11:59:59-05:00", "9")
    ]


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"store_id": FIRST, "business_date": "2026-11-21"}, 422, "a date not after 2026-11-20"),
        ({"store_id": FIRST, "business_date": "soon"}, 422, "valid date"),
        ({"store_id": FIRST, "date": "2026-11-20"}, 422, "no such field"),
        ({}, 422, "the field is required"),
        ({"store_id": "CRSA9999999"}, 404, 'There is no store \\"CRSA9999999\\"'),
        ({"store_id": SECOND}, 409, "what store CRSA2222222 holds is not known"),
    ],
)
async def test_what_cannot_be_submitted_is_told(
    runtime: Runtime,
    staff: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, str],
    code: int,
    said: str,
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, NOON)
    reply = await staff.post(f"{POSITION}/submit", json=asked)
    assert (reply.status_code, said in reply.text) == (code, True), reply.text


async def test_history_goes_on_where_a_page_ended(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, NOON - timedelta(days=2))
    await make_due(runtime)
    at(runtime, monkeypatch, NOON)
    await make_due(runtime)
    await staff.post(f"{POSITION}/submit", json={"store_id": FIRST})
    seen = []
    more = ""
    for _ in range(3):
        page = (await staff.get(f"{POSITION}/history/{FIRST}?limit=2{more}")).json()
        seen += [(row["business_date"], row["revision"]) for row in page["positions"]]
        more = f"&after={page['after']}"
    assert page["after"] is None
    assert seen == [("2026-11-19", 2), ("2026-11-19", 1), ("2026-11-18", 1), ("2026-11-17", 1)]
    assert (await staff.get(f"{POSITION}/history/{FIRST}?after=x")).status_code == 422


async def test_a_backfill_is_throttled_and_shows_its_progress(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime, as_of=MIDNIGHT - timedelta(days=60))
    at(runtime, monkeypatch, NOON)
    first = YESTERDAY - timedelta(days=7)
    asked = {"store_id": FIRST, "first_date": str(first), "last_date": str(YESTERDAY)}
    path = f"{POSITION}/backfill/{(await staff.post(f'{POSITION}/backfill', json=asked)).json()['backfill_id']}"
    assert await run_backfills(runtime) == STEP
    assert await run_backfills(runtime) == 0, "no more until those are sent"
    await answer_bell(runtime, store.store_id)
    shown = (await staff.get(path)).json()
    assert (shown["state"], shown["dates"], shown["made"], shown["accepted"]) == ("running", 8, 5, 5)
    assert await run_backfills(runtime) == 3
    await answer_bell(runtime, store.store_id)
    shown = (await staff.get(path)).json()
    assert (shown["state"], shown["made"], shown["accepted"]) == ("made", 8, 8)
    assert [stamp[:10] for _, stamp, _ in platform.positions] == [str(first + timedelta(days=n)) for n in range(8)]


async def test_a_backfill_can_be_stopped_once(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime, as_of=MIDNIGHT - timedelta(days=60))
    at(runtime, monkeypatch, NOON)
    asked = {"store_id": FIRST, "first_date": "2026-10-01", "last_date": "2026-10-31"}
    path = f"{POSITION}/backfill/{(await staff.post(f'{POSITION}/backfill', json=asked)).json()['backfill_id']}"
    await run_backfills(runtime)
    assert (await staff.delete(path)).json()["state"] == "cancelled"
    assert (await staff.delete(path)).status_code == 409
    assert await run_backfills(runtime) == 0


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-11-19", "2026-11-20", "the last day that is over"),
        ("2026-11-18", "2026-11-17", "a date from 2026-11-18"),
        ("2020-01-01", "2026-11-01", "records are kept 3 years"),
    ],
)
async def test_a_range_that_cannot_be_is_told(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, first: str, last: str, said: str
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, NOON)
    asked = {"store_id": FIRST, "first_date": first, "last_date": last}
    reply = await staff.post(f"{POSITION}/backfill", json=asked)
    assert (reply.status_code, said in reply.text) == (422, True), reply.text


async def test_what_is_missing_is_listed_with_its_reason(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set created_at = %s", [MIDNIGHT - timedelta(days=9)])
    at(runtime, monkeypatch, NOON)
    await make_due(runtime)
    platform.answers.append(status(422))
    await answer_bell(runtime, store.store_id)
    missing = {one["crsa"]: one for one in (await staff.get(f"{POSITION}/missing")).json()["missing"]}
    assert missing[FIRST]["business_date"] == str(YESTERDAY)
    assert "HTTP 422" in missing[FIRST]["why"]
    assert "upload its inventory" in missing[SECOND]["why"]


async def test_another_tenants_positions_are_not_there(
    runtime: Runtime, staff: httpx.AsyncClient, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_store(runtime)
    at(runtime, monkeypatch, NOON)
    made = (await staff.post(f"{POSITION}/submit", json={"store_id": FIRST})).json()["snapshot_id"]
    asked = {"store_id": FIRST, "first_date": "2026-11-18", "last_date": "2026-11-18"}
    job = (await staff.post(f"{POSITION}/backfill", json=asked)).json()["backfill_id"]
    replies = [
        await stranger.post(f"{POSITION}/submit", json={"store_id": FIRST}),
        await stranger.post(f"{POSITION}/backfill", json=asked),
        await stranger.get(f"{POSITION}/backfill/{job}"),
        await stranger.delete(f"{POSITION}/backfill/{job}"),
        await stranger.get(f"{POSITION}/history/{FIRST}"),
        await stranger.get(f"{POSITION}/snapshots/{made}"),
    ]
    assert [reply.status_code for reply in replies] == [404] * 6
    assert (await stranger.get(f"{POSITION}/missing")).json() == {"missing": []}
