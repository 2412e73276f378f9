"""Who may set up what: by role, within one's own tenant, and without a way to another retailer's secrets."""

from typing import Any

import pytest

from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.onboarding import LADDER, OTHER_CROL, OTHER_STORE, a_store, add_other_tenant, calling_as
from tests.integration.platform import CROL, FIRST, Platform
from tests.integration.pos import rows

CONFIG = f"/api/ocs/stores/{FIRST}/config"


async def test_a_crsa_of_another_tenant_is_refused_without_telling_whose(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_other_tenant(runtime, platform)
    taken = a_store(platform, crsa=OTHER_STORE)
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN) as client:
        replies = [
            await client.post(f"/api/ocs/tenants/{CROL}/stores", json=taken),
            await client.post("/api/ocs/config", json={"crol": CROL, "name": "Mine", "stores": [taken]}),
        ]
    assert [reply.status_code for reply in replies] == [422, 422]
    assert [reply.json()["errors"][0]["field"] for reply in replies] == ["crsa", "stores[0].crsa"]
    assert [OTHER_CROL in reply.text or "Other" in reply.text for reply in replies] == [False, False]
    assert await rows(runtime, "select name from tenants order by crol") == [
        {"name": "Test Cannabis"},
        {"name": "Other Cannabis"},
    ]


async def test_an_administrator_sets_up_their_own_tenant(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"hash_key_name": f"{CROL.lower()}-new-key"}
    described = {"crol": CROL, "name": "Mine", "stores": [a_store(platform, **secret)]}
    connection = platform.tenant()["connections"][0] | {"name": "second"}
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN) as client:
        replies = [
            await client.post("/api/ocs/config", json=described),
            await client.post(f"/api/ocs/tenants/{CROL}/connections", json=connection),
            await client.put(CONFIG, json={"name": "Mine too"}),
        ]
    assert [reply.status_code for reply in replies] == [200, 201, 200], [reply.text for reply in replies]


async def test_an_administrator_names_no_new_address_and_no_others_secret(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a retailer could have another one's secret sent to an address of its own."""
    await add_other_tenant(runtime, platform)
    connections = f"/api/ocs/tenants/{CROL}/connections"
    described = platform.tenant()["connections"][0] | {"name": "trap"}
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN) as client:
        elsewhere = [
            await client.post(connections, json=described | {"token_url": "https://trap.example/token"}),
            await client.put(f"{connections}/uat", json={"base_url": "https://trap.example"}),
        ]
        of_others = [
            await client.post(connections, json=described | {"client_secret_name": "other-client-secret"}),
            await client.put(f"{connections}/uat", json={"client_secret_name": "Other-Client-Secret"}),
            await client.put(CONFIG, json={"hash_key_name": "other-hash-key"}),
            await client.post(
                "/api/ocs/config",
                json={"crol": CROL, "name": "x", "stores": [a_store(platform, hash_key_name="other-hash-key")]},
            ),
        ]
    assert [reply.status_code for reply in elsewhere] == [403, 403]
    assert [reply.status_code for reply in of_others] == [422] * 4
    assert len(await rows(runtime, "select * from connections")) == 2
    assert await rows(runtime, "select * from audit_acts") == []


def _calls(platform: Platform) -> dict[str, tuple[str, str, dict[str, Any] | None, Role]]:
    """Give every route with the least role that may call it."""
    tenant, connection = f"/api/ocs/tenants/{CROL}", platform.tenant()["connections"][0]
    reading = {"ocs_type": "LOSS", "direction": -1, "wire_sign": "absolute"}
    return {
        "tenant": ("GET", tenant, None, Role.VIEWER),
        "rename": ("PUT", tenant, {"name": "Renamed"}, Role.TENANT_ADMIN),
        "connections": ("GET", f"{tenant}/connections", None, Role.VIEWER),
        "connection": ("GET", f"{tenant}/connections/uat", None, Role.VIEWER),
        "new connection": ("POST", f"{tenant}/connections", connection | {"name": "new"}, Role.TENANT_ADMIN),
        "change connection": ("PUT", f"{tenant}/connections/uat", {"client_id": "c"}, Role.TENANT_ADMIN),
        "types": ("GET", f"{tenant}/connections/uat/types", None, Role.VIEWER),
        "type": ("GET", f"{tenant}/connections/uat/types/loss", None, Role.VIEWER),
        "change type": ("PUT", f"{tenant}/connections/uat/types/loss", reading, Role.TENANT_ADMIN),
        "confirm type": ("POST", f"{tenant}/connections/uat/types/loss/confirm", None, Role.MANAGER),
        "stores": ("GET", f"{tenant}/stores", None, Role.VIEWER),
        "new store": ("POST", f"{tenant}/stores", a_store(platform), Role.TENANT_ADMIN),
        "config": ("GET", f"/api/ocs/config/{FIRST}", None, Role.VIEWER),
        "change config": ("PUT", CONFIG, {"name": "Renamed"}, Role.TENANT_ADMIN),
        "describe": ("POST", "/api/ocs/config", {"crol": CROL, "name": "Described"}, Role.TENANT_ADMIN),
    }


@pytest.mark.parametrize("role", LADDER)
async def test_each_route_asks_for_its_role(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    async with calling_as(runtime, monkeypatch, role) as client:
        for name, (method, path, body, needs) in _calls(platform).items():
            reply = await client.request(method, path, json=body)
            assert (reply.status_code == 403) is not role.includes(needs), (name, reply.text)
            assert reply.status_code in (200, 201, 403), (name, reply.text)
        made = await client.post("/api/ocs/tenants", json={"crol": OTHER_CROL, "name": "Made"})
        assert made.status_code == 403


async def test_another_tenants_things_are_not_there(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_other_tenant(runtime, platform)
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN, OTHER_CROL) as client:
        for name, (method, path, body, _) in _calls(platform).items():
            assert (await client.request(method, path, json=body)).status_code == 404, name
        listed = (await client.get("/api/ocs/tenants")).json()
    assert [one["crol"] for one in listed["items"]] == [OTHER_CROL]
    assert await rows(runtime, "select * from audit_acts") == []
