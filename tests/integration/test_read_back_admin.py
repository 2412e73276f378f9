"""The staff's routes to read-backs: ask, progress, differences page by page, history, and confirming a mapping."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ocs.clock import utc_now
from ocs.reconciliation.read_back import run_read_backs
from ocs.runtime import Runtime
from tests.integration.platform import FIRST, Platform
from tests.integration.pos import SKU, UPC, rows
from tests.integration.reading_back import Ledger, report

PATH = f"/api/ocs/stores/{FIRST}/read-back"
BOTH_WAYS = [{"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_cost": "2"} for quantity in (-2, 3)]


def window(hours: float = 1, until: float = 0) -> dict[str, str]:
    """Give a window that ends some hours ago."""
    end = utc_now() - timedelta(hours=until)
    return {"from": (end - timedelta(hours=hours)).isoformat(), "to": end.isoformat()}


async def read_back(runtime: Runtime, staff: httpx.AsyncClient) -> str:
    """Ask for a read-back and let the timer do it; gives its path."""
    reply = await staff.post(PATH, json=window())
    assert reply.status_code == 202, reply.text
    await run_read_backs(runtime)
    return f"/api/ocs/read-backs/{reply.json()['read_back_id']}"


async def is_confirmed(runtime: Runtime, transaction_type: str) -> bool:
    """Tell whether a type's mapping is confirmed."""
    found = await rows(runtime, "select transaction_type from transaction_mappings where confirmed")
    return transaction_type in {row["transaction_type"] for row in found}


