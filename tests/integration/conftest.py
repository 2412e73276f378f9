"""Real Postgres for every test: a migrated template once, a copy of it per test."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from fastapi import Request

import function_app
from devstack.postgres import Postgres
from ocs import runtime as process, settings as settings_of_app
from ocs.access.caller import Caller, allowed, who_calls
from ocs.db.migrate import migrate
from ocs.runtime import Runtime, assemble
from ocs.settings import Settings
from ocs.tenants.onboard import DescribedTenant, onboard
from ocs.web.app import create_app, guarded
from ocs.web.roles import Role, role_of
from tests.integration.platform import FakeQueues, Platform

TEMPLATE = "template_ocs"
SUPER_ADMIN = Caller("super-admin", "super admin", super_admin=True)
AZURITE_NOT_NEEDED = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;"
)
"""The well-known development key; nothing listens there."""


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Run one Postgres for the session, with a migrated template database."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    try:
        migrate(server.create_database(TEMPLATE))
        yield server
    finally:
        server.stop()
        server.discard()


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """Give a fresh, migrated database."""
    name = f"test_{uuid.uuid4().hex}"
    yield postgres.create_database(name, TEMPLATE)
    postgres.drop_database(name)


@pytest.fixture
def settings(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """Give production's settings on the test's own database."""
    for name in [name for name in os.environ if name.startswith("OCS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OCS_DATABASE_URL", database_url)
    monkeypatch.setenv("OCS_STORAGE", AZURITE_NOT_NEEDED)
    monkeypatch.setenv("OCS_VAULT_URL", "https://localhost:1")
    monkeypatch.chdir(tmp_path)
    settings_of_app.load.cache_clear()
    return settings_of_app.load()


@pytest.fixture
def platform() -> Platform:
    """Give a Data Platform in memory that answers as a test scripts it."""
    return Platform()


@asynccontextmanager
async def _assembled(settings: Settings, platform: Platform) -> AsyncIterator[Runtime]:
    own = assemble(settings)
    await own.http.aclose()
    own.http = platform.client()
    own.vault = platform.vault()
    await own.queues.close()
    own.queues = FakeQueues()
    await own.pool.open()
    async with own.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(platform.tenant()))
    yield own
    await own.close()


@pytest.fixture
async def runtime(settings: Settings, platform: Platform) -> AsyncIterator[Runtime]:
    """Give the app's runtime on a real database, calling the scripted platform, with one tenant of three stores."""
    async with _assembled(settings, platform) as own:
        yield own


@pytest.fixture
def runtime_of_thread(settings: Settings, platform: Platform) -> Iterator[tuple[Runtime, asyncio.AbstractEventLoop]]:
    """Give the same with an event loop of its own, for a property test, which calls plain functions."""
    with asyncio.Runner() as runner:
        assembled = _assembled(settings, platform)
        yield runner.run(assembled.__aenter__()), runner.get_loop()
        runner.run(assembled.__aexit__(None, None, None))


@pytest.fixture
async def staff(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Give a super admin's client of all routes; neither the functions host nor a token is in between."""
    async with staff_client(runtime, monkeypatch, SUPER_ADMIN) as client:
        yield client


@pytest.fixture
async def stranger(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the same routes whose caller may see another tenant only."""
    caller = Caller("stranger", "staff of another tenant", {uuid.uuid4(): Role.TENANT_ADMIN})
    async with staff_client(runtime, monkeypatch, caller) as client:
        yield client


@asynccontextmanager
async def staff_client(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caller: Caller
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of all routes for a caller; only the reading of a token is left out.

    Within the block no other client of another caller may be used.
    """
    monkeypatch.setattr(process._Process, "runtime", runtime)  # noqa: SLF001 - one process has one, a test its own
    monkeypatch.setattr(process._Process, "checked", True)  # noqa: SLF001 - the same
    app = create_app(function_app.ROUTERS)

    def calls(request: Request) -> Caller:
        needs = role_of(request.scope["route"].endpoint) or Role.SUPER_ADMIN
        return allowed(replace(caller, needs=needs), needs)

    app.dependency_overrides[who_calls] = calls
    transport = httpx.ASGITransport(guarded(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client
