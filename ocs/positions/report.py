"""How a snapshot becomes the body of POST inventory position: the kind that this room hands to delivery."""

from dataclasses import dataclass
from datetime import datetime

from ocs.alerts.open_close import close_alerts
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery.kinds import Kind
from ocs.positions.business_day import stamp
from ocs.positions.coverage import MISSING
from ocs.positions.freeze import KIND
from ocs.regulator import wire
from ocs.regulator.client import Regulator
from ocs.regulator.faults import Accepted
from ocs.tenants.anchor import anchor_store
from ocs.tenants.models import Store

SQL = load(__file__)


@dataclass(frozen=True)
class Position:
    """One position as it goes out: the time in its query, and its lines."""

    at: datetime
    body: wire.PositionList


async def load_batch(connection: Connection, store: Store, batch_id: int) -> Position:
    """Read a frozen snapshot into the regulator's words; the same batch gives the same body every time."""
    row = await (await connection.execute(SQL["snapshot_of_batch"], {"batch_id": batch_id})).fetchone()
    if row is None:
        raise LookupError(f"batch {batch_id} of store {store.crsa} has no snapshot")
    columns = zip(row["ocs_skus"], row["upcs"], row["quantities"], row["amounts"], strict=True)
    return Position(stamp(row["as_of"], store.time_zone), wire.position_list(columns))


async def post(regulator: Regulator, store: Store, position: Position, not_after: float) -> Accepted:
    """Send a position; raises a RegulatorFault unless it was accepted."""
    return await regulator.post_position(store, position.at, position.body, not_after)


async def note_accepted(connection: Connection, store: Store, batch_id: int) -> None:
    """Let a store's events go after its first accepted position, and end the alert when last night's is there."""
    row = await (await connection.execute(SQL["dates_of_batch"], {"batch_id": batch_id})).fetchone()
    if row is None:
        return
    await anchor_store(connection, store.store_id, row["as_of"])
    newest = await (await connection.execute(SQL["newest_night"], {"store_id": store.store_id})).fetchone()
    if newest is not None and row["business_date"] >= newest["made_through"]:
        await close_alerts(connection, store.store_id, [MISSING])


POSITIONS = Kind(KIND, lambda _settings: 1, load_batch, post, note_accepted, anchors=True, noun="position")
