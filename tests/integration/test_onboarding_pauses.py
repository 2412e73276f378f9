"""Pauses: whatever level is paused, nothing is lost, and everything goes out in its order afterwards."""

import httpx
import pytest

from ocs.delivery import sender
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.onboarding import LADDER, OTHER_CROL, add_other_tenant, calling_as
from tests.integration.platform import CROL, FIRST, SECOND, FakeQueues, Platform
from tests.integration.pos import rows, sell, states

PLACES = {
    "store": f"/api/ocs/stores/{FIRST}",
    "connection": f"/api/ocs/tenants/{CROL}/connections/uat",
    "tenant": f"/api/ocs/tenants/{CROL}",
}
WHY = {"why": "the store counts its stock"}


async def _line_ids(runtime: Runtime) -> list[str]:
    found = await rows(runtime, "select line_id::text from event_lines order by sequence")
    return [row["line_id"] for row in found]


@pytest.mark.parametrize("place", PLACES)
async def test_nothing_is_lost_while_paused_and_the_order_is_kept(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient, place: str
) -> None:
    reply = await staff.post(f"{PLACES[place]}/pause", json=WHY)
    assert (reply.status_code, reply.json()["changed"]) == (200, True), reply.text
    for number in range(5):
        taken = await sell(runtime, f"T{number}", lines=2)
        assert await sender.answer_bell(runtime, taken.store_id) == 0
    assert await sender.sweep(runtime) == 0
    assert (await states(runtime), platform.calls) == (["pending"] * 10, [])
    reply = await staff.post(f"{PLACES[place]}/resume")
    assert (reply.status_code, reply.json()["paused"]) == (200, None)
    assert isinstance(runtime.queues, FakeQueues)
    assert len(runtime.queues.messages["ocs-deliveries"]) == 1, "the bell rings at once"
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted"] * 10
    assert platform.order == await _line_ids(runtime)


async def test_a_pause_of_one_store_lets_the_others_go_on(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await staff.post(f"{PLACES['store']}/pause", json=WHY)
    await sell(runtime, "T1")
    other = await sell(runtime, "T1", store=SECOND)
    await sender.answer_bell(runtime, other.store_id)
    assert len(platform.order) == 1
    held = await rows(runtime, "select crsa, state from outbox join reporting_stores using (store_id) order by crsa")
    assert held == [{"crsa": FIRST, "state": "pending"}, {"crsa": SECOND, "state": "accepted"}]


async def test_the_store_says_what_pauses_it_who_since_when_and_why(staff: httpx.AsyncClient) -> None:
    config = (await staff.get(f"/api/ocs/config/{FIRST}")).json()
    assert (config["delivering"], config["paused"]) == (True, None)
    for place, path in PLACES.items():
        await staff.post(f"{path}/pause", json={"why": f"because of the {place}"})
    for place in ("tenant", "connection", "store"):
        config = (await staff.get(f"/api/ocs/config/{FIRST}")).json()
        paused = config["paused"]
        assert (config["delivering"], config["reporting"]) == (False, True)
        assert (paused["through"], paused["by"], paused["why"]) == (place, "super admin", f"because of the {place}")
        await staff.post(f"{PLACES[place]}/resume")
    assert (await staff.get(f"/api/ocs/config/{FIRST}")).json()["delivering"] is True


async def test_a_second_pause_keeps_the_first_ones_reason(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await staff.post(f"{PLACES['store']}/pause", json=WHY)
    again = (await staff.post(f"{PLACES['store']}/pause", json={"why": "another reason"})).json()
    assert (again["changed"], again["paused"]["why"]) == (False, WHY["why"])
    assert len(await rows(runtime, "select * from audit_acts")) == 1


async def test_what_was_not_paused_is_resumed_without_a_trace(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    reply = await staff.post(f"{PLACES['tenant']}/resume")
    assert (reply.status_code, reply.json()["changed"]) == (200, False)
    assert await rows(runtime, "select * from audit_acts") == []


async def test_pause_and_resume_are_noted(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await staff.post(f"{PLACES['connection']}/pause", json=WHY)
    await staff.post(f"{PLACES['connection']}/resume", headers={"Ocs-Why": "counted"})
    acts = await rows(runtime, "select what, subject, why, before, after from audit_acts order by act_id")
    assert [(act["what"], act["subject"], act["why"]) for act in acts] == [
        ("connection.paused", "uat", WHY["why"]),
        ("connection.resumed", "uat", "counted"),
    ]
    assert acts[1]["before"]["why"] == WHY["why"]


async def test_a_resume_whose_bell_fails_is_done_all_the_same(
    runtime: Runtime, platform: Platform, staff: httpx.AsyncClient
) -> None:
    await staff.post(f"{PLACES['store']}/pause", json=WHY)
    taken = await sell(runtime, "T1")
    assert isinstance(runtime.queues, FakeQueues)
    runtime.queues.down = True
    assert (await staff.post(f"{PLACES['store']}/resume")).status_code == 200
    runtime.queues.down = False
    assert await sender.sweep(runtime) == 1, "the sweeper rings instead"
    await sender.answer_bell(runtime, taken.store_id)
    assert len(platform.order) == 1


@pytest.mark.parametrize("place", PLACES)
async def test_a_pause_needs_a_reason(staff: httpx.AsyncClient, place: str) -> None:
    for body in ({}, {"why": "  "}, {"why": "x" * 501}):
        assert (await staff.post(f"{PLACES[place]}/pause", json=body)).status_code == 422
    assert (await staff.get(f"/api/ocs/config/{FIRST}")).json()["delivering"] is True


@pytest.mark.parametrize("role", LADDER)
async def test_a_manager_pauses_and_who_is_below_does_not(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    expected = 200 if role.includes(Role.MANAGER) else 403
    async with calling_as(runtime, monkeypatch, role) as client:
        for place in PLACES.values():
            assert (await client.post(f"{place}/pause", json=WHY)).status_code == expected
            assert (await client.post(f"{place}/resume")).status_code == expected


async def test_another_tenant_can_neither_pause_nor_resume(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_other_tenant(runtime, platform)
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN, OTHER_CROL) as client:
        for place in PLACES.values():
            assert (await client.post(f"{place}/pause", json=WHY)).status_code == 404
            assert (await client.post(f"{place}/resume")).status_code == 404
    assert await rows(runtime, "select crsa from reporting_stores where not reporting") == []
