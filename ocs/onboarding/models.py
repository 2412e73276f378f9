"""What the onboarding routes take and answer. Times are UTC; nothing that is answered holds a secret."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from ocs.tenants.onboard import Address, Crol, Licence, LocalTime, SecretName, Text, TimeZone
from ocs.tenants.pause import Place

LONGEST_OVERLAP_HOURS = 14 * 24
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""Something by its id, or by the name that people use: CROL, CRSA, a connection's name."""


class Taken(BaseModel):
    """A body: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Change(Taken):
    """A change of some fields: what is left out, or null, stays as it is; `clearable` fields are emptied by null."""

    def fields(self, *clearable: str) -> dict[str, Any]:
        """Give what is to be changed."""
        given = self.model_dump(exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None or name in clearable}


class NewTenant(Taken):
    """A retailer company."""

    crol: Crol
    name: Text


class TenantChange(Taken):
    """What can be changed of a retailer company: a CROL never changes."""

    name: Text


class ConnectionChange(Change):
    """A change of a connection to the Data Platform; null for `process_on_field` empties it."""

    environment: Literal["uat", "production"] | None = None
    base_url: Address | None = None
    token_url: Address | None = None
    scope: Text | None = None
    client_id: Text | None = None
    client_secret_name: SecretName | None = None
    concurrent_calls: Annotated[int, Field(ge=1, le=64)] | None = None
    process_on_field: Text | None = None


class StoreChange(Change):
    """A change of a store's configuration; null for the licence's number or date empties it."""

    name: Text | None = None
    time_zone: TimeZone | None = None
    pos_vendor: Text | None = None
    pos_vendor_version: Text | None = None
    connection: Text | None = Field(None, description="Name of one of the tenant's connections")
    hash_key_name: SecretName | None = None
    snapshot_at: LocalTime | None = Field(None, description="Local time of the nightly position")
    hourly_positions: bool | None = None
    reporting: bool | None = Field(None, description="On or off; what is recorded while off goes out when it is on")
    licence_number: Licence | None = None
    licence_expires_on: date | None = None


class PauseBody(Taken):
    """Why delivery is paused: shown wherever somebody asks why a line is not sent."""

    why: Reason


class CredentialsBody(Taken):
    """Credentials to keep: a connection's client secret, a store's hash key, or both.

    `client_id` changes with the secret where it is given. For `overlap_hours` the ones before are used too.
    """

    tenant: Reference
    connection: Reference | None = None
    client_id: Text | None = None
    client_secret: SecretStr | None = None
    store: Reference | None = None
    hash_key: SecretStr | None = None
    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_HOURS)] = 24
    unchecked: bool = Field(default=False, description="Keep it even where the sign-in cannot be asked; it is noted")


class PauseShown(BaseModel):
    """What pauses delivery: `through` says whether the whole tenant, the connection or the store itself is paused."""

    through: Place
    at: datetime
    by: str
    why: str

    @classmethod
    def of(cls, row: dict[str, Any], through: Place | None = None) -> "PauseShown | None":
        """Read it from a row; None where nothing is paused."""
        if row["paused_at"] is None:
            return None
        place = through or Place(row["paused_through"])
        return cls(through=place, at=row["paused_at"], by=row["paused_by"], why=row["paused_why"])


class TenantShown(BaseModel):
    """A retailer company; `stores` is how many it has."""

    tenant_id: UUID
    crol: str
    name: str
    stores: int
    paused: PauseShown | None
    created_at: datetime


class ConnectionShown(BaseModel):
    """A connection to the Data Platform; its secret is named, never shown."""

    connection_id: UUID
    tenant_id: UUID
    name: str
    environment: str
    base_url: str
    token_url: str
    scope: str
    client_id: str
    client_secret_name: str
    concurrent_calls: int
    process_on_field: str | None
    paused: PauseShown | None
    created_at: datetime


class TypeShown(BaseModel):
    """How a connection tells one transaction type; `direction` is -1 out, 1 in, 0 as the POS signs it."""

    transaction_type: str
    ocs_type: str
    direction: int
    wire_sign: str
    reason: str
    confirmed: bool


class StoreShown(BaseModel):
    """A store's configuration.

    `reporting` is its switch; `delivering` says whether its data goes out now: switched on and nothing paused.
    `anchored_at` is when its first position was accepted.
    """

    store_id: UUID
    tenant_id: UUID
    crol: str
    crsa: str
    name: str
    time_zone: str
    pos_vendor: str
    pos_vendor_version: str
    connection_id: UUID
    connection: str
    environment: str
    hash_key_name: str
    snapshot_at: LocalTime
    hourly_positions: bool
    reporting: bool
    delivering: bool
    paused: PauseShown | None
    licence_number: str | None
    licence_expires_on: date | None
    anchored_at: datetime | None
    created_at: datetime


def differences(before: BaseModel, after: BaseModel) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the fields that differ, as they were and as they are, for the audit."""
    was, now = before.model_dump(mode="json"), after.model_dump(mode="json")
    changed = [name for name in now if was.get(name) != now[name]]
    return {name: was.get(name) for name in changed}, {name: now[name] for name in changed}


class TenantPage(BaseModel):
    """A page of tenants."""

    items: list[TenantShown]
    next: str | None


class ConnectionPage(BaseModel):
    """A page of connections."""

    items: list[ConnectionShown]
    next: str | None


class StorePage(BaseModel):
    """A page of stores."""

    items: list[StoreShown]
    next: str | None


class Types(BaseModel):
    """How a connection tells each transaction type."""

    items: list[TypeShown]


class Onboarded(BaseModel):
    """What a description came to: each described store's id by CRSA."""

    tenant_id: UUID
    stores: dict[str, UUID]


class Paused(BaseModel):
    """A place after it was paused or resumed; `changed` is false where it was so already."""

    place: Place
    name: str
    paused: PauseShown | None
    changed: bool


class SignInTry(BaseModel):
    """What the Data Platform's sign-in said when it was asked for a token.

    `version`: which good value of the secret the answer is about, while it is rotated. Times in milliseconds.
    """

    connection: str
    at: datetime
    outcome: Literal["accepted", "refused", "not_answered"]
    version: Literal["current", "before"]
    said: str
    ms: int


class SecretState(BaseModel):
    """What is known of one secret without showing it.

    `is_set` is null where Key Vault could not be asked; `rotated_at` and `rotated_by` are null for a secret that was
    put into Key Vault past this app.
    """

    secret_name: str
    is_set: bool | None
    rotated_at: datetime | None
    rotated_by: str | None
    checked: bool | None = Field(description="Whether the sign-in accepted it before it was kept")
    overlap_until: datetime | None = Field(description="Until when the one before is used too")
    last_good_at: datetime | None = Field(description="When the Data Platform last let it in")


class ConnectionCredentials(SecretState):
    """The state of a connection's client secret."""

    connection_id: UUID
    connection: str
    environment: str
    client_id: str
    last_refused_at: datetime | None
    last_try: SignInTry | None


class StoreCredentials(SecretState):
    """The state of a store's hash key; `refused_since` is null while it is let in."""

    store_id: UUID
    crsa: str
    name: str
    refused_since: datetime | None


class CredentialsPage(BaseModel):
    """A tenant's credentials: all its connections, and a page of its stores."""

    tenant_id: UUID
    connections: list[ConnectionCredentials]
    items: list[StoreCredentials]
    next: str | None


class CredentialsKept(BaseModel):
    """What was kept, by the names of the secrets; `checked` is null where no client secret was among it."""

    tenant_id: UUID
    kept: list[str]
    checked: bool | None
    said: str
    overlap_until: datetime | None
