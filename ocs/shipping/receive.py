"""Receives a shipment: writes the receipt, its lines, its messages and its differences, all in one transaction.

The row lock on the shipment makes two clicks come one after the other, and the second finds the first one's receipt.
A death before the commit leaves nothing; after it the receipt is there whole, and `put` takes it to the queue.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Conflict, NotFound
from ocs.shipping.models import RECEIVING_ERROR, Counted, Receipt, ReceiptLine, Receive
from ocs.shipping.notice.compare import Known
from ocs.shipping.receipt import decide
from ocs.shipping.receipt.message import Head, messages, transaction_ids
from ocs.shipping.take import known_lines
from ocs.tenants.models import Store

SQL = load(__file__)
CORRECTED = "corrected"
"""How a difference was settled that a correction of the receipt answers."""


@dataclass(frozen=True)
class Received:
    """What a click came to: the receipt's number, and whether it was there already."""

    number: int
    already: bool


@dataclass(frozen=True)
class _Shipment:
    """A shipment under the row lock of this transaction."""

    shipment_id: str
    elsewhere: bool
    received_at: datetime | None
    received_by: str | None
    known: Mapping[UUID, Known]
    last: Receipt | None


async def receive(connection: Connection, store: Store, shipment_id: str, asked: Receive, received_by: str) -> Received:
    """Receive a shipment or correct its receipt, in the caller's transaction; call `put_receipts` after the commit.

    The same click again gives the receipt that is there. Raises NotFound, BadInput for counts that cannot be, and
    Conflict where something else was received already, or where a correction comes too early.
    """
    shipment = await _locked(connection, store, shipment_id)
    counted = decide.counted_lines(asked, shipment.known)
    if shipment.last is not None and not asked.correct:
        return _once(store, shipment, shipment.last, asked, counted)
    if shipment.elsewhere and not asked.correct:
        raise Conflict(
            f"shipment {shipment_id} is marked as received in the POS, since {shipment.received_at}, by "
            f'{shipment.received_by}. To make its receipt here all the same, say "correct": true'
        )
    return await _receive(connection, store, shipment, asked, counted, received_by)


async def receive_elsewhere(connection: Connection, store: Store, shipment_id: str, received_by: str) -> bool:
    """Note that the POS made the receipt: no events come of it here. Gives whether that was noted before.

    Raises NotFound, and Conflict where a receipt was made here: its events are reported.
    """
    shipment = await _locked(connection, store, shipment_id)
    if shipment.last is not None:
        raise Conflict(
            f"shipment {shipment_id} was received here at {shipment.last.made_at}: if the POS has received it too, "
            'take this receipt back, with "correct": true and 0 received of each line'
        )
    if shipment.elsewhere:
        return True
    await connection.execute(SQL["mark_received"], _own(store, shipment_id, elsewhere=True, received_by=received_by))
    return False


async def newest_receipt(connection: Connection, store_id: UUID, shipment_id: str) -> Receipt | None:
    """Give the newest receipt of a shipment with its lines; None while it was not received here."""
    words = {"store_id": store_id, "shipment_id": shipment_id}
    row = await (await connection.execute(SQL["newest_receipt"], words)).fetchone()
    if row is None:
        return None
    rows = await (await connection.execute(SQL["lines_of_receipt"], words | {"number": row["number"]})).fetchall()
    return Receipt(**row, lines={line["line_id"]: ReceiptLine.from_row(line) for line in rows})


async def _locked(connection: Connection, store: Store, shipment_id: str) -> _Shipment:
    words = {"store_id": store.store_id, "shipment_id": shipment_id}
    row = await (await connection.execute(SQL["lock_shipment"], words)).fetchone()
    if row is None:
        raise NotFound(f'no shipment "{shipment_id}" of store {store.crsa}')
    rows = await (
        await connection.execute(SQL["lines_of_shipments"], words | {"shipment_ids": [shipment_id]})
    ).fetchall()
    last = await newest_receipt(connection, store.store_id, shipment_id)
    return _Shipment(shipment_id, row["elsewhere"], row["received_at"], row["received_by"], known_lines(rows), last)


