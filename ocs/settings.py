"""The app's settings: read once from the environment, typed, checked at start, never shown with secrets."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from ocs.bad_input import explain
from ocs.errors import ConfigurationError

SETTLE_MARGIN_SECONDS = 5
"""A lease must outlive the longest POST by the time that its settling takes."""


class Settings(BaseSettings):
    """Every setting of the app; the environment's name is `OCS_` and the field's name in capitals.

    Times are seconds. The defaults are those of production.
    """

    model_config = SettingsConfigDict(env_prefix="OCS_", frozen=True, extra="ignore", populate_by_name=True)

    database_url: SecretStr
    """libpq URL; carries a password only on the local stack."""
    database_auth: Literal["password", "entra"] = "password"
    """`entra`: the managed identity's token is the password (Azure Database for PostgreSQL)."""
    database_pool_size: Annotated[int, Field(ge=1, le=20)] = 4
    """Connections per instance: Flexible Server has few, and instances multiply."""
    database_prepared_statements: bool = False
    """On only where sessions last: straight to Postgres, or a PgBouncer (1.22 or later) that keeps them itself."""

    storage: SecretStr | None = None
    """Connection string of the queues, for the local stack only."""
    storage_queue_uri: str | None = Field(default=None, validation_alias="OCS_STORAGE__queueServiceUri")
    """The queues' address when the identity signs in; the name is the Functions host's own convention."""

    vault_url: str
    vault_ca_file: Path | None = None
    """A CA to trust beside the system's: set for the vault stand-in, never in Azure."""
    identity_client_id: str | None = Field(default=None, validation_alias="AZURE_CLIENT_ID")
    """Which user-assigned identity to be; the system-assigned one when absent."""
    secret_cache_seconds: Annotated[float, Field(ge=0)] = 3600
    """How long a secret is served from memory before the vault is asked again."""

    sign_in_issuer: str | None = None
    """Whose tokens staff bring: `https://login.microsoftonline.com/<directory>/v2.0` in Azure."""
    sign_in_audience: str | None = None
    """For whom those tokens must be made out: this app's client id in the directory."""
    staff_requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """What one person may ask of one instance; the page asks every few seconds while it is looked at."""

    pos_requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """What one key of a POS may ask of one instance; a request carries up to a mebibyte of transactions."""

    batch_lines: Annotated[int, Field(ge=1, le=5000)] = 500
    """The most event lines in one POST: OCS sets no limit but says that large ones slow the push."""
    lease_seconds: Annotated[float, Field(gt=0)] = 40
    """How long a worker may hold a store without a sign of life."""
    post_timeout_seconds: Annotated[float, Field(gt=0)] = 30
    get_timeout_seconds: Annotated[float, Field(gt=0)] = 120
    """The slow reads: a shipping notice takes 39 s, a catalogue page 25 s (seen in UAT)."""
    drain_seconds: Annotated[float, Field(gt=0)] = 20
    """How long one ring of the doorbell keeps a worker at it before it makes room."""
    retry_schedule: Annotated[tuple[float, ...], NoDecode] = (60, 300, 900, 3600, 21600, 86400)
    """Waits after the first, second, … counted failure of a batch; the last one repeats."""
    breaker_open_seconds: Annotated[float, Field(gt=0)] = 30
    """How long the breaker waits before its first probe; doubles up to ten times that."""
    credentials_wait_seconds: Annotated[float, Field(gt=0)] = 60
    """How long a store waits after its credentials were refused before they are read and tried again."""
    sweep_schedule: str = "*/15 * * * * *"
    """When the sweeper looks for due stores that nobody is working on (NCRONTAB, six fields, UTC)."""
    positions_schedule: str = "0 */5 * * * *"
    """When stores whose position is due are looked for (NCRONTAB, six fields, UTC)."""
    catalogue_schedule: str = "0 30 8 * * *"
    """When the item catalogue is read (NCRONTAB, UTC): deep in Ontario's night."""
    shipping_schedule: str = "0 10 */6 * * *"
    """When shipping notices are read (NCRONTAB, UTC)."""
    alerts_schedule: str = "*/30 * * * * *"
    """When the rules of the alerts are looked at and what is to be told is sent (NCRONTAB, UTC)."""
    smtp_host: str | None = None
    """The mail server that takes the alerts' mails; without one no mail is sent."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    """`none` on the local stack only."""
    smtp_from: str = "alerts@localhost"
    """The address that the mails come from."""
    smtp_user: str | None = None
    smtp_password_name: str | None = None
    """The name of the mail server's password in Key Vault."""
    page_url: str | None = None
    """Where staff find the page, such as https://ocs.example.com: for the links in mails and webhooks."""
    audit_calls_days: Annotated[int, Field(ge=1, le=36_500)] = 90
    """How many days the audit keeps calls to the regulator."""
    audit_acts_days: Annotated[int, Field(ge=1, le=36_500)] = 1095
    """How many days it keeps what staff did, and settled submissions are kept: three years."""
    clock_shift_seconds: float = 0
    """Moves the clock by which positions fall due, on the local stack only: to see a night without waiting for it."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("smtp_host", "smtp_user", "smtp_password_name", "page_url", mode="before")
    @classmethod
    def _none_if_empty(cls, given: object) -> object:
        return None if given == "" else given

    @field_validator("retry_schedule", mode="before")
    @classmethod
    def _from_commas(cls, given: object) -> object:
        return tuple(part.strip() for part in given.split(",")) if isinstance(given, str) else given

    @field_validator("retry_schedule")
    @classmethod
    def _positive(cls, waits: tuple[float, ...]) -> tuple[float, ...]:
        if not waits or any(wait <= 0 for wait in waits):
            raise ValueError("one or more numbers of seconds above 0, separated by commas")
        return waits

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.lease_seconds < self.post_timeout_seconds + SETTLE_MARGIN_SECONDS:
            raise ValueError(
                f"OCS_LEASE_SECONDS at least {SETTLE_MARGIN_SECONDS} s above OCS_POST_TIMEOUT_SECONDS: "
                "a lease that ends during a POST lets two workers send at once"
            )
        if self.clock_shift_seconds and self.vault_ca_file is None:
            raise ValueError("OCS_CLOCK_SHIFT_SECONDS 0: the clock is moved on the local stack only")
        if (self.smtp_user is None) != (self.smtp_password_name is None):
            raise ValueError("OCS_SMTP_USER and OCS_SMTP_PASSWORD_NAME together, or neither")
        if self.smtp_tls == "none" and self.smtp_host is not None and self.vault_ca_file is None:
            raise ValueError("OCS_SMTP_TLS starttls or tls: mails go unencrypted on the local stack only")
        issuer = self.sign_in_issuer
        if issuer is not None and not issuer.startswith("https://") and self.vault_ca_file is None:
            raise ValueError("OCS_SIGN_IN_ISSUER with https://: only the local stack's stand-in goes without")
        if (issuer is None) != (self.sign_in_audience is None):
            raise ValueError("OCS_SIGN_IN_ISSUER and OCS_SIGN_IN_AUDIENCE together, or neither")
        if self.storage is None and self.storage_queue_uri is None:
            raise ValueError("OCS_STORAGE (a connection string) or OCS_STORAGE__queueServiceUri")
        return self


@lru_cache(maxsize=1)
def load() -> Settings:
    """Read and check the settings; raises ConfigurationError that names every wrong one."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{fault.field}: expected {fault.expected}" for fault in explain(error))
        raise ConfigurationError(f"settings are wrong: {faults}") from None
