"""Promises of the vault stand-in, by the real Azure libraries."""

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.identity import ManagedIdentityCredential
from azure.identity.aio import ManagedIdentityCredential as AsyncManagedIdentityCredential
from azure.keyvault.secrets import SecretClient
from azure.keyvault.secrets.aio import SecretClient as AsyncSecretClient

from devstack.vault.process import Vault

Connect = Callable[[Vault], SecretClient]
SECRET = "hash-key-of-a-store-0123456789abcdef"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Give a client as the app makes it: unmodified managed identity, the stand-in's CA, no retries to wait for."""
    clients = []

    def make(vault: Vault) -> SecretClient:
        monkeypatch.setenv("IDENTITY_ENDPOINT", vault.identity_endpoint)
        monkeypatch.setenv("IDENTITY_HEADER", vault.identity_header)
        client = SecretClient(
            vault.url,
            ManagedIdentityCredential(),
            connection_verify=str(vault.ca_file),
            verify_challenge_resource=False,
            retry_total=3,
            retry_backoff_factor=0,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    """Give a running vault without secrets."""
    stand_in = Vault(tmp_path)
    stand_in.start()
    yield stand_in
    stand_in.stop()


@pytest.fixture
def client(vault: Vault, connect: Connect) -> SecretClient:
    """Give a client of the vault."""
    return connect(vault)


def token(vault: Vault, resource: str, *, header: str | None = None) -> httpx.Response:
    """Ask the identity endpoint for a token."""
    return httpx.get(
        vault.identity_endpoint,
        params={"api-version": "2019-08-01", "resource": resource},
        headers={"X-IDENTITY-HEADER": vault.identity_header if header is None else header},
    )


def get_with(vault: Vault, bearer: str) -> httpx.Response:
    """Ask the vault for a list of secrets with a token of our own."""
    with httpx.Client(verify=_trust(vault)) as plain:
        return plain.get(f"{vault.url}/secrets", headers={"Authorization": f"Bearer {bearer}"})


def _trust(vault: Vault) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=vault.ca_file)


def test_a_secret_is_read_as_it_was_set(client: SecretClient) -> None:
    client.set_secret("hash-key", SECRET, tags={"store": "CRSA1111111"}, content_type="text/plain")

    read = client.get_secret("hash-key")

    assert read.value == SECRET
    assert read.properties.tags == {"store": "CRSA1111111"}
    assert read.properties.content_type == "text/plain"
    assert read.properties.enabled


async def test_the_asynchronous_library_reads_it_too(vault: Vault, client: SecretClient) -> None:
    client.set_secret("hash-key", SECRET)
    async with (
        AsyncManagedIdentityCredential() as credential,
        AsyncSecretClient(
            vault.url, credential, connection_verify=str(vault.ca_file), verify_challenge_resource=False
        ) as asynchronous,
    ):
        assert (await asynchronous.get_secret("hash-key")).value == SECRET


def test_old_versions_stay_and_the_newest_is_given(client: SecretClient) -> None:
    """As needed while a secret is being rotated."""
    old = client.set_secret("rotated", "old").properties.version
    new = client.set_secret("rotated", "new").properties.version

    assert client.get_secret("rotated").value == "new"
    assert client.get_secret("rotated", old).value == "old"
    assert [found.version for found in client.list_properties_of_secret_versions("rotated")] == [old, new]


def test_a_list_is_complete_over_its_pages(client: SecretClient) -> None:
    names = [f"secret-{number}" for number in range(5)]
    for name in names:
        client.set_secret(name, "value")

    listed = client.list_properties_of_secrets()
    pages = [[found.name for found in page] for page in client.list_properties_of_secrets().by_page()]

    assert [found.name for found in listed] == names
    assert len(pages) > 1


def test_a_missing_secret_and_a_missing_version_are_not_found(client: SecretClient) -> None:
    client.set_secret("there", "value")

    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("not-there")
    with pytest.raises(ResourceNotFoundError, match="SecretNotFound"):
        client.get_secret("there", "0" * 32)


def test_a_disabled_version_is_not_given(client: SecretClient) -> None:
    """Key Vault answers 403, which is easily taken for a missing role."""
    version = client.set_secret("rotated", "value").properties.version
    assert version
    client.update_secret_properties("rotated", version, enabled=False)

    with pytest.raises(HttpResponseError, match="not allowed on a disabled secret") as refusal:
        client.get_secret("rotated")

    assert refusal.value.status_code == 403


def test_a_deleted_secret_keeps_its_name_until_it_is_purged(client: SecretClient) -> None:
    client.set_secret("gone", "value")
    client.begin_delete_secret("gone").wait()

    with pytest.raises(ResourceNotFoundError):
        client.get_secret("gone")
    with pytest.raises(ResourceExistsError, match="ObjectIsDeletedButRecoverable"):
        client.set_secret("gone", "again")
    client.purge_deleted_secret("gone")

    assert client.set_secret("gone", "again").value == "again"


def test_a_bad_name_is_refused(client: SecretClient) -> None:
    with pytest.raises(HttpResponseError, match="invalid name: under_score") as refusal:
        client.set_secret("under_score", "value")

    assert refusal.value.status_code == 400


