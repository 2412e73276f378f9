"""Corrects a line and sends it again, by the very way by which a POS would: as a message with the same line id.

So numbering, levels, warnings and the order of delivery are those of any correction. Who made it, and why, is noted
beside the revision.
"""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from pydantic import BaseModel, ConfigDict, Field

from ocs.audit.acts import Act
from ocs.bad_input import BadInput, FieldFault, bad_input
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.dead_letters.doors import Message
from ocs.errors import Conflict, NotFound, PreconditionFailed
from ocs.events.ingest import record
from ocs.events.models import Money, Quantity, Word, read_transaction
from ocs.levels.change import lock_levels
from ocs.tenants.models import Store, TransactionType
from ocs.tenants.read import find_store

SQL = load(__file__)
NOTHING_DIFFERS = "nothing would differ from the newest revision: to send it again as it is, retry it"
COMES_WITH_ITS_COST = frozenset({TransactionType.PURCHASE, TransactionType.TRANSFER_IN})
"""What comes in is worth what was paid for it, whichever item it turns out to be; what goes out, the item's average."""


class Correction(BaseModel):
    """What is to be different about a line; what is not named stays. Money in Canadian dollars an each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ocs_sku: Word | None = None
    upc: Word | None = None
    quantity: Quantity | None = Field(
        None, description="Whole eaches as the POS says it: above 0, an adjustment with its sign; 0 voids the line"
    )
    unit_price: Money | None = None
    unit_cost: Money | None = None
    reason: str | None = Field(None, min_length=1, max_length=200, pattern=r"^[^\x00]*$")


class Corrected(BaseModel):
    """The revision that a correction made."""

    store_id: UUID
    line_id: UUID
    revision: int


async def correct(
    connection: Connection, act: Act, store: Store, line_id: UUID, correction: Correction, revision: int
) -> Corrected:
    """Make a new revision of a line, in the open transaction, and ring after the commit.

    `revision` is the one that was looked at. Raises NotFound; PreconditionFailed when there is a newer one, of the POS
    or of a colleague; BadInput; Conflict when nothing would differ.
    """
    await lock_levels(connection, store)  # from here on nobody else can make a revision
    words = {"store_id": store.store_id, "line_id": line_id}
    before = await (await connection.execute(SQL["newest_of_line"], words)).fetchone()
    if before is None:
        raise NotFound(f"no line {line_id} in store {store.crsa}")
    if before["revision"] != revision:
        raise PreconditionFailed(f"the line's newest revision is {before['revision']}, you looked at {revision}")
    before["quantity"] = await _quantity_said(connection, store, before)
    changes = _changes(correction, before)
    await _take(connection, _as_said(store, line_id, before, changes), before)
    who = words | {"tenant_id": store.tenant_id, "revision": revision + 1, "made_by": act.caller.name, "why": act.why}
    await connection.execute(SQL["note_correction"], who)
    await act.note(
        connection,
        "line.corrected",
        tenant_id=store.tenant_id,
        store_id=store.store_id,
        subject=str(line_id),
        before={name: _plain(before[name]) for name in changes} | {"revision": revision},
        after={name: _plain(value) for name, value in changes.items()} | {"revision": revision + 1},
    )
    return Corrected(store_id=store.store_id, line_id=line_id, revision=revision + 1)


async def _take(connection: Connection, said: dict[str, Any], before: dict[str, Any]) -> None:
    """Take the message in as any other; what is wrong with it is told by the correction's own field names."""
    # Not older than what it corrects, though the queue's clock may be ahead of ours.
    at = max(utc_now(), before["inserted_at"])
    message = Message(f"staff:{uuid4()}", json.dumps(said).encode(), at)
    try:
        taken = await record(connection, read_transaction(message.body), message)
    except BadInput as error:
        faults = [FieldFault(one.field.removeprefix("items[0]."), one.found, one.expected) for one in error.faults]
        raise BadInput(faults) from None
    if not taken.corrected:
        raise Conflict(NOTHING_DIFFERS)


def _changes(correction: Correction, before: dict[str, Any]) -> dict[str, Any]:
    """Give what really differs; raises BadInput where nothing is named, and Conflict where nothing differs."""
    named = correction.model_dump(exclude_none=True)
    if not named:
        raise bad_input("the whole body", "nothing", "at least one field to correct")
    changes = {name: value for name, value in named.items() if value != before[name]}
    if not changes:
        raise Conflict(NOTHING_DIFFERS)
    return changes


async def _quantity_said(connection: Connection, store: Store, before: dict[str, Any]) -> Decimal:
    """Give the quantity that the POS said for the ledger's: only an adjustment has a sign of its own."""
    quantity: Decimal = before["quantity"]
    kind = TransactionType(before["transaction_type"])
    if kind is not TransactionType.ADJUSTMENT:
        return abs(quantity)
    found = await find_store(connection, str(store.tenant_id), str(store.store_id), kind)
    turned = found is not None and found.mapping is not None and found.mapping.direction < 0
    return -quantity if turned else quantity


def _as_said(store: Store, line_id: UUID, before: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Write the transaction with this one line as the POS would have, had it said it right."""
    kind = TransactionType(before["transaction_type"])
    item = {
        "line_id": str(line_id),
        "sku": before["pos_sku"],
        "ocs_sku": changes.get("ocs_sku", before["ocs_sku"]),
        "upc": changes.get("upc", before["upc"] or None),
        "quantity": str(changes.get("quantity", before["quantity"])),
        "unit_price": _plain(changes.get("unit_price", before["unit_price"])),
        "unit_cost": _plain(changes.get("unit_cost", before["unit_cost"] if kind in COMES_WITH_ITS_COST else None)),
    }
    return {
        "tenant_id": str(store.tenant_id),
        "store_id": str(store.store_id),
        "transaction_type": kind.value,
        "transaction_id": before["transaction_id"],
        "occurred_at": store.local(before["occurred_at"]).isoformat(),
        "process_on": _plain(before["process_on"]),
        "counterparty_crsa": before["counterparty_crsa"] or None,
        "reason": changes.get("reason", before["reason"] or None),
        "items": [item],
    }


def _plain(value: object) -> str | None:
    return None if value is None else str(value)
