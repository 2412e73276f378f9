"""Who has which role: given and taken by the tenant's administrators, within their tenant, never the last one's."""

import httpx
import pytest

from ocs.access import grants
from ocs.access.caller import Caller
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.conftest import staff_client
from tests.integration.onboarding import LADDER, OTHER_CROL, add_other_tenant, calling_as, tenant_id_of
from tests.integration.platform import CROL, Platform
from tests.integration.pos import rows

PEOPLE = f"/api/ocs/tenants/{CROL}/people"
ANN, BOB = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


async def _grant(runtime: Runtime, subject: str, role: Role, name: str) -> None:
    tenant_id = await tenant_id_of(runtime)
    async with runtime.pool.transaction() as connection:
        await grants.grant(connection, subject, tenant_id, role, name=name, by="a test")


async def _ann(runtime: Runtime) -> Caller:
    """Give Ann, who administers the tenant."""
    await _grant(runtime, ANN, Role.TENANT_ADMIN, "Ann")
    return Caller(ANN, "Ann", {await tenant_id_of(runtime): Role.TENANT_ADMIN})


async def test_a_role_is_given_changed_and_taken_and_each_is_noted(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    given = await staff.put(f"{PEOPLE}/{BOB}", json={"role": "viewer", "name": "Bob"})
    assert (given.status_code, given.json()["role"], given.json()["granted_by"]) == (200, "viewer", "super admin")
    changed = await staff.put(f"{PEOPLE}/{BOB}", json={"role": "manager", "name": "Bob B."})
    assert [one["name"] for one in (await staff.get(PEOPLE)).json()["items"]] == ["Bob B."]
    assert (await staff.get(f"{PEOPLE}/{BOB}")).json() == changed.json()
    assert (await staff.delete(f"{PEOPLE}/{BOB}")).status_code == 204
    assert (await staff.get(PEOPLE)).json() == {"items": []}
    assert [(await staff.delete(f"{PEOPLE}/{BOB}")).status_code, (await staff.get(f"{PEOPLE}/{BOB}")).status_code] == [
        404,
        404,
    ]
    acts = await rows(runtime, "select what, before, after from audit_acts order by act_id")
    assert [(act["what"], act["before"], act["after"]) for act in acts] == [
        ("person.granted", None, {"role": "viewer", "name": "Bob"}),
        ("person.granted", {"role": "viewer", "name": "Bob"}, {"role": "manager", "name": "Bob B."}),
        ("person.revoked", {"role": "manager", "name": "Bob B."}, None),
    ]


async def test_nobody_is_made_super_admin_here(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for role in ("super-admin", "anyone", "pos", ""):
        assert (await staff.put(f"{PEOPLE}/{BOB}", json={"role": role, "name": "Bob"})).status_code == 422
    assert await rows(runtime, "select * from grants") == []


async def test_the_last_administrator_stays_one(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await _ann(runtime)
    async with staff_client(runtime, monkeypatch, ann) as client:
        replies = [
            await client.delete(f"{PEOPLE}/{ANN}"),
            await client.put(f"{PEOPLE}/{ANN}", json={"role": "viewer", "name": "Ann"}),
        ]
        assert [reply.status_code for reply in replies] == [409, 409]
        assert "last administrator" in replies[0].json()["title"]
        await client.put(f"{PEOPLE}/{BOB}", json={"role": "tenant-admin", "name": "Bob"})
        assert (await client.delete(f"{PEOPLE}/{ANN}")).status_code == 204
    assert await rows(runtime, "select name from grants") == [{"name": "Bob"}]


async def test_a_super_admin_may_take_the_last_administrators_role(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """A person who left the company: the super admin is the one who makes the next."""
    await _ann(runtime)
    assert (await staff.delete(f"{PEOPLE}/{ANN}")).status_code == 204


async def test_a_role_that_was_changed_meanwhile_is_not_overwritten(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await _grant(runtime, BOB, Role.VIEWER, "Bob")
    tag = {"If-Match": (await staff.get(f"{PEOPLE}/{BOB}")).headers["ETag"]}
    await _grant(runtime, BOB, Role.MANAGER, "Bob")
    reply = await staff.put(f"{PEOPLE}/{BOB}", json={"role": "staff", "name": "Bob"}, headers=tag)
    assert reply.status_code == 412


@pytest.mark.parametrize("role", LADDER)
async def test_only_administrators_see_and_change_people(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    may = role is Role.TENANT_ADMIN
    async with calling_as(runtime, monkeypatch, role) as client:
        assert (await client.get(PEOPLE)).status_code == (200 if may else 403)
        given = await client.put(f"{PEOPLE}/{BOB}", json={"role": "viewer", "name": "Bob"})
        assert given.status_code == (200 if may else 403)
        assert (await client.delete(f"{PEOPLE}/{BOB}")).status_code == (204 if may else 403)


async def test_another_tenants_people_are_not_there(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_other_tenant(runtime, platform)
    await _grant(runtime, BOB, Role.VIEWER, "Bob")
    async with calling_as(runtime, monkeypatch, Role.TENANT_ADMIN, OTHER_CROL) as client:
        replies = [
            await client.get(PEOPLE),
            await client.get(f"{PEOPLE}/{BOB}"),
            await client.put(f"{PEOPLE}/{BOB}", json={"role": "tenant-admin", "name": "Bob"}),
            await client.delete(f"{PEOPLE}/{BOB}"),
        ]
    assert [reply.status_code for reply in replies] == [404] * 4
    assert await rows(runtime, "select role from grants") == [{"role": "viewer"}]
