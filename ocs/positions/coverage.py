"""Checks that last night's position of every active store was accepted; where not, staff are told and it goes again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from ocs import telemetry
from ocs.alerts.open_close import open_alert
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery.sender import ring
from ocs.positions.business_day import business_day, last_due
from ocs.positions.freeze import TIMER, freeze_day
from ocs.runtime import Runtime
from ocs.tenants.models import Store

SQL = load(__file__)
log = telemetry.logger("positions")
MISSING = "position_missing"
GRACE = timedelta(hours=1)
"""After `snapshot_at`: 02:00 local where positions are made at 01:00."""
REST = timedelta(hours=1)
"""How long a refused position lies before it is made and sent anew."""


@dataclass(frozen=True)
class Uncovered:
    """An active store without an accepted position of a date; `state` is that of the newest snapshot, if any."""

    store: Store
    business_date: date
    opened: bool
    state: str | None
    why: str | None
    settled_at: datetime | None

    @property
    def message(self) -> str:
        """Say what is missing and why, as a store manager reads it."""
        if not self.opened:
            return (
                "What this store holds is not known, so no position can be reported, and its events wait until one is: "
                f"upload its inventory (PUT /api/ocs/stores/{self.store.crsa}/inventory)."
            )
        what = f"The position of {self.business_date}"
        if self.state is None:
            return f"{what} was not made."
        if self.state == "parked":
            return f"{what} was refused: {self.why}"
        return f"{what} was made and is not accepted yet; it is tried again and again."


async def check_coverage(runtime: Runtime) -> list[Uncovered]:
    """Open an alert for each active store without last night's accepted position, and try it again; gives those."""
    now = runtime.now()
    async with runtime.pool.transaction() as connection:
        uncovered = await missing(connection, now, GRACE)
    for one in uncovered:
        async with runtime.pool.transaction() as connection:
            store = one.store
            await open_alert(connection, store.tenant_id, store.store_id, MISSING, one.message)
            again = await _try_again(connection, one, now)
        if again:
            await ring(runtime, store.store_id)
    return uncovered


async def missing(connection: Connection, now: datetime, grace: timedelta) -> list[Uncovered]:
    """Give the active stores whose position of the newest date that is due since `grace` was not accepted."""
    stores = await (await connection.execute(SQL["active_stores"])).fetchall()
    expected = {row["store_id"]: (row, last_due(now - grace, row["time_zone"], row["snapshot_at"])) for row in stores}
    words = {"store_ids": list(expected), "dates": [day for _, day in expected.values()]}
    newest = await (await connection.execute(SQL["newest_of_dates"], words | {"grace": grace})).fetchall()
    found = {row["store_id"]: row for row in newest}
    return [
        _uncovered(row, business_date, found.get(store_id, {}))
        for store_id, (row, business_date) in expected.items()
        if not _is_covered(found.get(store_id), row, business_date)
    ]


def _is_covered(newest: dict[str, Any] | None, row: dict[str, Any], business_date: date) -> bool:
    """Tell whether a date needs nothing: it is accepted, was made only now, or the store was not here yet."""
    if newest is not None:
        return bool(newest["state"] == "accepted" or newest["is_fresh"])
    if row["made_through"] is not None:
        return bool(business_date <= row["made_through"])
    return bool(row["created_at"] >= business_day(business_date, row["time_zone"]).ends)


def _uncovered(row: dict[str, Any], business_date: date, newest: dict[str, Any]) -> Uncovered:
    opened = row["opened_at"] is not None
    state, why, settled_at = (newest.get(name) for name in ("state", "parked_reason", "settled_at"))
    return Uncovered(Store.from_row(row), business_date, opened, state, why, settled_at)


async def _try_again(connection: Connection, one: Uncovered, now: datetime) -> bool:
    """Make a refused position anew, from the levels as they are known now, after a rest; gives whether to ring."""
    rested = one.settled_at is None or now - one.settled_at > REST
    if not one.opened or one.state not in (None, "parked") or not rested:
        return False
    return await freeze_day(connection, one.store, one.business_date, "tried_again", TIMER) is not None
