"""Health: live whatever happens, ready only with all that is needed, each part by its name, and nothing secret."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

import function_app
from ocs import runtime as process
from ocs.azure.queues import Queues
from ocs.azure.vault import Vault
from ocs.db.pool import Pool
from ocs.db.schema import SCHEMA_VERSION
from ocs.delivery.pace import prepare
from ocs.runtime import Runtime
from ocs.settings import Settings
from ocs.web import health
from ocs.web.app import VERSION, create_app, guarded
from tests.integration.platform import FakeVault

READY = "/api/health/ready"


class Listening(Queues):
    """Queues that tell their length."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        self.asked = 0

    async def approximate_length(self, queue: str) -> int:
        """Give no messages."""
        assert queue
        self.asked += 1
        return 0

    async def close(self) -> None:
        """Hold nothing to close."""


@pytest.fixture
async def client(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Give anybody's client of the app, with all that it needs."""
    runtime.queues = Listening()
    monkeypatch.setattr(process._Process, "runtime", runtime)  # noqa: SLF001 - one process has one, a test its own
    transport = httpx.ASGITransport(guarded(create_app(function_app.ROUTERS)))
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as one:
        yield one


async def test_ready_names_each_dependency_and_the_breakers(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async with runtime.pool.transaction() as connection:
        await prepare(connection)
        await connection.execute("update connection_pace set state = 'open'")
    reply = await client.get(READY)
    body = reply.json()
    assert (reply.status_code, body["status"]) == (200, "ready")
    assert (body["version"], body["schema"]) == (VERSION, SCHEMA_VERSION)
    for name in ("database", "vault", "queues"):
        assert body[name]["ok"] is True
        assert body[name]["ms"] >= 0
        assert body[name]["problem"] is None
    assert body["breakers"] == {"open": 1}


async def test_a_vault_that_is_away_is_named(runtime: Runtime, client: httpx.AsyncClient) -> None:
    assert isinstance(runtime.vault, FakeVault)
    runtime.vault.down = True
    reply = await client.get(READY)
    assert (reply.status_code, reply.json()["status"]) == (503, "not ready")
    assert reply.json()["vault"]["problem"] == "Key Vault did not give ocs-ready: scripted"
    assert reply.json()["database"]["ok"] is True


async def test_real_clients_of_a_vault_and_queues_that_are_away_give_up_soon(
    runtime: Runtime, client: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LONGEST_CHECK_SECONDS", 0.3)
    runtime.vault, runtime.queues = Vault(settings, runtime.identity), Queues(settings, runtime.identity)
    body = (await client.get(READY)).json()
    assert (body["vault"]["ok"], body["queues"]["ok"], body["database"]["ok"]) == (False, False, True)
    assert "no answer within 0.3 s" in (body["vault"]["problem"], body["queues"]["problem"])


async def test_a_schema_that_is_behind_is_said(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute("update alembic_version set version_num = '0001'")
    reply = await client.get(READY)
    assert reply.status_code == 503
    assert "0001" in reply.json()["database"]["problem"]


async def test_a_database_that_is_away_is_named_without_its_address(
    settings: Settings, runtime: Runtime, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "LONGEST_CHECK_SECONDS", 0.3)
    nowhere = settings.model_copy(update={"database_url": SecretStr("postgresql://someone:hidden@127.0.0.1:1/none")})
    reachable, runtime.pool = runtime.pool, Pool(nowhere, None)
    reply = await client.get(READY)
    await runtime.pool.close()
    runtime.pool = reachable
    body = reply.json()
    assert (reply.status_code, body["database"]["ok"], body["vault"]["ok"], body["breakers"]) == (503, False, True, {})
    assert [word for word in ("127.0.0.1", "someone", "hidden", "none?") if word in reply.text] == []


async def test_live_and_the_version_are_told_without_a_database(runtime: Runtime, client: httpx.AsyncClient) -> None:
    await runtime.pool.close()
    assert (await client.get("/api/health/live")).json() == {"status": "ok"}
    assert (await client.get("/api/health/version")).json() == {"version": VERSION, "schema": SCHEMA_VERSION}


async def test_many_who_ask_at_once_make_one_question(runtime: Runtime, client: httpx.AsyncClient) -> None:
    replies = await asyncio.gather(*(client.get(READY) for _ in range(20)))
    assert {reply.status_code for reply in replies} == {200}
    assert isinstance(runtime.queues, Listening)
    assert runtime.queues.asked == 1
