"""Takes shipping notices in: keeps what is new, and never loses what a notice said before.

While a shipment is not received, the newest notice counts and the change is on record. After the receipt a change is
also a difference, which a person settles. All in the caller's transaction; the same notice again changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.regulator import wire
from ocs.shipping.notice.compare import Known, LineChange, Sighting, compare
from ocs.shipping.notice.lines import NoticeLine, read_notice
from ocs.tenants.models import Store

SQL = load(__file__)
BY_NOTICE = "shipping notice"
CHANGED_LATE = "The notice changed after the receipt"
IN_WORDS = {
    "added": "the notice has this line now",
    "gone": "the notice does not have this line any more",
    "back": "the notice has this line again",
}


@dataclass(frozen=True)
class Window:
    """What the platform was asked for; both instants are aware."""

    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Taken:
    """What a notice came to: its shipments and lines, the shipments that are new, the lines that say something else."""

    shipments: int
    lines: int
    added: int
    changed: int
    left_out: int


async def take_notices(
    connection: Connection, store: Store, window: Window, told: Sequence[wire.ShippingNoticeLine]
) -> Taken:
    """Take a reply in, in the caller's transaction."""
    read = read_notice(store.store_id, told)
    shipment_ids = sorted({line.shipment_id for line in read.lines})
    if not shipment_ids:
        return Taken(0, 0, 0, 0, read.left_out)
    words = {"store_id": store.store_id, "shipment_ids": shipment_ids}
    new = await _notice_shipments(connection, store, window, words)
    locked = await (await connection.execute(SQL["lock_shipments"], words)).fetchall()
    rows = await (await connection.execute(SQL["lines_of_shipments"], words)).fetchall()
    changed = 0
    for shipment in locked:
        noticed = [line for line in read.lines if line.shipment_id == shipment["shipment_id"]]
        known = known_lines(row for row in rows if row["shipment_id"] == shipment["shipment_id"])
        whole = Sighting(shipment["noticed_after"], shipment["seen_to"]).is_whole(window.begins, window.ends)
        changes = compare(known, noticed, whole=whole)
        await _write_lines(connection, store, changes)
        if shipment["shipment_id"] not in new:
            await _record(connection, store, shipment, changes)
            changed += len(changes)
    await connection.execute(SQL["see_shipments"], words | {"seen_to": window.ends})
    return Taken(len(shipment_ids), len(read.lines), len(new), changed, read.left_out)


def known_lines(rows: Any) -> dict[UUID, Known]:
    """Give lines on record by their ids, from rows of `shipment_lines`."""
    return {row["line_id"]: Known(NoticeLine.from_row(row), row["in_notice"]) for row in rows}


async def _notice_shipments(
    connection: Connection, store: Store, window: Window, words: Mapping[str, Any]
) -> frozenset[str]:
    """Keep the shipments that are new, with the instant after which OCS must have noticed them; gives those."""
    last = await (await connection.execute(SQL["last_covered"], {"store_id": store.store_id})).fetchone()
    noticed_after = window.begins
    if last is not None and last["window_from"] <= window.begins:
        noticed_after = max(window.begins, last["window_to"])
    more = {"tenant_id": store.tenant_id, "noticed_after": noticed_after, "seen_to": window.ends}
    rows = await (await connection.execute(SQL["notice_shipments"], {**words, **more})).fetchall()
    return frozenset(row["shipment_id"] for row in rows)


async def _write_lines(connection: Connection, store: Store, changes: Sequence[LineChange]) -> None:
    own = {"store_id": store.store_id, "tenant_id": store.tenant_id}
    kept = [own | _row(change.line) for change in changes if change.kind != "gone"]
    gone = [own | {"line_id": change.line.line_id} for change in changes if change.kind == "gone"]
    async with connection.cursor() as cursor:
        if kept:
            await cursor.executemany(SQL["save_line"], kept)
        if gone:
            await cursor.executemany(SQL["drop_from_notice"], gone)


async def _record(
    connection: Connection, store: Store, shipment: Mapping[str, Any], changes: Sequence[LineChange]
) -> None:
    """Keep the changes of a shipment that was known; after its receipt each is a difference too."""
    if not changes:
        return
    shipment_id, after_receipt = shipment["shipment_id"], shipment["state"] != "expected"
    own = {"store_id": store.store_id, "tenant_id": store.tenant_id, "shipment_id": shipment_id}
    async with connection.cursor() as cursor:
        await cursor.executemany(
            SQL["record_change"],
            [
                own
                | {"line_id": one.line.line_id, "kind": one.kind, "after_receipt": after_receipt}
                | {"before": Jsonb(one.before), "after": Jsonb(one.after)}
                for one in changes
            ],
        )
        if after_receipt:
            await cursor.executemany(SQL["open_notice_error"], [own | _difference(one) for one in changes])
            await cursor.execute(SQL["reopen_shipments"], {"store_id": store.store_id, "shipment_ids": [shipment_id]})


def _difference(change: LineChange) -> dict[str, Any]:
    differing = (f"{name}: {change.before.get(name)} became {value}" for name, value in change.after.items())
    return {
        "line_id": change.line.line_id,
        "shipped": 0 if change.kind == "gone" else change.line.quantity,
        "reason": CHANGED_LATE,
        "note": "; ".join(differing) if change.kind == "changed" else IN_WORDS[change.kind],
        "noted_by": BY_NOTICE,
    }


def _row(line: NoticeLine) -> dict[str, Any]:
    return {field.name: getattr(line, field.name) for field in fields(line)} | {"warnings": list(line.warnings)}