def test_a_client_that_does_not_trust_the_stand_ins_ca_gets_nothing(vault: Vault, client: SecretClient) -> None:
    assert client.set_secret("hash-key", SECRET)
    stranger = SecretClient(vault.url, ManagedIdentityCredential(), verify_challenge_resource=False, retry_total=0)

    with stranger, pytest.raises(ServiceRequestError, match="CERTIFICATE_VERIFY_FAILED"):
        stranger.get_secret("hash-key")


def test_the_identity_endpoint_gives_nothing_without_its_header(vault: Vault) -> None:
    assert token(vault, "https://vault.azure.net", header="guessed").status_code == 401
    assert token(vault, "https://vault.azure.net").status_code == 200


def test_the_vault_wants_a_token_of_its_own(vault: Vault) -> None:
    """Not one for Postgres, not a forged one; and what it refuses carries the challenge that the SDK needs."""
    good = token(vault, "https://vault.azure.net").json()["access_token"]
    for_postgres = token(vault, "https://ossrdbms-aad.database.windows.net").json()["access_token"]
    forged = for_postgres.partition(".")[0] + "." + good.partition(".")[2]

    refused = [get_with(vault, bearer) for bearer in (for_postgres, forged, "nonsense")]

    assert get_with(vault, good).status_code == 200
    assert [answer.status_code for answer in refused] == [401, 401, 401]
    assert all('resource="https://vault.azure.net"' in answer.headers["WWW-Authenticate"] for answer in refused)


def test_every_reply_says_that_it_is_not_key_vault(vault: Vault) -> None:
    assert get_with(vault, "nonsense").headers["X-Stand-In"] == "not Azure Key Vault"


def test_an_ordered_429_is_waited_out_by_the_sdk(vault: Vault, client: SecretClient) -> None:
    """The fault is used up after its number of times."""
    client.set_secret("hash-key", SECRET)
    httpx.post(f"{vault.control}/faults", json={"status": 429, "times": 2, "retry_after": "0"}).raise_for_status()

    assert client.get_secret("hash-key").value == SECRET
    assert httpx.get(f"{vault.control}/faults").json() == []
    assert httpx.get(f"{vault.control}/reads").json() == {"reads": {"hash-key": 1}, "refused": {"hash-key": 2}}


@pytest.mark.parametrize(
    ("status", "error"), [(403, HttpResponseError), (500, HttpResponseError), (401, ClientAuthenticationError)]
)
def test_an_ordered_refusal_hits_the_named_secret_only(
    vault: Vault, client: SecretClient, status: int, error: type[HttpResponseError]
) -> None:
    client.set_secret("mine", "value")
    client.set_secret("other", "value")
    httpx.post(f"{vault.control}/faults", json={"status": status, "times": 100, "name": "mine"}).raise_for_status()

    with pytest.raises(error) as refusal:
        client.get_secret("mine")
    assert refusal.value.status_code == status
    assert client.get_secret("other").value == "value"

    httpx.delete(f"{vault.control}/faults").raise_for_status()
    assert client.get_secret("mine").value == "value"


def test_a_fault_that_makes_no_sense_is_refused(vault: Vault) -> None:
    """A misspelt word would otherwise make a test pass for the wrong reason."""
    assert httpx.post(f"{vault.control}/faults", json={"status": 429, "time": 2}).status_code == 422


def test_reads_are_counted_by_name_and_can_be_reset(vault: Vault, client: SecretClient) -> None:
    client.set_secret("one", "value")
    client.get_secret("one")
    client.get_secret("one")

    assert httpx.get(f"{vault.control}/reads").json()["reads"] == {"one": 2}
    httpx.delete(f"{vault.control}/reads").raise_for_status()
    assert httpx.get(f"{vault.control}/reads").json()["reads"] == {}


def test_secrets_in_memory_are_gone_after_a_restart(vault: Vault, client: SecretClient) -> None:
    """The address, the certificate and the tokens stay good."""
    client.set_secret("hash-key", SECRET)

    vault.restart()

    with pytest.raises(ResourceNotFoundError):
        client.get_secret("hash-key")


def test_kept_secrets_survive_a_crash_in_a_file_for_the_owner_alone(tmp_path: Path, connect: Connect) -> None:
    vault = Vault(tmp_path, keep=True)
    vault.start()
    client = connect(vault)
    client.set_secret("hash-key", SECRET)

    vault.restart(kill=True)
    value = client.get_secret("hash-key").value
    vault.stop()

    assert value == SECRET
    assert (tmp_path / "vault.json").stat().st_mode & 0o777 == 0o600


def test_a_secret_is_written_to_no_file(tmp_path: Path, vault: Vault, client: SecretClient) -> None:
    """Neither to the log, nor to stdout, nor anywhere else, also when a call with it is refused."""
    client.set_secret("hash-key", SECRET)
    client.get_secret("hash-key")
    httpx.post(f"{vault.control}/faults", json={"status": 500, "times": 4}).raise_for_status()
    with pytest.raises(HttpResponseError):
        client.set_secret("hash-key", SECRET)

    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert b"NOT Azure Key Vault" in written["vault.log"]
    assert not [name for name, content in written.items() if SECRET.encode() in content]


def test_the_vault_stops_cleanly_with_a_client_connected(vault: Vault, client: SecretClient) -> None:
    client.set_secret("hash-key", SECRET)

    assert vault.stop() == 0