async def test_asked_for_done_by_the_timer_and_shown(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    Ledger(platform).alter = lambda lines: [line | {"reasonCategory": "x"} for line in lines[1:]]
    await report(runtime, lines=2)
    asked = window()
    reply = await staff.post(PATH, json=asked)
    path = f"/api/ocs/read-backs/{reply.json()['read_back_id']}"
    before = (await staff.get(path)).json()
    assert (before["state"], before["subject"], before["page"], before["counts"]["event"]) == (
        "running",
        "event",
        1,
        {},
    )
    await run_read_backs(runtime)
    shown = (await staff.get(path)).json()
    assert (shown["state"], shown["crsa"], shown["asked_by"]) == ("done", FIRST, "super admin")
    assert shown["counts"] == {"event": {"differs": 1, "missing_there": 1}, "position": {}}
    assert shown["meanings"][0]["transaction_type"] == "sale"
    first = {name: shown["differences"][0][name] for name in ("subject", "kind", "field", "ours", "theirs")}
    assert first == {"subject": "event", "kind": "differs", "field": "reason", "ours": "", "theirs": "x"}


async def test_differences_go_on_where_a_page_ended_and_can_be_of_one_kind(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    Ledger(platform).alter = lambda lines: [line | {"reasonCategory": "x"} for line in lines[2:]]
    await report(runtime, lines=7)
    path = await read_back(runtime, staff)
    seen: list[str] = []
    page: dict[str, Any] = {"after": 0}
    while page["after"] is not None:
        page = (await staff.get(f"{path}?limit=3&after={page['after']}")).json()
        seen += [one["kind"] for one in page["differences"]]
    assert seen == ["differs"] * 5 + ["missing_there"] * 2
    missing = (await staff.get(f"{path}?kind=missing_there")).json()["differences"]
    assert [one["kind"] for one in missing] == ["missing_there"] * 2
    assert (await staff.get(f"{path}?kind=wrong")).status_code == 422


async def test_a_stores_read_backs_are_listed_newest_first(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    Ledger(platform)
    paths = [await read_back(runtime, staff) for _ in range(3)]
    seen: list[str] = []
    page: dict[str, Any] = {"after": ""}
    while page["after"] is not None:
        more = page["after"] and f"&after={page['after']}"
        page = (await staff.get(f"{PATH}s?limit=2{more}")).json()
        seen += [f"/api/ocs/read-backs/{one['read_back_id']}" for one in page["read_backs"]]
    assert seen == paths[::-1]


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (window(until=-1), 422, "a time not after now"),
        (window(hours=-1), 422, "a time before `to`, by 31 days at most"),
        (window(hours=32 * 24), 422, "a time before `to`, by 31 days at most"),
        ({"from": "0001-01-01T00:00:00+14:00", "to": "0001-01-02T00:00:00+14:00"}, 422, "the three years"),
        ({"from": "2026-11-20T10:00:00", "to": "2026-11-20T11:00:00Z"}, 422, "with its offset"),
        ({"from": "2026-11-20T10:00:00Z"}, 422, "the field is required"),
        (window() | {"store": FIRST}, 422, "no such field"),
    ],
)
async def test_a_window_that_cannot_be_is_told(
    staff: httpx.AsyncClient, asked: dict[str, str], code: int, said: str
) -> None:
    reply = await staff.post(PATH, json=asked)
    assert (reply.status_code, said in reply.text) == (code, True), reply.text


async def test_a_production_store_cannot_be_read_back(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("update connections set environment = 'production'")
    reply = await staff.post(PATH, json=window())
    assert (reply.status_code, "in UAT only" in reply.text) == (409, True)


async def test_one_at_a_time_of_a_store(staff: httpx.AsyncClient) -> None:
    replies = [await staff.post(PATH, json=window()) for _ in range(2)]
    assert [reply.status_code for reply in replies] == [202, 409]


async def test_what_is_proved_can_be_confirmed(runtime: Runtime, staff: httpx.AsyncClient, platform: Platform) -> None:
    Ledger(platform)
    await report(runtime, transaction_type="adjustment", items=BOTH_WAYS)
    path = await read_back(runtime, staff)
    assert not await is_confirmed(runtime, "adjustment")
    reply = await staff.post(f"{path}/confirm", json={"transaction_type": "adjustment"})
    assert (reply.status_code, await is_confirmed(runtime, "adjustment")) == (200, True)
    assert "the platform keeps our sign" in reply.json()["confirmed"]


async def test_what_is_not_proved_cannot_be_confirmed(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform
) -> None:
    Ledger(platform).alter = lambda lines: [
        line | {"inventoryQuantityChange": abs(line["inventoryQuantityChange"])} for line in lines
    ]
    await report(runtime, transaction_type="adjustment", items=BOTH_WAYS)
    unfinished = (await staff.post(PATH, json=window())).json()["read_back_id"]
    confirm = f"/api/ocs/read-backs/{unfinished}/confirm"
    early = await staff.post(confirm, json={"transaction_type": "adjustment"})
    await run_read_backs(runtime)
    replies = [early, *[await staff.post(confirm, json={"transaction_type": one}) for one in ("adjustment", "loss")]]
    assert [reply.status_code for reply in replies] == [409] * 3
    expected = ("only one that is done", "the platform drops the sign", "no loss came back")
    assert [text for text, reply in zip(expected, replies, strict=True) if text not in reply.text] == []
    assert not await is_confirmed(runtime, "adjustment")
    assert (await staff.post(confirm, json={"transaction_type": "gift"})).status_code == 422


@pytest.mark.parametrize("change", [{"ocs_type": "PURCHASE"}, {"wire_sign": "absolute"}])
async def test_a_mapping_that_was_changed_since_is_not_confirmed(
    runtime: Runtime, staff: httpx.AsyncClient, platform: Platform, change: dict[str, str]
) -> None:
    Ledger(platform)
    await report(runtime, transaction_type="adjustment", items=BOTH_WAYS)
    path = await read_back(runtime, staff)
    async with runtime.pool.transaction() as connection:
        query = "update transaction_mappings set ocs_type = %(ocs_type)s, wire_sign = %(wire_sign)s"
        await connection.execute(query, {"ocs_type": "ADJUSTMENT", "wire_sign": "ledger"} | change)
    reply = await staff.post(f"{path}/confirm", json={"transaction_type": "adjustment"})
    assert (reply.status_code, await is_confirmed(runtime, "adjustment")) == (409, False)


async def test_another_tenants_read_backs_are_not_there(
    runtime: Runtime, staff: httpx.AsyncClient, stranger: httpx.AsyncClient, platform: Platform
) -> None:
    Ledger(platform)
    await report(runtime)
    path = await read_back(runtime, staff)
    replies = [
        await stranger.post(PATH, json=window()),
        await stranger.get(f"{PATH}s"),
        await stranger.get(path),
        await stranger.post(f"{path}/confirm", json={"transaction_type": "sale"}),
        await staff.get(f"/api/ocs/read-backs/{uuid4()}"),
    ]
    assert [reply.status_code for reply in replies] == [404] * 5
