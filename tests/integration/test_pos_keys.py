"""A tenant's POS keys: made, shown once, rotated, revoked, and what they open."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.pos.key_text import new_key
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, FIRST, FakeVault
from tests.integration.pos import rows, transaction
from tests.integration.pos_keys import KEYS, TRANSACTIONS, another_tenant, make_key


async def post(staff: httpx.AsyncClient, key: str | None, body: object = None) -> httpx.Response:
    """Post a sale as a POS with a key."""
    headers = {} if key is None else {"Ocs-Key": key}
    return await staff.post(TRANSACTIONS, json=transaction("R-1") if body is None else body, headers=headers)


async def test_a_key_is_shown_once_and_its_hash_is_what_the_database_keeps(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    made = await make_key(staff, label="TillPOS")
    shown = (await staff.get(KEYS)).raise_for_status().json()["items"]
    assert [(one["key_id"], one["label"], one["last_used_at"]) for one in shown] == [(made["key_id"], "TillPOS", None)]
    everything = json.dumps([shown, await rows(runtime, "select k::text from pos_keys k")])
    everything += json.dumps(await rows(runtime, "select a::text from audit_acts a"))
    assert made["key"] not in everything
    assert made["key"].split("_")[2] not in everything


async def test_a_sale_with_a_key_is_queued_and_the_use_is_noted(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    made = await make_key(staff)
    assert (await post(staff, made["key"])).status_code == 202
    (used,) = await rows(runtime, "select last_used_at from pos_keys")
    assert used["last_used_at"] is not None
    bearer = {"Authorization": f"Bearer {made['key']}"}
    assert (await staff.post(TRANSACTIONS, json=transaction("R-2"), headers=bearer)).status_code == 202
    assert await rows(runtime, "select last_used_at from pos_keys") == [used], "once a minute"


async def test_without_a_key_that_works_nothing_is_taken(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """401 says what is wrong with the key, to a stranger not whether there is one like it."""
    made, revoked, expired = [await make_key(staff) for _ in range(3)]
    (await staff.delete(f"{KEYS}/{revoked['key_id']}")).raise_for_status()
    async with runtime.pool.transaction() as connection:
        words = (expired["key_id"],)
        await connection.execute("update pos_keys set expires_at = now() where key_id = %s", words)
    unknown = new_key().text
    forged = new_key()
    of_forger = forged.text.replace(forged.key_id, made["key_id"])
    said = {}
    for name, key in {
        "none": None,
        "typo": made["key"][:-1],
        "unknown": unknown,
        "forged": of_forger,
        "revoked": revoked["key"],
        "expired": expired["key"],
    }.items():
        reply = await post(staff, key)
        assert (reply.status_code, reply.headers["content-type"]) == (401, "application/problem+json"), name
        assert reply.headers["WWW-Authenticate"].startswith("Bearer")
        said[name] = reply.json()["title"].partition(": ")[2]
        assert key is None or key not in reply.text
    assert said == {
        "none": "no key was sent",
        "typo": "the key is mistyped or not whole: its checksum does not fit",
        "unknown": "the key is not valid",
        "forged": "the key is mistyped or not whole: its checksum does not fit",
        "revoked": "the key was revoked",
        "expired": "the key has expired",
    }
    assert getattr(runtime.queues, "messages", None) == {}


async def test_a_right_id_with_another_secret_is_as_unknown_as_any(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await make_key(staff)
    monkeypatch.setattr("ocs.pos.key_text.secrets.token_hex", lambda size: made["key_id"] if size == 6 else "7" * 64)
    twin = new_key()
    assert twin.key_id == made["key_id"]
    reply = await post(staff, twin.text)
    assert (reply.status_code, reply.json()["title"]) == (401, "Nothing was taken in: the key is not valid")
    assert len(await rows(runtime, "select 1 from pos_keys where last_used_at is null")) == 1


async def test_another_tenants_transaction_is_refused_whether_there_is_that_tenant_or_not(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    async with another_tenant(runtime) as crol:
        made = await make_key(staff, f"/api/ocs/tenants/{crol}/pos-keys")
        foreign = await post(staff, made["key"], transaction("R-1"))
        nobody = await post(staff, made["key"], transaction("R-1", tenant_id="CROL9999999"))
        store = await post(staff, made["key"], transaction("R-1", tenant_id=crol))
    assert [one.status_code for one in (foreign, nobody, store)] == [422, 422, 422]
    (fault,), (of_nobody,), (of_store,) = (one.json()["errors"] for one in (foreign, nobody, store))
    assert (fault["field"], fault["found"]) == ("tenant_id", f'"{CROL}"')
    assert fault["expected"] == of_nobody["expected"] == "the tenant that the key belongs to"
    assert (of_store["field"], of_store["found"]) == ("store_id", f'"{FIRST}"')
    assert getattr(runtime.queues, "messages", None) == {}


async def test_the_old_key_works_beside_the_new_one_until_the_overlap_is_over(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    old = await make_key(staff)
    new = (await staff.post(f"{KEYS}/{old['key_id']}/rotate", json={"overlap_hours": 24})).raise_for_status().json()
    assert new["label"] == old["label"]
    ends = datetime.fromisoformat(new["replaces"]["expires_at"])
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)
    assert [(await post(staff, one["key"])).status_code for one in (old, new)] == [202, 202]
    async with runtime.pool.transaction() as connection:
        await connection.execute("update pos_keys set expires_at = now() where expires_at is not null")
    assert [(await post(staff, one["key"])).status_code for one in (old, new)] == [401, 202]
    again = await staff.post(f"{KEYS}/{old['key_id']}/rotate", json={})
    assert again.status_code == 409


async def test_an_overlap_never_makes_a_key_live_longer(staff: httpx.AsyncClient) -> None:
    ends = datetime.now(UTC) + timedelta(hours=2)
    old = await make_key(staff, expires_at=ends.isoformat())
    new = (await staff.post(f"{KEYS}/{old['key_id']}/rotate", json={"overlap_hours": 48})).raise_for_status().json()
    assert datetime.fromisoformat(new["replaces"]["expires_at"]) == ends


async def test_a_revoked_key_is_dead_at_once_and_a_second_time_changes_nothing(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    made = await make_key(staff)
    first = await staff.delete(f"{KEYS}/{made['key_id']}")
    again = await staff.delete(f"{KEYS}/{made['key_id']}")
    assert first.json() == again.json()
    assert (await post(staff, made["key"])).status_code == 401
    acts = await rows(runtime, "select what, subject from audit_acts order by at")
    assert [(act["what"], act["subject"]) for act in acts] == [
        ("pos_key.made", made["key_id"]),
        ("pos_key.revoked", made["key_id"]),
    ]


async def test_keys_are_the_tenant_admins_matter(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    (tenant,) = await rows(runtime, "select tenant_id from tenants")
    for role, status in ((Role.VIEWER, 403), (Role.MANAGER, 403), (Role.TENANT_ADMIN, 200)):
        async with staff_client(runtime, monkeypatch, Caller("p", "P", {tenant["tenant_id"]: role})) as client:
            assert (await client.get(KEYS)).status_code == status, role


async def test_a_strangers_keys_are_not_there(stranger: httpx.AsyncClient, runtime: Runtime) -> None:
    async with another_tenant(runtime):
        assert (await stranger.get(KEYS)).status_code == 404
        assert (await stranger.post(KEYS, json={"label": "mine"})).status_code == 404
    assert await rows(runtime, "select 1 from pos_keys") == []


async def test_a_key_of_another_tenant_cannot_be_revoked_by_its_id(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    made = await make_key(staff)
    async with another_tenant(runtime) as crol:
        reply = await staff.delete(f"/api/ocs/tenants/{crol}/pos-keys/{made['key_id']}")
    assert reply.status_code == 404
    assert (await post(staff, made["key"])).status_code == 202


async def test_keys_are_listed_page_by_page(staff: httpx.AsyncClient) -> None:
    made = [(await make_key(staff))["key_id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await staff.get(KEYS, params=params)).raise_for_status().json()
        seen += [one["key_id"] for one in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == (made, None)


async def test_more_requests_than_the_limit_are_told_to_wait(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "settings", runtime.settings.model_copy(update={"pos_requests_per_minute": 2}))
    one, other = await make_key(staff), await make_key(staff)
    assert [(await post(staff, one["key"])).status_code for _ in range(3)] == [202, 202, 429]
    refused = await post(staff, one["key"])
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["content-type"] == "application/problem+json"
    assert (await post(staff, other["key"])).status_code == 202


async def test_a_vault_that_is_down_makes_no_key(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    assert isinstance(runtime.vault, FakeVault)
    runtime.vault.down = True
    assert (await staff.post(KEYS, json={"label": "till"})).status_code == 503
    assert await rows(runtime, "select 1 from pos_keys") == []


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"label": ""},
        {"label": "x" * 101},
        {"label": "a\x00b"},
        {"label": "t", "expires_at": "2020-01-01T00:00:00Z"},
        {"label": "t", "expires_at": "2030-01-01T00:00:00"},
        {"label": "t", "key": "mine"},
    ],
)
async def test_a_wrong_wish_names_its_field(staff: httpx.AsyncClient, wish: dict[str, str]) -> None:
    reply = await staff.post(KEYS, json=wish)
    assert reply.status_code == 422
    assert reply.json()["errors"]


async def test_an_answer_with_a_key_is_not_kept_for_an_idempotency_key(staff: httpx.AsyncClient) -> None:
    reply = await staff.post(KEYS, json={"label": "till"}, headers={"Idempotency-Key": str(uuid.uuid4())})
    assert reply.status_code == 201
    assert reply.headers["Ocs-Shown-Once"] == "true"
