"""Takes on a tenant, its connections and its stores from one description; a repeat changes what differs."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import time
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, field_validator

from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.tenants.models import TransactionType
from ocs.tenants.plan_of_record import PLAN_OF_RECORD

SQL = load(__file__)

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
SecretName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,127}$")]
"""A name in Key Vault: letters, digits and dashes."""
Crol = Annotated[str, StringConstraints(pattern=r"^CROL\d{7}$")]
Crsa = Annotated[str, StringConstraints(pattern=r"^CRSA\d{7}$")]


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DescribedMapping(_Described):
    """How a connection tells one transaction type, where it differs from the plan of record (models.Mapping)."""

    ocs_type: Text
    direction: Literal[-1, 0, 1]
    wire_sign: Literal["absolute", "ledger"]
    reason: str = ""
    confirmed: bool = False


class DescribedConnection(_Described):
    """A connection to the Data Platform, as OCS gives it out: one client per POS provider."""

    name: Text
    environment: Literal["uat", "production"]
    base_url: HttpUrl
    token_url: HttpUrl
    scope: Text
    client_id: Text
    client_secret_name: SecretName
    concurrent_calls: Annotated[int, Field(ge=1, le=64)] = 16
    process_on_field: Text | None = None
    mappings: dict[TransactionType, DescribedMapping] = Field(default_factory=dict)


class DescribedStore(_Described):
    """A store: its CRSA, its IANA time zone, its POS, and where its hash key lies in Key Vault."""

    crsa: Crsa
    name: Text
    time_zone: Text
    pos_vendor: Text
    pos_vendor_version: Text
    connection: Text
    hash_key_name: SecretName
    snapshot_at: time = time(1)
    """Local time at which the position of the day before is made; not before 00:00 has passed in the store's zone."""
    hourly_positions: bool = False
    """A position of every full hour too: for tests against UAT."""
    already_reporting: bool = False
    """Positions of this store have been reported before, by another POS perhaps: its events wait for no first one."""
    reporting: bool | None = None
    """On or off; as it was where it is not said, and on for a new store."""

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("an IANA time zone, such as America/Toronto") from None
        return zone


class DescribedTenant(_Described):
    """A retailer company (CROL) with its connections and stores."""

    crol: Crol
    name: Text
    connections: list[DescribedConnection]
    stores: list[DescribedStore]


async def onboard(connection: Connection, tenant: DescribedTenant) -> dict[str, UUID]:
    """Write the whole description in the open transaction; gives each store's id by CRSA.

    Raises BadInput for a store that names no described connection, or a CRSA of another tenant.
    """
    row = await (await connection.execute(SQL["save_tenant"], {"crol": tenant.crol, "name": tenant.name})).fetchone()
    assert row is not None  # noqa: S101 - an upsert without WHERE always returns its row
    tenant_id: UUID = row["tenant_id"]
    connection_ids = {
        described.name: await _save_connection(connection, tenant_id, described) for described in tenant.connections
    }
    stores: dict[str, UUID] = {}
    for number, store in enumerate(tenant.stores):
        if store.connection not in connection_ids:
            expected = f"one of the described connections: {', '.join(sorted(connection_ids))}"
            raise bad_input(f"stores[{number}].connection", store.connection, expected)
        words = store.model_dump() | {
            "tenant_id": tenant_id,
            "connection_id": connection_ids[store.connection],
        }
        saved = await (await connection.execute(SQL["save_store"], words)).fetchone()
        if saved is None:
            raise bad_input(f"stores[{number}].crsa", store.crsa, "a CRSA that no other tenant has")
        stores[store.crsa] = saved["store_id"]
    return stores


async def switch_reporting(connection: Connection, crol: str, crsa: str, *, reporting: bool) -> UUID:
    """Switch a tenant's store on or off; raises NotFound. Nothing recorded meanwhile is lost."""
    words = {"crol": crol, "crsa": crsa, "reporting": reporting}
    row = await (await connection.execute(SQL["switch_reporting"], words)).fetchone()
    if row is None:
        raise NotFound(f"no store {crsa} in tenant {crol}")
    store_id: UUID = row["store_id"]
    return store_id


async def confirm_mapping(connection: Connection, connection_id: UUID, transaction_type: str) -> None:
    """Note that how a connection reports a type was proved by reading back; raises NotFound."""
    words = {"connection_id": connection_id, "transaction_type": transaction_type}
    if await (await connection.execute(SQL["confirm_mapping"], words)).fetchone() is None:
        raise NotFound(f"no mapping of the type {transaction_type} in this connection")


async def parking_warnings(connection: Connection, tenant_id: UUID) -> list[str]:
    """Give the warnings for which a tenant's lines wait for a person."""
    row = await (await connection.execute(SQL["parking_warnings"], {"tenant_id": tenant_id})).fetchone()
    return [] if row is None else list(row["parking_warnings"])


async def set_parking_warnings(connection: Connection, tenant_id: UUID, codes: Collection[str]) -> None:
    """Say for which warnings a tenant's lines wait for a person; those that wait already go on waiting."""
    await connection.execute(SQL["set_parking_warnings"], {"tenant_id": tenant_id, "codes": sorted(codes)})


async def _save_connection(connection: Connection, tenant_id: UUID, described: DescribedConnection) -> UUID:
    words = described.model_dump(exclude={"mappings"}) | {
        "tenant_id": tenant_id,
        "base_url": str(described.base_url).rstrip("/"),
        "token_url": str(described.token_url),
    }
    row = await (await connection.execute(SQL["save_connection"], words)).fetchone()
    assert row is not None  # noqa: S101 - the same
    connection_id: UUID = row["connection_id"]
    for transaction_type, planned in PLAN_OF_RECORD.items():
        own = described.mappings.get(transaction_type)
        query = SQL["save_default_mapping"] if own is None else SQL["save_own_mapping"]
        fields = asdict(planned) if own is None else own.model_dump()
        key = {"connection_id": connection_id, "transaction_type": transaction_type.value}
        await connection.execute(query, fields | key)
    return connection_id
