"""Opens and closes alerts inside the caller's transaction, so that an alert and its cause are true together."""

from collections.abc import Sequence
from uuid import UUID

from ocs import telemetry
from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)
log = telemetry.logger("alerts")


async def open_alert(connection: Connection, tenant_id: UUID, store_id: UUID, cause: str, message: str) -> None:
    """Open an alert for a store; while one of the same cause is open, only its words follow the newest reason."""
    words = {"tenant_id": tenant_id, "store_id": store_id, "cause": cause, "message": message}
    row = await (await connection.execute(SQL["open_alert"], words)).fetchone()
    if row is not None and row["is_new"]:
        log.error("alert opened", alert_id=row["alert_id"], store_id=store_id, cause=cause, message=message)


async def close_alerts(connection: Connection, store_id: UUID, causes: Sequence[str]) -> None:
    """Close a store's alerts of these causes: what they told of is over."""
    await connection.execute(SQL["close_alerts"], {"store_id": store_id, "causes": list(causes)})
