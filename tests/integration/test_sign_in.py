"""Sign-in over HTTP: tokens, grants and roles as they are in the database, and idempotency keys by person."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

import function_app
from ocs import runtime as process
from ocs.access import grants
from ocs.access.caller import TOKEN_OF_THE_PAGE
from ocs.access.tokens import SignIn
from ocs.runtime import Runtime
from ocs.web.app import create_app, guarded
from ocs.web.roles import Role
from tests.unit.issuer import AUDIENCE, ISSUER, Issuer

CROL, STORE = "CROL1234567", "CRSA1111111"
MAPPINGS = f"/api/ocs/tenants/{CROL}/mappings"


@pytest.fixture
def issuer() -> Issuer:
    """Give an issuer in memory."""
    made = Issuer()
    made.add_key("one")
    return made


@pytest.fixture
async def client(runtime: Runtime, issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the whole app, whose sign-in asks the issuer in memory."""
    monkeypatch.setattr(process._Process, "runtime", runtime)  # noqa: SLF001 - one process has one, a test its own
    monkeypatch.setattr(process._Process, "checked", True)  # noqa: SLF001 - the same
    settings = runtime.settings.model_copy(update={"sign_in_issuer": ISSUER, "sign_in_audience": AUDIENCE})
    runtime.settings = settings
    asks = httpx.AsyncClient(transport=httpx.MockTransport(issuer.answer))
    runtime.once("sign_in", lambda _own: SignIn(asks, ISSUER, AUDIENCE))
    transport = httpx.ASGITransport(guarded(create_app(function_app.ROUTERS)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as made:
        yield made


async def _granted(runtime: Runtime, role: Role, subject: str = "oid-1") -> UUID:
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute("select tenant_id from tenants")).fetchone()
        assert row is not None
        tenant_id: UUID = row["tenant_id"]
        where = None if role is Role.SUPER_ADMIN else tenant_id
        await grants.grant(connection, subject, where, role, name="Ada", by="test")
    return tenant_id


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_without_a_token_nobody_gets_in(client: httpx.AsyncClient) -> None:
    reply = await client.get(MAPPINGS)
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "fix" in reply.json()


async def test_a_good_token_without_a_grant_may_do_nothing(client: httpx.AsyncClient, issuer: Issuer) -> None:
    assert (await client.get(MAPPINGS, headers=_bearer(issuer.token()))).status_code == 403


@pytest.mark.parametrize("header", ["Authorization", TOKEN_OF_THE_PAGE])
async def test_a_viewer_looks_and_does_not_touch(
    client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime, header: str
) -> None:
    await _granted(runtime, Role.VIEWER)
    token = issuer.token()
    headers = {header: f"Bearer {token}" if header == "Authorization" else token}
    looked = await client.get(MAPPINGS, headers=headers)
    touched = await client.put(f"{MAPPINGS}/A", headers=headers, json={"ocs_sku": "100001_1g___"})
    assert (looked.status_code, touched.status_code) == (200, 403)
    assert "manager" in touched.json()["title"]


async def test_a_header_of_the_page_is_checked_like_any_token(client: httpx.AsyncClient, issuer: Issuer) -> None:
    forged = issuer.token(exp=1)
    assert (await client.get(MAPPINGS, headers={TOKEN_OF_THE_PAGE: forged})).status_code == 401


async def test_a_role_taken_away_is_gone_at_once(client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime) -> None:
    tenant_id = await _granted(runtime, Role.MANAGER)
    headers = _bearer(issuer.token())
    assert (await client.get(MAPPINGS, headers=headers)).status_code == 200
    async with runtime.pool.transaction() as connection:
        was = await grants.revoke(connection, "oid-1", tenant_id)
    assert was is not None
    assert was.role is Role.MANAGER
    assert (await client.get(MAPPINGS, headers=headers)).status_code == 403


async def test_a_deed_is_noted_with_who_why_before_and_after(
    client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime
) -> None:
    await _granted(runtime, Role.MANAGER)
    headers = _bearer(issuer.token()) | {"Ocs-Why": "new supplier"}
    for sku in ("100001_1g___", "100002_1g___"):
        assert (await client.put(f"{MAPPINGS}/A", headers=headers, json={"ocs_sku": sku})).status_code == 200
    async with runtime.pool.transaction() as connection:
        acts = await (await connection.execute("select * from audit_acts order by act_id")).fetchall()
    assert [(act["who_subject"], act["what"], act["why"], act["subject"]) for act in acts] == [
        ("oid-1", "sku.mapped", "new supplier", "A")
    ] * 2
    assert acts[1]["before"]["ocs_sku"] == "100001_1g___"
    assert acts[1]["after"]["ocs_sku"] == "100002_1g___"


async def test_a_post_with_a_key_is_done_once_and_answered_alike(
    client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime
) -> None:
    await _granted(runtime, Role.SUPER_ADMIN)
    headers = _bearer(issuer.token()) | {"Idempotency-Key": "k1"}
    body = {"environment": "uat"}
    first = await client.post("/api/ocs/catalogue/sync", headers=headers, json=body)
    again = await client.post("/api/ocs/catalogue/sync", headers=headers, json=body)
    other = await client.post("/api/ocs/catalogue/sync", headers=headers, json={"environment": "production"})
    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    async with runtime.pool.transaction() as connection:
        acts = await (await connection.execute("select count(*) as n from audit_acts")).fetchone()
    assert acts == {"n": 1}


async def test_keys_are_each_persons_own(client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime) -> None:
    for subject in ("oid-1", "oid-2"):
        await _granted(runtime, Role.SUPER_ADMIN, subject)
    replies = [
        await client.post(
            "/api/ocs/catalogue/sync",
            headers=_bearer(issuer.token(oid=subject)) | {"Idempotency-Key": "same"},
            json={"environment": "uat"},
        )
        for subject in ("oid-1", "oid-2")
    ]
    assert [reply.headers.get("Idempotency-Replayed") for reply in replies] == [None, None]


async def test_a_request_that_is_under_way_is_not_done_beside_itself(
    client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime
) -> None:
    """A worker that died leaves its key taken for a minute; then the same request is served."""
    await _granted(runtime, Role.SUPER_ADMIN)
    headers = _bearer(issuer.token()) | {"Idempotency-Key": "dead"}
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "insert into idempotency_keys (subject, key, fingerprint) values ('oid-1', 'dead', '')"
        )
    body = {"environment": "uat"}
    assert (await client.post("/api/ocs/catalogue/sync", headers=headers, json=body)).status_code == 409
    async with runtime.pool.transaction() as connection:
        await connection.execute("update idempotency_keys set claimed_at = now() - interval '61 seconds'")
    assert (await client.post("/api/ocs/catalogue/sync", headers=headers, json=body)).status_code == 202


async def test_one_who_asks_without_end_waits_and_nobody_else(
    client: httpx.AsyncClient, issuer: Issuer, runtime: Runtime
) -> None:
    for subject in ("oid-1", "oid-2"):
        await _granted(runtime, Role.VIEWER, subject)
    runtime.settings = runtime.settings.model_copy(update={"staff_requests_per_minute": 3})
    replies = [await client.get(MAPPINGS, headers=_bearer(issuer.token())) for _ in range(4)]
    other = await client.get(MAPPINGS, headers=_bearer(issuer.token(oid="oid-2")))
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    assert 1 <= int(replies[-1].headers["Retry-After"]) <= 60
    assert other.status_code == 200
