"""Finds stores, within their tenant only."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.tenants.models import Mapping, Store, TransactionType

SQL = load(__file__)


@dataclass(frozen=True)
class MappedStore:
    """A store, and how it reports one transaction type; no mapping means that the type is refused there."""

    store: Store
    mapping: Mapping | None


async def find_store(
    connection: Connection, tenant: str, store: str, transaction_type: TransactionType
) -> MappedStore | None:
    """Find a tenant's store by id or CRSA (the tenant by id or CROL), or give None."""
    words = {
        "tenant": tenant,
        "tenant_id": as_id(tenant),
        "store": store,
        "store_id": as_id(store),
        "transaction_type": transaction_type.value,
    }
    row = await (await connection.execute(SQL["find_store"], words)).fetchone()
    if row is None:
        return None
    mapping = None
    if row["ocs_type"] is not None:
        mapping = Mapping(row["ocs_type"], row["direction"], row["wire_sign"], row["mapped_reason"], row["confirmed"])
    return MappedStore(Store.from_row(row), mapping)


async def known_stores(connection: Connection, references: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Give those of several (tenant, store) references that exist."""
    words = {
        "tenants": [tenant for tenant, _ in references],
        "stores": [store for _, store in references],
    }
    rows = await (await connection.execute(SQL["known_stores"], words)).fetchall()
    return {(row["tenant"], row["store"]) for row in rows}


async def store_of(connection: Connection, crol: str, crsa: str) -> Store:
    """Give a tenant's store; raises NotFound."""
    row = await (await connection.execute(SQL["store_of"], {"crol": crol, "crsa": crsa})).fetchone()
    if row is None:
        raise NotFound(f"no store {crsa} in tenant {crol}")
    return Store.from_row(row)


async def store_by_id(connection: Connection, store_id: UUID) -> Store:
    """Give a store that is known to exist, by its id; raises NotFound."""
    row = await (await connection.execute(SQL["store_by_id"], {"store_id": store_id})).fetchone()
    if row is None:
        raise NotFound(f"no store {store_id}")
    return Store.from_row(row)


async def is_of_tenant(connection: Connection, tenant_id: UUID, crsa: str) -> bool:
    """Tell whether a CRSA is one of a tenant's stores here."""
    words = {"tenant_id": tenant_id, "crsa": crsa}
    return await (await connection.execute(SQL["store_of_tenant"], words)).fetchone() is not None


async def tenant_of(connection: Connection, crol: str) -> UUID:
    """Give a tenant's id; raises NotFound."""
    row = await (await connection.execute(SQL["find_tenant"], {"crol": crol})).fetchone()
    if row is None:
        raise NotFound(f"no tenant {crol}")
    tenant_id: UUID = row["tenant_id"]
    return tenant_id


def as_id(reference: str) -> UUID | None:
    """Read a reference as an id where it is one; the index on ids is of use then."""
    try:
        return UUID(reference)
    except ValueError:
        return None
