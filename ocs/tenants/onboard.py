"""Takes on a tenant, its connections and its stores from one description; a repeat changes what differs."""

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import date, time
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, StringConstraints, WithJsonSchema

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
Licence = Annotated[str, StringConstraints(min_length=1, max_length=50)]
MOST_CONNECTIONS, MOST_STORES = 20, 5000
"""Of one description; a larger retailer comes in several."""


def known_zone(zone: str) -> str:
    """Give an IANA time zone back; raises ValueError for any other text."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("an IANA time zone, such as America/Toronto") from None
    return zone


def _without_password(url: HttpUrl) -> HttpUrl:
    if url.username is not None or url.password is not None:
        raise ValueError("an address without user name and password: secrets belong into Key Vault")
    return url


TimeZone = Annotated[Text, AfterValidator(known_zone)]
Address = Annotated[HttpUrl, AfterValidator(_without_password)]


LocalTime = Annotated[
    time, WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", "examples": ["01:00"]})
]
"""A time of a store's own day; JSON Schema's `time` would ask for an offset, which a local time has none of."""


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

    name: Annotated[str, StringConstraints(pattern=r"^[^/]{1,100}$")]
    environment: Literal["uat", "production"]
    base_url: Address
    token_url: Address
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
    time_zone: TimeZone
    pos_vendor: Text
    pos_vendor_version: Text
    connection: Text
    hash_key_name: SecretName
    snapshot_at: LocalTime = time(1)
    """Local time at which the position of the day before is made; not before 00:00 has passed in the store's zone."""
    hourly_positions: bool = False
    """A position of every full hour too: for tests against UAT."""
    already_reporting: bool = False
    """Positions of this store have been reported before, by another POS perhaps: its events wait for no first one."""
    reporting: bool | None = None
    """On or off; as it was where it is not said, and on for a new store."""
    licence_number: Licence | None = None
    """As printed on the store's authorization, where it says more than the CRSA."""
    licence_expires_on: date | None = None
    """The last day, local, of the store's authorization."""


class DescribedTenant(_Described):
    """A retailer company (CROL) with its connections and stores."""

    crol: Crol
    name: Text
    connections: Annotated[list[DescribedConnection], Field(max_length=MOST_CONNECTIONS)] = Field(default_factory=list)
    """A store may also name one that is there already."""
    stores: Annotated[list[DescribedStore], Field(max_length=MOST_STORES)] = Field(default_factory=list)


async def onboard(connection: Connection, tenant: DescribedTenant) -> dict[str, UUID]:
    """Write the whole description in the open transaction, a new tenant too; gives each store's id by CRSA.

    Raises BadInput for a store that names no connection of the tenant, or a CRSA of another tenant.
    """
    tenant_id = await save_tenant(connection, tenant.crol, tenant.name)
    return await onboard_into(connection, tenant_id, tenant)


async def save_tenant(connection: Connection, crol: str, name: str) -> UUID:
    """Make a tenant, or rename the one with this CROL; gives its id."""
    row = await (await connection.execute(SQL["save_tenant"], {"crol": crol, "name": name})).fetchone()
    assert row is not None  # noqa: S101 - an upsert without WHERE always returns its row
    tenant_id: UUID = row["tenant_id"]
    return tenant_id


async def onboard_into(connection: Connection, tenant_id: UUID, tenant: DescribedTenant) -> dict[str, UUID]:
    """Write a description's connections and stores into a tenant that is there; gives and raises like `onboard`."""
    for described in tenant.connections:
        await save_connection(connection, tenant_id, described)
    known = await connection_ids(connection, tenant_id)
    return {
        store.crsa: await save_store(connection, tenant_id, known, store, at=f"stores[{number}].")
        for number, store in enumerate(tenant.stores)
    }


async def connection_ids(connection: Connection, tenant_id: UUID) -> dict[str, UUID]:
    """Give the ids of a tenant's connections by name."""
    rows = await (await connection.execute(SQL["connection_ids"], {"tenant_id": tenant_id})).fetchall()
    return {row["name"]: row["connection_id"] for row in rows}


async def save_store(
    connection: Connection, tenant_id: UUID, known: Mapping[str, UUID], store: DescribedStore, at: str = ""
) -> UUID:
    """Make a store, or change the one with this CRSA; `known` are the tenant's connections by name.

    Raises BadInput for an unknown connection, or a CRSA of another tenant; `at` is put before the field's name.
    """
    if store.connection not in known:
        expected = f"one of the tenant's connections: {', '.join(sorted(known)) or 'it has none'}"
        raise bad_input(f"{at}connection", store.connection, expected)
    words = store.model_dump() | {"tenant_id": tenant_id, "connection_id": known[store.connection]}
    row = await (await connection.execute(SQL["save_store"], words)).fetchone()
    if row is None:  # the statement passes another tenant's row over, also where the wall between tenants hides it
        raise bad_input(f"{at}crsa", store.crsa, "a CRSA that no other retailer has here")
    store_id: UUID = row["store_id"]
    return store_id


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


def as_base(url: HttpUrl) -> str:
    """Give a base address as calls append their paths to it."""
    return str(url).rstrip("/")


async def save_connection(connection: Connection, tenant_id: UUID, described: DescribedConnection) -> UUID:
    """Make a tenant's connection, or change the one with this name; types not described get the plan of record."""
    words = described.model_dump(exclude={"mappings"}) | {"tenant_id": tenant_id}
    words |= {"base_url": as_base(described.base_url), "token_url": str(described.token_url)}
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
