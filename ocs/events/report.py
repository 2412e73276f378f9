"""How event lines become the body of POST inventory events: the kind that this room hands to delivery."""

from decimal import Decimal
from typing import Any

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery.kinds import Kind
from ocs.events.lines import effective_at, sales_transaction_id
from ocs.levels.change import LOCK
from ocs.regulator import wire
from ocs.regulator.client import Regulator
from ocs.regulator.faults import Accepted
from ocs.tenants.models import Store

SQL = load(__file__)


async def load_batch(connection: Connection, store: Store, batch_id: int) -> wire.EventList:
    """Read a frozen batch into the regulator's words; the same batch gives the same body every time."""
    rows = await (await connection.execute(SQL["lines_of_batch"], {"batch_id": batch_id})).fetchall()
    return wire.EventList(inventoryEventList=[event_line(store, row) for row in rows])


async def post(regulator: Regulator, store: Store, body: wire.EventList, not_after: float) -> Accepted:
    """Send a batch; raises a RegulatorFault unless it was accepted."""
    return await regulator.post_events(store, body, not_after)


def event_line(store: Store, row: dict[str, Any]) -> wire.EventLine:
    """Write one recorded line in the regulator's words, its time in the store's own zone.

    Without a name for the process on date, the true day goes out as the line's own time (domain.md, rule 7).
    """
    quantity, value = _signed(row["quantity"], row["value"], row["wire_sign"])
    process_on, field = row["process_on"], store.process_on_field
    told_apart = field is not None
    happened = store.local(effective_at(row["occurred_at"], None if told_apart else process_on, store.time_zone))
    line = wire.EventLine(
        ocsSku=row["ocs_sku"],
        upcAndBarcode=row["upc"],
        posTransactionTimeStamp=wire.timestamp(happened),
        posTransactionLineId=str(row["line_id"]),
        inventoryEventType=row["ocs_type"],
        inventoryQuantityChange=wire.eaches(quantity),
        inventoryValueChange=wire.money(value),
        posSalesTransactionId=str(sales_transaction_id(store.store_id, row["transaction_id"])),
        soldAtPrice=wire.money(row["unit_price"] or Decimal(0)),
        counterPartyCRSA=row["counterparty_crsa"],
        reasonCategory=row["reason"],
    )
    if process_on is not None and field is not None:
        return wire.with_process_on(line, field, process_on)
    return line


def _signed(quantity: Decimal, value: Decimal, wire_sign: str) -> tuple[Decimal, Decimal]:
    return (abs(quantity), abs(value)) if wire_sign == "absolute" else (quantity, value)


EVENTS = Kind(LOCK, lambda settings: settings.batch_lines, load_batch, post)
