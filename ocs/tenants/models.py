"""What the rest of the app knows of a store and of how its transactions are mapped."""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo


class TransactionType(StrEnum):
    """The words in which a POS says what happened."""

    SALE = "sale"
    PURCHASE = "purchase"
    ADJUSTMENT = "adjustment"
    TRANSFER = "transfer"
    TRANSFER_IN = "transfer_in"
    RETURN = "return"
    DAMAGE = "damage"
    EXPIRE = "expire"
    LOSS = "loss"
    SUPPLIER_RETURN = "supplier_return"


TRANSFERS = frozenset({TransactionType.TRANSFER, TransactionType.TRANSFER_IN})
WireSign = Literal["absolute", "ledger"]


@dataclass(frozen=True)
class Store:
    """A store (CRSA) with its connection: all that is needed to read its transactions and to report them.

    `time_zone` is the store's own IANA zone. Secrets are named, never held.
    """

    store_id: UUID
    tenant_id: UUID
    connection_id: UUID
    crol: str
    crsa: str
    name: str
    time_zone: str
    pos_vendor: str
    pos_vendor_version: str
    hash_key_name: str
    reporting: bool
    environment: str
    base_url: str
    token_url: str
    scope: str
    client_id: str
    client_secret_name: str
    process_on_field: str | None
    counted_from: datetime | None
    """The instant of the first position that the platform accepted of it from us."""
    parking_warnings: list[str]
    """The warnings for which its lines wait for a person: a setting of the tenant."""

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Store":
        """Build a store from a row of the view `reporting_stores`."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})

    def local(self, instant: datetime) -> datetime:
        """Give an instant in the store's own zone."""
        return instant.astimezone(ZoneInfo(self.time_zone))


@dataclass(frozen=True)
class Mapping:
    """How one transaction type of a POS is told to the Data Platform; data, one row per connection and type.

    `direction` is the ledger's sign of the quantity: -1 out, 1 in, 0 as the POS signs it. `wire_sign` says whether
    quantities are sent absolute or with the ledger's sign. `confirmed` is false until the reading was proved by
    reading back from UAT or by staff.
    """

    ocs_type: str
    direction: int
    wire_sign: WireSign
    reason: str
    confirmed: bool
