"""What staff do with alerts: look, say that they look after one, silence one or a cause for a while."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from ocs.access.caller import Caller
from ocs.alerts.causes import title_of
from ocs.alerts.open_close import SQL
from ocs.audit.acts import Act
from ocs.bad_input import bad_input
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.errors import Conflict
from ocs.tenants.reach import row_in_reach

State = Literal["open", "acknowledged", "silenced", "closed", "all"]
"""`open`: all that are not closed; of those some are acknowledged or silenced."""
Over = Literal["alert", "store", "tenant"]
LONGEST_SILENCE = timedelta(days=30)


@dataclass(frozen=True)
class Wanted:
    """Which alerts are asked for; None: of any."""

    state: State = "open"
    tenant_id: UUID | None = None
    store_id: UUID | None = None
    cause: str | None = None


async def open_alerts(
    connection: Connection, caller: Caller, wanted: Wanted | None = None, after: int | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """Give the alerts that the caller may see, the newest first; those that are open unless others are `wanted`.

    `after` is the number of the last alert of the page before. Each row has its title, and its CROL, CRSA, store's
    and connection's name where it has such.
    """
    asked = wanted or Wanted()
    words = {
        "tenants": None if caller.tenants is None else list(caller.tenants),
        "tenant_id": asked.tenant_id,
        "store_id": asked.store_id,
        "cause": asked.cause,
        "state": asked.state,
        "after": after,
        "limit": limit,
    }
    rows = await (await connection.execute(SQL["find_alerts"], words)).fetchall()
    return [_titled(row) for row in rows]


async def one_alert(connection: Connection, caller: Caller, alert_id: int) -> dict[str, Any]:
    """Give one alert with whom it was told; raises NotFound and Forbidden."""
    row = await (await connection.execute(SQL["one_alert"], {"alert_id": alert_id})).fetchone()
    alert = row_in_reach(caller, row, f"alert {alert_id}")
    told = await (await connection.execute(SQL["told_of_alert"], {"alert_id": alert_id})).fetchall()
    return {**_titled(alert), "notifications": told}


async def acknowledge(connection: Connection, act: Act, alert_id: int, note: str) -> None:
    """Say that somebody looks after an open alert; a later word replaces an earlier one. Raises Conflict if closed."""
    alert = await _for_change(connection, act, alert_id)
    words = {"alert_id": alert_id, "by": act.caller.name, "note": note}
    await connection.execute(SQL["acknowledge"], words)
    before = {"by": alert["acknowledged_by"], "note": alert["acknowledged_note"]}
    await _note(connection, act, alert, "alert.acknowledged", before, {"by": act.caller.name, "note": note})


async def silence(connection: Connection, act: Act, alert_id: int, until: datetime, why: str, over: Over) -> None:
    """Tell nobody until an instant: of this alert, or of its cause at its store or in its tenant.

    Raises BadInput for an end that is past or more than 30 days ahead, or a store where there is none; Conflict when
    the alert is closed.
    """
    now = utc_now()
    if not now < until <= now + LONGEST_SILENCE:
        raise bad_input("until", until.isoformat(), f"a time within the next {LONGEST_SILENCE.days} days")
    alert = await _for_change(connection, act, alert_id)
    if over == "store" and alert["store_id"] is None:
        raise bad_input("over", over, "alert or tenant: this alert is not one store's")
    words = {"alert_id": alert_id, "until": until, "why": why, "by": act.caller.name, "cause": alert["cause"]}
    if over == "alert":
        await connection.execute(SQL["silence_alert"], words)
    else:
        places = {"tenant_id": alert["tenant_id"], "store_id": alert["store_id"] if over == "store" else None}
        await connection.execute(SQL["silence_cause"], {**words, **places})
    after = {"until": until.isoformat(), "why": why, "over": over, "cause": alert["cause"]}
    await _note(connection, act, alert, "alert.silenced", None, after)


async def end_silence(connection: Connection, act: Act, alert_id: int) -> None:
    """End the silence of one alert now; what was held back is told."""
    alert = await _for_change(connection, act, alert_id)
    await connection.execute(SQL["end_silence_of_alert"], {"alert_id": alert_id})
    until = alert["silenced_until"]
    before = None if until is None else {"until": until.isoformat(), "why": alert["silenced_why"]}
    await _note(connection, act, alert, "alert.silence_ended", before, None)


async def silences(connection: Connection, caller: Caller) -> list[dict[str, Any]]:
    """Give the silences of causes that are in force, of the caller's tenants, the soonest to end first."""
    words = {"tenants": None if caller.tenants is None else list(caller.tenants)}
    return await (await connection.execute(SQL["silences"], words)).fetchall()


async def end_silence_of_cause(connection: Connection, act: Act, silence_id: int) -> None:
    """End the silence of a cause now; raises NotFound and Forbidden."""
    row = await (await connection.execute(SQL["silence_for_change"], {"silence_id": silence_id})).fetchone()
    found = row_in_reach(act.caller, row, f"silence {silence_id}")
    await connection.execute(SQL["end_silence_of_cause"], {"silence_id": silence_id})
    before = {"cause": found["cause"], "until": found["until"].isoformat(), "why": found["why"]}
    places = {"tenant_id": found["tenant_id"], "store_id": found["store_id"]}
    await act.note(connection, "alert.silence_ended", **places, subject=f"silence {silence_id}", before=before)


async def _for_change(connection: Connection, act: Act, alert_id: int) -> dict[str, Any]:
    row = await (await connection.execute(SQL["alert_for_change"], {"alert_id": alert_id})).fetchone()
    alert = row_in_reach(act.caller, row, f"alert {alert_id}")
    if alert["closed_at"] is not None:
        raise Conflict("This alert is closed already: there is nothing to look after any more")
    return alert


async def _note(
    connection: Connection,
    act: Act,
    alert: Mapping[str, Any],
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    subject = f"alert {alert['alert_id']} ({alert['cause']})"
    places = {"tenant_id": alert["tenant_id"], "store_id": alert["store_id"]}
    await act.note(connection, what, **places, subject=subject, before=before, after=after)


def _titled(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "title": title_of(row["cause"])}