def _once(
    store: Store, shipment: _Shipment, last: Receipt, asked: Receive, counted: Mapping[UUID, Counted]
) -> Received:
    if decide.says_the_same(asked, counted, last, store.local(last.occurred_at).date()):
        return Received(last.number, already=True)
    raise Conflict(
        f"shipment {shipment.shipment_id} was received otherwise at {last.made_at}, by {last.made_by}. To change that, "
        'send the right count of the lines in question with "correct": true'
    )


async def _receive(
    connection: Connection,
    store: Store,
    shipment: _Shipment,
    asked: Receive,
    counted: Mapping[UUID, Counted],
    received_by: str,
) -> Received:
    last = shipment.last
    # A receipt is dated as a POS would date it. A correction keeps the time: the goods came when they came.
    occurred_at = utc_now() if last is None else last.occurred_at
    day = decide.true_day(asked, store, occurred_at, last)
    if last is None:
        quantities = decide.first_quantities(shipment.known, counted)
    else:
        quantities = decide.corrected_quantities(shipment.known, counted, last)
    lines = {line_id: one.line for line_id, one in shipment.known.items()}
    before = {} if last is None else {line_id: line.transaction_id for line_id, line in last.lines.items()}
    transactions = transaction_ids(store.store_id, shipment.shipment_id, lines.values(), before)
    received = decide.receipt_lines(shipment.known, quantities, transactions, last)
    if last is not None and (received, day) == (last.lines, last.received_on):
        return Received(last.number, already=True)
    await _require_known(connection, store, decide.voids(received))
    number = 1 if last is None else last.number + 1
    own = _own(store, shipment.shipment_id, number=number, received_by=received_by)
    head = Head(store, occurred_at, day)
    await connection.execute(
        SQL["record_receipt"], own | {"received_on": day, "occurred_at": occurred_at, "made_by": received_by}
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(SQL["record_receipt_line"], [own | vars(line) for line in received.values()])
        if texts := messages(head, lines.values(), received):
            rows = [own | {"transaction_id": one.transaction_id, "message": one.text} for one in texts]
            await cursor.executemany(SQL["record_message"], rows)
    await connection.execute(SQL["mark_received"], own | {"elsewhere": False})
    await _keep_differences(connection, own, received, counted, last)
    return Received(number, already=False)


async def _require_known(connection: Connection, store: Store, line_ids: Sequence[UUID]) -> None:
    """Refuse to take a line back that has not been taken in: the void would be refused as one of nothing."""
    words = {"store_id": store.store_id, "line_ids": line_ids}
    untaken = await (await connection.execute(SQL["untaken_lines"], words)).fetchall() if line_ids else []
    if untaken:
        raise Conflict(
            f"the receipt has not been taken in yet: {len(untaken)} lines that this takes back are on their way. Wait "
            "a minute and send it again; if it stays so, look at the dead letters"
        )


async def _keep_differences(
    connection: Connection,
    own: Mapping[str, Any],
    received: Mapping[UUID, ReceiptLine],
    counted: Mapping[UUID, Counted],
    last: Receipt | None,
) -> None:
    errors, told_anew = decide.differing(received, last)
    if last is not None:
        words = {**own, "resolved_by": own["received_by"], "how": CORRECTED, "line_ids": told_anew}
        await connection.execute(SQL["settle_corrected_errors"], words)
    rows = [{**own, "noted_by": own["received_by"]} | vars(line) | _why(counted.get(line.line_id)) for line in errors]
    if rows:
        async with connection.cursor() as cursor:
            await cursor.executemany(SQL["open_count_error"], rows)


def _why(counted: Counted | None) -> dict[str, str]:
    """Give a difference's reason and note; a line that nobody counted differs because the notice changed."""
    if counted is None:
        return {"reason": RECEIVING_ERROR, "note": "not counted: the notice says something else now"}
    return {"reason": counted.reason, "note": counted.note or ""}


def _own(store: Store, shipment_id: str, **more: Any) -> dict[str, Any]:
    return {"store_id": store.store_id, "tenant_id": store.tenant_id, "shipment_id": shipment_id} | more
