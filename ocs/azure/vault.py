"""Secrets by name from Key Vault, kept in memory for a while.

While a secret is rotated two versions of it are good for some time: the new one's tags say which version was there
before, and until when it is used too. So every instance of the app knows it from the vault itself.
"""

import asyncio
import ssl
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.transport import AioHttpTransport
from azure.keyvault.secrets import KeyVaultSecret
from azure.keyvault.secrets.aio import SecretClient

from ocs import telemetry
from ocs.azure.identity import Identity
from ocs.clock import utc_now
from ocs.errors import ConfigurationError, VaultUnavailable
from ocs.settings import Settings

LEAST_SECONDS_BETWEEN_READS = 10
"""A refused secret is asked for again by every worker at once: one read answers them all."""
LONGEST_READ_SECONDS = 20
"""Its retries included."""
FORBIDDEN = 403
BEFORE, UNTIL = "ocs-version-before", "ocs-used-until"
"""The tags of a new version that name the one before it, and the end (ISO 8601) of the time in which both are used."""

log = telemetry.logger("vault")


@dataclass(frozen=True, repr=False)
class _Kept:
    """A secret as read: its value, and that of the version before with the end of its use, while it is rotated."""

    value: str
    read_at: float
    before: str | None = None
    until: datetime | None = None

    @property
    def values(self) -> tuple[str, ...]:
        if self.before is None or self.until is None or utc_now() >= self.until:
            return (self.value,)
        return (self.value, self.before)


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
        return (await self.good_values(name, fresh=fresh))[0]

    async def good_values(self, name: str, *, fresh: bool = False) -> tuple[str, ...]:
        """Give the current value, and behind it the one before while both are good; raises like `secret`."""
        async with self._locks.setdefault(name, asyncio.Lock()):
            kept = self._kept.get(name)
            longest = LEAST_SECONDS_BETWEEN_READS if fresh else self._keep_seconds
            if kept is None or time.monotonic() - kept.read_at >= longest:
                kept = self._kept[name] = await self._read(name)
            return kept.values

    async def store(self, name: str, value: str, *, overlap: timedelta = timedelta()) -> None:
        """Put a new version of a secret into the vault; raises like `secret`.

        Within the overlap the version that is there now is used too. The value that is there already then makes no
        new version: it would be its own predecessor when the same is asked again after a crash.
        """
        async with self._locks.setdefault(name, asyncio.Lock()):
            now = await self._newest(name) if overlap else None
            if now is None or now.value != value:
                await self._put(name, value, _tags(now, overlap))
            self._kept.pop(name, None)

    async def holds(self, name: str) -> bool:
        """Tell whether there is such a secret; raises VaultUnavailable when the vault does not answer."""
        try:
            await self.good_values(name)
        except ConfigurationError:
            return False
        return True

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def _read(self, name: str) -> _Kept:
        found = await self._get(name)
        if not found.value:
            raise ConfigurationError(f"Key Vault's secret {name} is empty")
        before, until = _said_before(found)
        if before is None or until is None or utc_now() >= until:
            return _Kept(found.value, time.monotonic())
        try:
            earlier = (await self._get(name, before)).value
        except ConfigurationError as error:
            # Disabled by an operator, perhaps because it leaked: then only the current one is good.
            log.warning("the version before is not used", secret=name, said=str(error))
            earlier = None
        return _Kept(found.value, time.monotonic(), earlier, until)

    async def _newest(self, name: str) -> KeyVaultSecret | None:
        try:
            return await self._get(name)
        except ConfigurationError:
            return None  # none yet, or one that was disabled: nothing to overlap with

    async def _get(self, name: str, version: str | None = None) -> KeyVaultSecret:
        try:
            async with asyncio.timeout(LONGEST_READ_SECONDS):
                return await self._client.get_secret(name, version)
        except TimeoutError:
            raise VaultUnavailable(f"Key Vault did not give {name} within {LONGEST_READ_SECONDS} s") from None
        except AzureError as error:
            raise _meaning(name, error) from None

    async def _put(self, name: str, value: str, tags: dict[str, str]) -> None:
        try:
            async with asyncio.timeout(LONGEST_READ_SECONDS):
                await self._client.set_secret(name, value, tags=tags)
        except TimeoutError:
            raise VaultUnavailable(f"Key Vault did not take {name} within {LONGEST_READ_SECONDS} s") from None
        except AzureError as error:
            raise _meaning(name, error) from None


def _tags(now: KeyVaultSecret | None, overlap: timedelta) -> dict[str, str]:
    """Say on a new version which one is used beside it, if any."""
    if now is None or not now.properties.version or not overlap:
        return {}
    return {BEFORE: now.properties.version, UNTIL: (utc_now() + overlap).isoformat()}


def _said_before(found: KeyVaultSecret) -> tuple[str | None, datetime | None]:
    tags = found.properties.tags or {}
    try:
        until = datetime.fromisoformat(tags.get(UNTIL, ""))
    except ValueError:  # none, or written by a stranger's hand
        return None, None
    return tags.get(BEFORE), until if until.tzinfo else None


def _meaning(name: str, error: AzureError) -> ConfigurationError | VaultUnavailable:
    if isinstance(error, ResourceNotFoundError):
        return ConfigurationError(f"Key Vault has no secret named {name}, or it is disabled")
    if isinstance(error, HttpResponseError) and error.status_code == FORBIDDEN:
        return ConfigurationError(f"Key Vault forbids the secret {name}: it is disabled, or the role is missing")
    return VaultUnavailable(f"Key Vault did not give {name}: {type(error).__name__}")
