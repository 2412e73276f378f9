"""Status on real rows: what each figure counts, whose it is, and that the three counts tell when a row is missing."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.clock import utc_now
from ocs.dead_letters.letters import Burial, bury
from ocs.delivery.sender import answer_bell
from ocs.positions.night import make_due
from ocs.runtime import Runtime
from ocs.status.overview import overview, store_status
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from ocs.web.roles import Role
from tests.integration import conftest
from tests.integration.conftest import staff_client
from tests.integration.night import open_store, send_all
from tests.integration.platform import CROL, FIRST, SECOND, Platform, status
from tests.integration.pos import rows, sell

STATUS = f"/api/ocs/status/{CROL}"


async def _store(runtime: Runtime, crsa: str = FIRST) -> Store:
    async with runtime.pool.transaction() as connection:
        return await store_of(connection, CROL, crsa)


def _row(body: dict[str, Any], crsa: str = FIRST) -> dict[str, Any]:
    found: dict[str, Any] = next(one["figures"] for one in body["stores"]["items"] if one["figures"]["crsa"] == crsa)
    return found


async def test_what_came_in_was_accepted_waits_or_is_parked_is_counted(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    await sell(runtime, "T1", lines=3)
    await send_all(runtime)
    platform.refused_skus.add("999999_bad___")
    bad = [{"ocs_sku": "999999_bad___", "upc": "00708762000695", "quantity": 1, "unit_cost": "1"}]
    await sell(runtime, "T2", items=bad)
    await send_all(runtime)
    await sell(runtime, "T3", lines=2)
    body = (await staff.get(STATUS)).json()
    row = _row(body)
    assert (row["taken_in"], row["accepted"], row["pending"], row["parked"]) == (6, 3, 2, 1)
    assert 0 <= row["oldest_unsent_seconds"] < 300
    assert 0 <= row["oldest_parked_seconds"] < 300
    totals = body["totals"]
    assert (totals["stores"], totals["taken_in"], totals["accepted"], totals["parked"]) == (3, 6, 3, 1)
    assert totals["latency"]["lines"] == 3
    assert totals["latency"]["p50_seconds"] <= totals["latency"]["p95_seconds"]
    assert totals["last_hour"] == {"calls": 2, "accepted": 1, "rate": 0.5}


async def test_the_days_first_messages_side_by_side_are_all_counted(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """Who began to wait for the store's lock first is not always the first to get it."""
    await asyncio.gather(*(sell(runtime, f"T{number}") for number in range(12)))
    assert _row((await staff.get(STATUS)).json())["taken_in"] == 12


