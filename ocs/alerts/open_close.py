"""Opens and closes alerts inside the caller's transaction, so that an alert and its cause are true together.

Whoever is to be told is noted in the same statement (`alert_notifications`); deliver.py tells them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from ocs import telemetry
from ocs.alerts.causes import Scope, of_store, severity_of
from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)
log = telemetry.logger("alerts")


@dataclass(frozen=True)
class Finding:
    """That a cause holds somewhere: a sentence that a store manager understands, and the values that made it."""

    scope: Scope
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)


async def open_alert(connection: Connection, tenant_id: UUID, store_id: UUID, cause: str, message: str) -> None:
    """Open an alert for a store; while one of the same cause is open, only its words follow the newest reason."""
    await open_all(connection, cause, [Finding(of_store(tenant_id, store_id), message)])


async def open_scoped(
    connection: Connection, scope: Scope, cause: str, message: str, facts: Mapping[str, Any] | None = None
) -> None:
    """Open an alert of a store, a connection, a tenant or the whole platform, in the same way."""
    await open_all(connection, cause, [Finding(scope, message, facts or {})])


async def open_all(connection: Connection, cause: str, findings: Sequence[Finding]) -> int:
    """Open an alert for each finding, or give the one that is open the newest words; gives how many are new.

    Scopes are locked in one order, so that two who open the same do not wait for each other in a circle.
    """
    ordered = sorted(findings, key=lambda one: str(one.scope))
    words = {
        "cause": cause,
        "severity": severity_of(cause),
        "tenant_ids": [one.scope.tenant_id for one in ordered],
        "connection_ids": [one.scope.connection_id for one in ordered],
        "store_ids": [one.scope.store_id for one in ordered],
        "messages": [one.message for one in ordered],
        "facts": [Jsonb(dict(one.facts)) for one in ordered],
    }
    opened = await (await connection.execute(SQL["open_alerts"], words)).fetchall()
    for row in opened:
        log.error("alert opened", cause=cause, **row)
    return len(opened)


async def close_alerts(connection: Connection, store_id: UUID, causes: Sequence[str]) -> None:
    """Close a store's alerts of these causes: what they told of is over."""
    await connection.execute(SQL["close_alerts_of_store"], {"store_id": store_id, "causes": list(causes)})


async def close_scoped(connection: Connection, scope: Scope, causes: Sequence[str]) -> None:
    """Close the alerts of these causes that belong to exactly this scope."""
    await connection.execute(SQL["close_alerts_of_scope"], {**scope.words(), "causes": list(causes)})


async def close_each(connection: Connection, alert_ids: Sequence[int]) -> int:
    """Close alerts by their numbers; gives how many were open still."""
    closed = await (await connection.execute(SQL["close_alerts_by_id"], {"alert_ids": list(alert_ids)})).fetchall()
    for row in closed:
        log.info("alert closed", **row)
    return len(closed)
