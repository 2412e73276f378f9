"""Real Postgres for every test: a migrated template once, a copy of it per test."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from devstack.postgres import Postgres
from ocs import settings as settings_of_app
from ocs.db.migrate import migrate
from ocs.delivery import kinds
from ocs.events.report import EVENTS
from ocs.runtime import Runtime, assemble
from ocs.settings import Settings
from ocs.tenants.onboard import DescribedTenant, onboard
from tests.integration.platform import Platform

TEMPLATE = "template_ocs"
AZURITE_NOT_NEEDED = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;"
)
"""The well-known development key; nothing listens there, and tests of one room put nothing on a queue."""


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


@pytest.fixture(autouse=True)
def _kinds() -> None:
    if EVENTS not in kinds.registered():
        kinds.register(EVENTS)


@pytest.fixture
def platform() -> Platform:
    """Give a Data Platform in memory that answers as a test scripts it."""
    return Platform()


@pytest.fixture
async def runtime(settings: Settings, platform: Platform) -> AsyncIterator[Runtime]:
    """Give the app's runtime on a real database, calling the scripted platform, with one tenant of three stores."""
    own = assemble(settings)
    await own.http.aclose()
    own.http = platform.client()
    own.vault = platform.vault()
    await own.pool.open()
    async with own.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(platform.tenant()))
    yield own
    await own.close()
