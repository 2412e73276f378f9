"""What alerts can tell of: each cause with how grave it is and a title in plain words, and where an alert belongs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

Severity = Literal["critical", "warning"]
"""Critical: reports do not reach the regulator, or will soon not. Warning: a person should look today."""


@dataclass(frozen=True)
class Scope:
    """Where an alert belongs: a store, a connection, a tenant, or with nothing given the whole platform."""

    tenant_id: UUID | None = None
    connection_id: UUID | None = None
    store_id: UUID | None = None

    def words(self) -> dict[str, UUID | None]:
        """Give the ids by name, for a query."""
        return {"tenant_id": self.tenant_id, "connection_id": self.connection_id, "store_id": self.store_id}


PLATFORM = Scope()
"""The whole platform: what belongs to no tenant, for the operator only."""


def of_store(tenant_id: UUID, store_id: UUID) -> Scope:
    """Give a store's scope."""
    return Scope(tenant_id=tenant_id, store_id=store_id)


def of_connection(tenant_id: UUID, connection_id: UUID) -> Scope:
    """Give the scope of a connection, which stands for all its stores."""
    return Scope(tenant_id=tenant_id, connection_id=connection_id)


def of_tenant(tenant_id: UUID | None) -> Scope:
    """Give a tenant's scope; of no tenant it is the platform's."""
    return Scope(tenant_id=tenant_id)


@dataclass(frozen=True)
class Cause:
    """A cause: how grave, what it is called, and after how long without news it is over where nothing else ends it."""

    severity: Severity
    title: str
    fades: timedelta | None = None


CAUSES: Mapping[str, Cause] = {
    # Opened and closed by the rooms, together with what they tell of.
    "credentials_refused": Cause("critical", "The OCS platform refuses our credentials"),
    "undeliverable": Cause("warning", "Lines cannot be delivered"),
    "platform_down": Cause("critical", "The OCS platform does not serve us"),
    "position_missing": Cause("critical", "Last night's position is missing"),
    "shipping_notices_missing": Cause("warning", "Shipping notices cannot be read"),
    "bad_signature": Cause("critical", "Messages came with a wrong signature", fades=timedelta(hours=1)),
    # Opened and closed by the rules (rules.py).
    "breaker_open": Cause("critical", "The OCS platform does not answer"),
    "oldest_unsent": Cause("critical", "Something is waiting to be sent for too long"),
    "success_rate_low": Cause("warning", "Too many calls to the OCS platform fail"),
    "latency_high": Cause("warning", "Sales take too long to be reported"),
    "lines_refused": Cause("warning", "Lines were refused and wait for a person"),
    "dead_letters": Cause("warning", "Messages could not be taken in"),
    "poison_depth": Cause("critical", "Messages lie on a poison queue"),
    "no_heartbeat": Cause("critical", "A timer does not run"),
    "catalogue_unread": Cause("warning", "The item catalogue could not be read"),
    "alerts_undelivered": Cause("warning", "Alerts do not reach somebody"),
}


def severity_of(cause: str) -> Severity:
    """Give how grave a cause is; one that is not listed is a warning."""
    return CAUSES[cause].severity if cause in CAUSES else "warning"


def title_of(cause: str) -> str:
    """Give a cause's title; one that is not listed is called by its own word."""
    return CAUSES[cause].title if cause in CAUSES else cause.replace("_", " ")
