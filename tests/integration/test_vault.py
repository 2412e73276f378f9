"""Secrets through the real Azure SDK and identity, against the vault stand-in."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from devstack.vault.process import Vault as VaultStandIn
from ocs.azure import vault as vault_of_app
from ocs.azure.identity import Identity
from ocs.azure.vault import Vault
from ocs.errors import ConfigurationError, VaultUnavailable
from ocs.settings import Settings


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultStandIn]:
    """Run one vault stand-in."""
    server = VaultStandIn(Path(tmp_path_factory.mktemp("vault")))
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def vault(stand_in: VaultStandIn, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Vault]:
    """Give the app's vault with an identity that the stand-in knows."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", stand_in.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", stand_in.identity_header)
    monkeypatch.setenv("OCS_DATABASE_URL", "postgresql://nowhere")
    monkeypatch.setenv("OCS_STORAGE", "UseDevelopmentStorage=true")
    monkeypatch.setenv("OCS_VAULT_URL", stand_in.url)
    monkeypatch.setenv("OCS_VAULT_CA_FILE", str(stand_in.ca_file))
    monkeypatch.setattr(vault_of_app, "LEAST_SECONDS_BETWEEN_READS", 0)
    settings = Settings()
    identity = Identity(settings)
    own = Vault(settings, identity)
    yield own
    await own.close()
    await identity.close()
    httpx.delete(f"{stand_in.control}/faults")


def _reads(stand_in: VaultStandIn, name: str) -> int:
    reads = httpx.get(f"{stand_in.control}/reads").json()["reads"]
    return int(reads.get(name, 0))


async def test_a_secret_is_read_once_and_then_kept(vault: Vault, stand_in: VaultStandIn) -> None:
    await vault.store("kept", "value")
    assert [await vault.secret("kept") for _ in range(3)] == ["value"] * 3
    assert _reads(stand_in, "kept") == 1


async def test_a_refused_secret_is_read_anew(vault: Vault, stand_in: VaultStandIn) -> None:
    await vault.store("rotated", "old")
    assert await vault.secret("rotated") == "old"
    await vault.store("rotated", "new")
    assert await vault.secret("rotated", fresh=True) == "new"
    assert _reads(stand_in, "rotated") == 2


async def test_a_missing_secret_is_named(vault: Vault) -> None:
    with pytest.raises(ConfigurationError, match="no secret named absent"):
        await vault.secret("absent")


async def test_a_vault_that_forbids_says_that_a_role_is_missing(vault: Vault, stand_in: VaultStandIn) -> None:
    httpx.post(f"{stand_in.control}/faults", json={"status": 403, "times": 1, "name": "secret"}).raise_for_status()
    with pytest.raises(ConfigurationError, match="role"):
        await vault.secret("secret")


async def test_a_busy_vault_is_waited_for(vault: Vault, stand_in: VaultStandIn) -> None:
    await vault.store("busy", "value")
    fault = {"status": 429, "times": 2, "retry_after": 0, "name": "busy"}
    httpx.post(f"{stand_in.control}/faults", json=fault).raise_for_status()
    assert await vault.secret("busy") == "value"


async def test_a_vault_that_is_down_is_our_own_matter(vault: Vault, stand_in: VaultStandIn) -> None:
    await vault.store("down", "value")
    httpx.post(f"{stand_in.control}/faults", json={"status": 500, "times": 50, "name": "down"}).raise_for_status()
    with pytest.raises(VaultUnavailable) as caught:
        await vault.secret("down")
    assert "value" not in str(caught.value)