async def test_what_was_frozen_into_a_batch_is_on_its_way_still(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    platform.answers.append(status(500))
    await sell(runtime, "T1", lines=2)
    await send_all(runtime)
    row = _row((await staff.get(STATUS)).json())
    assert (row["pending"], row["accepted"], row["waits_for"]) == (2, 0, "upstream")
    assert row["oldest_unsent_seconds"] is not None


async def test_yesterdays_lines_are_not_todays_but_wait_all_the_same(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await sell(runtime, "T1", lines=2)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update event_lines set recorded_at = recorded_at - interval '26 hours'")
        await connection.execute("update outbox set received_at = received_at - interval '26 hours'")
    await sell(runtime, "T2")
    body = (await staff.get(STATUS)).json()
    assert (_row(body)["taken_in"], _row(body)["pending"]) == (1, 3)
    assert body["verdict"]["answer"] == "no"
    assert "unsent_for_a_day" in [reason["cause"] for reason in body["verdict"]["reasons"]]


async def test_refused_credentials_and_an_open_breaker_are_told(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    await sell(runtime, "T1")
    await send_all(runtime)
    before = (await staff.get(STATUS)).json()["connections"][0]
    assert (before["credentials"], before["refused_since"], before["token"]) == ("good", None, "given")
    assert (before["breaker"], before["until"]) == ("closed", None)
    platform.answers += [status(401), status(401)]
    await sell(runtime, "T2")
    await send_all(runtime)
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "update connection_pace set state = 'open', hold_until = now() + interval '1 hour', hold_cause = 'breaker'"
        )
    body = (await staff.get(STATUS)).json()
    after = body["connections"][0]
    assert (after["credentials"], after["last_good_use"]) == ("refused", before["last_good_use"])
    assert after["refused_since"] > before["last_good_use"]
    assert (after["breaker"], after["held_for"], after["until"] is not None) == ("open", "breaker", True)
    assert {"breaker", "credentials_refused"} <= {reason["cause"] for reason in body["verdict"]["reasons"]}


async def test_a_paused_store_is_told_and_its_night_counts(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "update stores set paused_at = now(), paused_by = 'Kim', paused_why = 'count', "
            "created_at = now() - interval '9 days' where crsa = %s",
            [FIRST],
        )
    body = (await staff.get(STATUS)).json()
    row = _row(body)
    assert (row["switched_on"], row["paused_through"], row["paused_why"]) == (True, "store", "count")
    assert row["night"] == "not_made"
    causes = {reason["cause"]: reason["stores"] for reason in body["verdict"]["reasons"]}
    assert causes["paused"] == [FIRST]
    assert FIRST in causes["position_missing"]


async def test_last_nights_position_and_the_newest_snapshot_are_told(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    store = await open_store(runtime, as_of=utc_now() - timedelta(days=9))
    async with runtime.pool.transaction() as connection:
        await connection.execute("update stores set created_at = now() - interval '9 days'")
    assert _row((await staff.get(STATUS)).json())["night"] == "not_made"
    await make_due(runtime)
    platform.answers.append(status(422))
    await answer_bell(runtime, store.store_id)
    row = _row((await staff.get(STATUS)).json())
    assert (row["snapshot"]["state"], row["snapshot"]["revision"]) == ("parked", 1)
    assert row["night"] == "refused"
    assert "HTTP 422" in row["night_text"]
    await staff.post(
        "/api/ocs/position/submit", json={"store_id": FIRST, "business_date": row["snapshot"]["business_date"]}
    )
    await answer_bell(runtime, store.store_id)
    body = (await staff.get(STATUS)).json()
    assert (_row(body)["night"], _row(body)["snapshot"]["state"]) == ("accepted", "accepted")
    assert _row(body, SECOND)["night"] == "not_made"
    assert body["totals"]["coverage"] == {"accepted": 1, "under_way": 0, "refused": 0, "not_made": 2, "not_due": 0}
    assert body["verdict"]["reasons"][0]["cause"] == "position_missing"
    assert FIRST not in body["verdict"]["reasons"][0]["stores"]


async def test_dead_letters_and_alerts_are_counted(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        for number, tenant_id in enumerate([store.tenant_id, None]):
            letter = Burial("q", str(number), "{", "message", "broken", datetime.now(UTC), tenant_id=tenant_id)
            await bury(connection, letter)
        await connection.execute(
            "insert into alerts (tenant_id, store_id, cause, message) values (%s, %s, 'position_missing', 'x')",
            [store.tenant_id, store.store_id],
        )
        for scope in (store.tenant_id, None):
            await connection.execute("insert into alerts (tenant_id, cause, message) values (%s, 'x', 'x')", [scope])
    body = (await staff.get(STATUS)).json()
    assert (body["totals"]["dead_letters"], body["totals"]["alerts"], _row(body)["alerts"]) == (1, 2, 1)
    everything = (await staff.get("/api/ocs/status")).json()
    assert (everything["totals"]["dead_letters"], everything["totals"]["alerts"]) == (2, 3)
    assert everything["tenants"]["items"][0]["totals"]["dead_letters"] == 1


async def test_the_dashboards_figures_are_those_of_the_status(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await sell(runtime, "T1")
    await send_all(runtime)
    board, own = (await staff.get("/api/ocs/compliance/dashboard")).json(), (await staff.get(STATUS)).json()
    for part in ("verdict", "totals", "connections"):
        assert board[part] == own[part]
    assert [one["figures"]["crsa"] for one in board["stores"]["items"]] == ["CRSA1111111", "CRSA2222222", "CRSA3333333"]


async def test_stores_come_in_pages_by_cursor(staff: httpx.AsyncClient) -> None:
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = (await staff.get("/api/ocs/compliance/dashboard", params=params)).json()["stores"]
        seen += [one["figures"]["crsa"] for one in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == (["CRSA1111111", "CRSA2222222", "CRSA3333333"], None)
    assert (await staff.get("/api/ocs/compliance/dashboard", params={"cursor": "x"})).status_code == 422


async def test_one_stores_figures_are_those_of_the_overview(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        one = await store_status(connection, store, runtime.now())
        whole = await overview(connection, conftest.SUPER_ADMIN, runtime.now())
    first = whole.stores[0]
    assert (first.figures.crsa, first.figures.taken_in, first.figures.pending) == (FIRST, 1, 1)
    assert (one.figures.taken_in, one.figures.pending) == (first.figures.taken_in, first.figures.pending)
    assert one.verdict == first.verdict


async def test_another_tenants_status_is_not_there(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get(STATUS)).status_code == 404
    assert (await stranger.get(f"{STATUS}/counts")).status_code == 404
    assert (await stranger.get("/api/ocs/status")).json()["tenants"]["items"] == []
    assert (await stranger.get("/api/ocs/compliance/dashboard")).json()["totals"]["stores"] == 0


async def test_a_viewer_sees_the_own_tenants_status(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    await sell(runtime, "T1")
    (tenant,) = await rows(runtime, "select tenant_id from tenants")
    async with runtime.pool.transaction() as connection:
        await connection.execute("insert into tenants (crol, name) values ('CROL7654321', 'Another')")
    viewer = Caller("viewer", "viewer", {tenant["tenant_id"]: Role.VIEWER})
    async with staff_client(runtime, monkeypatch, viewer) as client:
        assert _row((await client.get(STATUS)).json())["taken_in"] == 1
        assert (await client.get("/api/ocs/status/CROL7654321")).status_code == 404
