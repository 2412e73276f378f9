"""Secrets by name from Key Vault, kept in memory for a while."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.keyvault.secrets.aio import SecretClient

from ocs.azure.identity import Identity
from ocs.errors import ConfigurationError, VaultUnavailable
from ocs.settings import Settings

LEAST_SECONDS_BETWEEN_READS = 10
"""A refused secret is asked for again by every worker at once: one read answers them all."""
LONGEST_READ_SECONDS = 20
"""Its retries included."""
FORBIDDEN = 403


@dataclass(frozen=True, repr=False)
class _Kept:
    value: str
    read_at: float


class Vault:
    """Key Vault through the identity; one read at a time per secret."""

    def __init__(self, settings: Settings, identity: Identity) -> None:
        """Prepare the client; nothing is read before the first `secret`."""
        stand_in: dict[str, Any] = {}
        if settings.vault_ca_file is not None:
            # The stand-in's name is not a vault's, so its challenge cannot be checked against one.
            # One TLS context for all reads: given the file, the SDK would load it and shake hands anew for each.
            trusting = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(settings.vault_ca_file)))
            session = aiohttp.ClientSession(connector=trusting, auto_decompress=False)
            stand_in = {"transport": AioHttpTransport(session=session), "verify_challenge_resource": False}
        self._client = SecretClient(
            settings.vault_url, identity.credential, retry_total=4, retry_backoff_max=8, **stand_in
        )
        self._keep_seconds = settings.secret_cache_seconds
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def secret(self, name: str, *, fresh: bool = False) -> str:
        """Give the secret's current value; `fresh` asks the vault again, since the value was just refused.

        Raises ConfigurationError when there is no such secret or no right to it, VaultUnavailable when the vault
        does not answer. Neither carries the value.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            longest = LEAST_SECONDS_BETWEEN_READS if fresh else self._keep_seconds
            if kept is not None and time.monotonic() - kept.read_at < longest:
                return kept.value
            value = await self._read(name)
            self._kept[name] = _Kept(value, time.monotonic())
            return value

    async def store(self, name: str, value: str) -> None:
        """Put a new version of a secret into the vault; raises like `secret`."""
        try:
            await self._client.set_secret(name, value)
        except AzureError as error:
            raise _meaning(name, error) from None
        self._kept.pop(name, None)

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def _read(self, name: str) -> str:
        try:
            async with asyncio.timeout(LONGEST_READ_SECONDS):
                value = (await self._client.get_secret(name)).value
        except TimeoutError:
            raise VaultUnavailable(f"Key Vault did not give {name} within {LONGEST_READ_SECONDS} s") from None
        except AzureError as error:
            raise _meaning(name, error) from None
        if not value:
            raise ConfigurationError(f"Key Vault's secret {name} is empty")
        return value


def _meaning(name: str, error: AzureError) -> ConfigurationError | VaultUnavailable:
    if isinstance(error, ResourceNotFoundError):
        return ConfigurationError(f"Key Vault has no secret named {name}, or it is disabled")
    if isinstance(error, HttpResponseError) and error.status_code == FORBIDDEN:
        return ConfigurationError(f"Key Vault forbids the secret {name}: it is disabled, or the role is missing")
    return VaultUnavailable(f"Key Vault did not give {name}: {type(error).__name__}")
