"""A line is found, its waiting is explained, and what is shown is the caller's own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.delivery.sender import answer_bell
from ocs.events.release import release_mapped
from ocs.mapping.change import map_sku
from ocs.mapping.lookup import MappedSku
from ocs.runtime import Runtime
from ocs.tenants.read import tenant_of
from ocs.web.roles import Role
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, FIRST, SECOND, Platform, status
from tests.integration.pos import SKU, UPC, make_due, rows, sell

BAD = "999999_bad___"
OURS = [{"sku": "OUR-77", "quantity": 1, "unit_price": "49.95"}]


def bad_item(**changes: Any) -> dict[str, Any]:
    """Give an item that the platform refuses."""
    return {"ocs_sku": BAD, "upc": UPC, "quantity": 2, "unit_price": "10.00"} | changes


async def line_of(staff: httpx.AsyncClient, number: str) -> dict[str, Any]:
    """Give the newest line of a transaction, whole."""
    found = (await staff.get("/api/ocs/events/search", params={"transaction_id": number})).json()["items"][0]
    reply = await staff.get(f"/api/ocs/events/lines/{found['line_id']}")
    assert reply.status_code == 200, reply.text
    whole: dict[str, Any] = reply.json()
    return whole


async def test_a_refused_line_is_seen_explained_corrected_and_accepted(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.refused_skus = {BAD}
    sold = await sell(runtime, "T1", items=[bad_item()])
    await answer_bell(runtime, sold.store_id)
    waiting = (await staff.get("/api/ocs/events/pending")).json()
    assert waiting["counts"] == {"platform_rejected": 1}
    line = waiting["items"][0]
    assert line["why"]["cause"] == "platform_rejected"
    assert f"ocsSku {BAD} is not valid" in line["why"]["says"]
    assert line["why"]["fix"]["route"] == f"POST /api/ocs/events/lines/{line['line_id']}/correct"

    path = f"/api/ocs/events/lines/{line['line_id']}/correct"
    corrected = await staff.post(path, json={"ocs_sku": SKU}, headers={"If-Match": '"1"', "Ocs-Why": "a wrong key"})
    assert (corrected.status_code, corrected.json()["revision"]) == (202, 2), corrected.text
    await answer_bell(runtime, sold.store_id)

    assert platform.accepted[line["line_id"]]["ocsSku"] == SKU
    whole = await line_of(staff, "T1")
    assert (whole["status"], whole["why"]["cause"]) == ("accepted", "accepted")
    assert [one["status"] for one in whole["revisions"]] == ["accepted", "superseded"]
    said = whole["revisions"][0]["message"]
    assert (said["made_by"], said["made_why"]) == ("super admin", "a wrong key")
    assert [(one["revision"], one["outcome"], one["http_status"]) for one in whole["attempts"]] == [
        (2, "accepted", 200),
        (1, "rejected", 400),
    ]
    assert whole["revisions"][0]["quantity"] == "-2"
    level = (await rows(runtime, "select ocs_sku, quantity from inventory_levels where quantity <> 0"))[0]
    assert (level["ocs_sku"], level["quantity"]) == (SKU, -2)
    act = (await rows(runtime, "select what, before, after, why from audit_acts"))[0]
    assert (act["what"], act["before"]["ocs_sku"], act["after"]["ocs_sku"]) == ("line.corrected", BAD, SKU)


async def test_an_unmapped_line_says_so_and_leaves_once_it_is_mapped(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    sold = await sell(runtime, "T1", items=OURS)
    why = (await line_of(staff, "T1"))["why"]
    assert (why["cause"], why["fix"]["action"]) == ("sku_unmapped", "map_sku")
    assert why["fix"]["route"] == f"PUT /api/ocs/tenants/{CROL}/mappings/OUR-77"
    async with runtime.pool.transaction() as connection:
        await map_sku(connection, await tenant_of(connection, CROL), "OUR-77", MappedSku(SKU, UPC))
    await release_mapped(runtime)
    await answer_bell(runtime, sold.store_id)
    assert (await line_of(staff, "T1"))["status"] == "accepted"
    assert len(platform.order) == 1


async def test_history_is_newest_first_in_pages_and_by_every_filter(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.refused_skus = {BAD}
    sold = await sell(runtime, "T1", lines=3)
    await answer_bell(runtime, sold.store_id)
    await sell(runtime, "T2", items=[bad_item()])
    await answer_bell(runtime, sold.store_id)
    await sell(runtime, "T3", items=OURS)
    await sell(runtime, "T4", transaction_type="return")
    path = f"/api/ocs/events/history/{FIRST}"
    seen: list[dict[str, Any]] = []
    cursor = None
    for _ in range(4):
        page = (await staff.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert [line["transaction_id"] for line in seen] == ["T4", "T3", "T2", "T1", "T1", "T1"]
    assert [line["sequence"] for line in seen] == [6, 5, 4, 3, 2, 1]
    reference = seen[-1]["reference_id"]
    for filters, expected in (
        ({"sku": SKU}, ["T4", "T1", "T1", "T1"]),
        ({"sku": "OUR-77"}, ["T3"]),
        ({"transaction_id": "T2"}, ["T2"]),
        ({"line_id": seen[2]["line_id"]}, ["T2"]),
        ({"status": "parked"}, ["T3", "T2"]),
        ({"status": "pending"}, ["T4"]),
        ({"status": "accepted"}, ["T1", "T1", "T1"]),
        ({"status": "superseded"}, []),
        ({"reference_id": reference}, ["T1", "T1", "T1"]),
        ({"type": "return"}, ["T4"]),
        ({"type": "return", "sku": SKU}, ["T4"]),
        ({"to": seen[-1]["recorded_at"]}, []),
        ({"from": seen[1]["recorded_at"]}, ["T4", "T3"]),
    ):
        reply = await staff.get(path, params=filters)
        assert [line["transaction_id"] for line in reply.json()["items"]] == expected, (filters, reply.text)


async def test_a_search_over_all_stores_takes_a_filter_that_narrows(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await sell(runtime, "T1")
    await sell(runtime, "T2", store=SECOND)
    refused = await staff.get("/api/ocs/events/search", params={"status": "pending"})
    assert (refused.status_code, "transaction_id" in refused.text) == (422, True)
    now = datetime.now(UTC)
    day = {"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    for filters in ({"sku": SKU}, day):
        found = (await staff.get("/api/ocs/events/search", params=filters)).json()["items"]
        assert [(line["crsa"], line["transaction_id"]) for line in found] == [(SECOND, "T2"), (FIRST, "T1")]
    page = (await staff.get("/api/ocs/events/search", params={"sku": SKU, "limit": 1})).json()
    rest = (await staff.get("/api/ocs/events/search", params={"sku": SKU, "cursor": page["next"]})).json()
    assert [line["transaction_id"] for line in rest["items"]] == ["T1"]


async def test_what_waits_is_listed_oldest_first_with_its_cause_and_counts(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    sold = await sell(runtime, "T1", lines=2)
    await sell(runtime, "T2", items=OURS)
    await sell(runtime, "T3", store=SECOND)
    async with runtime.pool.transaction() as connection:
        await connection.execute(f"update stores set reporting = false where crsa = '{SECOND}'")  # noqa: S608
    platform.answers = [status(503)]
    await answer_bell(runtime, sold.store_id)
    whole = (await staff.get("/api/ocs/events/pending")).json()
    assert [line["transaction_id"] for line in whole["items"]] == ["T1", "T1", "T2", "T3"]
    assert whole["counts"] == {"backoff": 2, "sku_unmapped": 1, "store_off": 1}
    assert [line["why"]["cause"] for line in whole["items"]] == ["backoff", "backoff", "sku_unmapped", "store_off"]
    assert "scripted 503" in whole["items"][0]["why"]["says"]
    tried: list[tuple[dict[str, str], list[str]]] = [
        ({"cause": "backoff"}, ["T1", "T1"]),
        ({"cause": "store_off"}, ["T3"]),
        ({"cause": "sku_unmapped"}, ["T2"]),
        ({"cause": "calls_busy"}, []),
        ({"store": SECOND}, ["T3"]),
        ({"tenant": CROL, "limit": "200"}, ["T1", "T1", "T2", "T3"]),
    ]
    for filters, expected in tried:
        reply = await staff.get("/api/ocs/events/pending", params=filters)
        assert [line["transaction_id"] for line in reply.json()["items"]] == expected, filters
    first = (await staff.get("/api/ocs/events/pending", params={"limit": 3})).json()
    rest = (await staff.get("/api/ocs/events/pending", params={"limit": 3, "cursor": first["next"]})).json()
    assert [line["transaction_id"] for line in rest["items"]] == ["T3"]


async def test_a_submitted_transaction_skips_the_wait_between_two_tries(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.answers = [status(503)]
    sold = await sell(runtime, "T1")
    await answer_bell(runtime, sold.store_id)
    await answer_bell(runtime, sold.store_id)
    assert len(platform.calls) == 1, "it waits"
    body = {"store_id": FIRST, "transaction_id": "T1"}
    submitted = await staff.post("/api/ocs/events/submit", json=body)
    assert (submitted.status_code, submitted.json()["why"]["cause"]) == (202, "queued"), submitted.text
    await answer_bell(runtime, sold.store_id)
    assert len(platform.order) == 1
    again = await staff.post("/api/ocs/events/submit", json=body)
    assert (again.status_code, "accepted it already" in again.text) == (409, True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("update stores set reporting = false", "switched off"),
        (
            "update stores set paused_at = now(), paused_by = 'Ann', paused_why = 'stock count'",
            "Ann paused it: stock count",
        ),
        ("update stores set anchored_at = null", "no position of this store"),
    ],
)
async def test_what_cannot_go_is_not_submitted_and_the_words_say_why(
    runtime: Runtime, staff: httpx.AsyncClient, change: str, words: str
) -> None:
    await sell(runtime, "T1")
    async with runtime.pool.transaction() as connection:
        await connection.execute(change)
    reply = await staff.post("/api/ocs/events/submit", json={"store_id": FIRST, "transaction_id": "T1"})
    assert (reply.status_code, words in reply.text) == (409, True), reply.text
    assert await rows(runtime, "select from audit_acts") == []


async def test_a_wait_that_the_platform_asked_for_is_kept(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    platform.answers = [status(429, {"Retry-After": "600"})]
    sold = await sell(runtime, "T1")
    await answer_bell(runtime, sold.store_id)
    reply = await staff.post("/api/ocs/events/submit", json={"store_id": FIRST, "transaction_id": "T1"})
    assert (reply.status_code, reply.json()["why"]["cause"]) == (202, "slow_down")
    await answer_bell(runtime, sold.store_id)
    assert len(platform.calls) == 1
    await make_due(runtime)
    await answer_bell(runtime, sold.store_id)
    assert (await line_of(staff, "T1"))["status"] == "accepted"


async def test_another_tenants_lines_jobs_and_stores_are_not_there(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(runtime, "T1", items=OURS)
    line_id = (await line_of(staff, "T1"))["line_id"]
    stranger = Caller("stranger", "a stranger", {uuid4(): Role.TENANT_ADMIN})
    async with staff_client(runtime, monkeypatch, stranger) as client:
        replies = [
            await client.get(f"/api/ocs/events/history/{FIRST}"),
            await client.get(f"/api/ocs/events/lines/{line_id}"),
            await client.get(f"/api/ocs/events/lines/{line_id}", params={"store": FIRST}),
            await client.get("/api/ocs/events/pending", params={"store": FIRST}),
            await client.get("/api/ocs/events/pending", params={"tenant": CROL}),
            await client.get(f"/api/ocs/events/jobs/{uuid4()}"),
            await client.post("/api/ocs/events/submit", json={"store_id": FIRST, "transaction_id": "T1"}),
            await client.post("/api/ocs/events/retry", json={"store_id": FIRST, "line_ids": [line_id]}),
            await client.post("/api/ocs/events/retry", json={"tenant": CROL, "dry_run": True}),
            await client.post(
                f"/api/ocs/events/lines/{line_id}/correct", json={"ocs_sku": SKU}, headers={"If-Match": '"1"'}
            ),
        ]
        assert [reply.status_code for reply in replies] == [404] * len(replies)
        assert (await client.get("/api/ocs/events/pending")).json() == {"items": [], "next": None, "counts": {}}
        assert (await client.get("/api/ocs/events/search", params={"line_id": line_id})).json()["items"] == []
