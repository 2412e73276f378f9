"""The bench's retailer: one tenant with one connection and as many stores as asked for, known on both sides."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from ocs.db.migrate import migrate
from ocs.runtime import Runtime, assemble
from ocs.settings import Settings
from ocs.tenants.onboard import DescribedConnection, DescribedStore, DescribedTenant, onboard

CROL = "CROL9000001"
CLIENT_ID = "bench-pos-provider"
CLIENT_SECRET_NAME = "bench-client-secret"  # noqa: S105 - a name in the vault, not a secret
SCOPE = "api://stand-in/.default"
ZONES = ("America/Toronto", "America/Winnipeg", "America/Atikokan")
POS_VENDOR, POS_VENDOR_VERSION = "BenchPOS", "1.0"
AT_ONCE = 16
"""Secrets stored side by side."""


@dataclass(frozen=True)
class Retailer:
    """A tenant (CROL) with its stores' hash keys by CRSA, in the order of the stores."""

    hash_keys: Mapping[str, str]
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def crsas(self) -> tuple[str, ...]:
        """The stores."""
        return tuple(self.hash_keys)


def retailer_of(stores: int) -> Retailer:
    """Give a retailer with so many stores."""
    return Retailer({f"CRSA{9_000_000 + number:07d}": secrets.token_hex(32) for number in range(stores)})


def take_on(retailer: Retailer, regulator_url: str) -> None:
    """Make the retailer known to the regulator stand-in, the vault stand-in and the app.

    The app's settings must be in this process's environment (the app reads them there).
    """
    _tell_regulator(retailer, regulator_url)
    settings = Settings()
    migrate(settings.database_url.get_secret_value())
    asyncio.run(_tell_app(retailer, regulator_url, settings))


def _tell_regulator(retailer: Retailer, regulator_url: str) -> None:
    with httpx.Client(base_url=f"{regulator_url}/_control") as control:
        secret = {"client_secret": retailer.client_secret}
        control.put(f"/clients/{CLIENT_ID}", json=secret).raise_for_status()
        for crsa, hash_key in retailer.hash_keys.items():
            known = {"crol": CROL, "hash_key": hash_key, "client_id": CLIENT_ID}
            control.put(f"/stores/{crsa}", json=known).raise_for_status()


async def _tell_app(retailer: Retailer, regulator_url: str, settings: Settings) -> None:
    own = assemble(settings)
    try:
        await own.pool.open()
        async with own.pool.transaction() as connection:
            await onboard(connection, described(retailer, regulator_url))
        await _store_secrets(own, retailer)
    finally:
        await own.close()


async def _store_secrets(own: Runtime, retailer: Retailer) -> None:
    gate = asyncio.Semaphore(AT_ONCE)

    async def store(name: str, value: str) -> None:
        async with gate:
            await own.vault.store(name, value)

    await store(CLIENT_SECRET_NAME, retailer.client_secret)
    await asyncio.gather(*(store(_hash_key_name(crsa), key) for crsa, key in retailer.hash_keys.items()))


def described(retailer: Retailer, regulator_url: str) -> DescribedTenant:
    """Describe the retailer as the app takes tenants on."""
    connection = DescribedConnection.model_validate(
        {
            "name": "uat",
            "environment": "uat",
            "base_url": f"{regulator_url}/func",
            "token_url": f"{regulator_url}/oauth2/token",
            "scope": SCOPE,
            "client_id": CLIENT_ID,
            "client_secret_name": CLIENT_SECRET_NAME,
        }
    )
    stores = [
        DescribedStore(
            crsa=crsa,
            name=crsa,
            time_zone=ZONES[number % len(ZONES)],
            pos_vendor=POS_VENDOR,
            pos_vendor_version=POS_VENDOR_VERSION,
            connection=connection.name,
            hash_key_name=_hash_key_name(crsa),
            already_reporting=True,
        )
        for number, crsa in enumerate(retailer.crsas)
    ]
    return DescribedTenant(crol=CROL, name="Bench Cannabis Inc.", connections=[connection], stores=stores)


def _hash_key_name(crsa: str) -> str:
    return f"bench-hash-key-{crsa.lower()}"
