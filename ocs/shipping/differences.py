"""The differences of shipments: listed, settled by a person; and when a shipment agrees, that is found by itself."""

from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.audit.acts import Act
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.errors import Conflict
from ocs.runtime import Runtime
from ocs.tenants.reach import row_in_reach

SQL = load(__file__)
log = telemetry.logger("shipping")


@again_when_the_database_drops
async def reconcile(runtime: Runtime) -> int:
    """Find the shipments that agree: the platform has accepted every line as received, and no difference is open."""
    async with runtime.pool.transaction() as connection:
        agreeing = await (await connection.execute(SQL["reconcile"])).fetchall()
    for row in agreeing:
        log.info("shipment reconciled", store_id=row["store_id"], shipment_id=row["shipment_id"])
    return len(agreeing)


async def list_errors(
    connection: Connection, store_id: UUID, after: int, most: int, *, still_open: bool | None
) -> list[dict[str, Any]]:
    """Give a store's differences, oldest first: open ones, settled ones, or both."""
    words = {"store_id": store_id, "after": after, "most": most, "open": still_open}
    return await (await connection.execute(SQL["receiving_errors"], words)).fetchall()


async def resolve(connection: Connection, act: Act, error_id: int, how: str) -> dict[str, Any]:
    """Note how a difference was settled, by whom and when.

    Raises NotFound, also for another tenant's, and Conflict where it was settled otherwise.
    """
    row = await (await connection.execute(SQL["receiving_error"], {"error_id": error_id})).fetchone()
    row = row_in_reach(act.caller, row, f"receiving error {error_id}")
    if row["resolved_at"] is not None:
        if row["how"] != how:
            raise Conflict(f'it was settled at {row["resolved_at"]} by {row["resolved_by"]}: "{row["how"]}"')
        return {name: row[name] for name in ("error_id", "resolved_at", "resolved_by", "how")}
    words = {"error_id": error_id, "tenant_id": row["tenant_id"], "resolved_by": act.caller.name, "how": how}
    resolved = await (await connection.execute(SQL["resolve_error"], words)).fetchone()
    assert resolved is not None  # noqa: S101 - the row is locked by this transaction
    subject = f"receiving error {error_id}"
    places = {"tenant_id": row["tenant_id"], "store_id": row["store_id"]}
    await act.note(connection, "receiving_error.resolved", **places, subject=subject, after={"how": how})
    return resolved
