"""Decides what a click on "receive" comes to, given the shipment's lines and what was received of it before."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from ocs.bad_input import BadInput, FieldFault, bad_input, quoted
from ocs.shipping.models import Counted, Receipt, ReceiptLine, Receive
from ocs.shipping.notice.compare import Known
from ocs.tenants.models import Store

LONGEST_PAST = timedelta(days=366)
"""How long ago a shipment may have come: a year typed wrong is further away."""


def counted_lines(asked: Receive, known: Mapping[UUID, Known]) -> dict[UUID, Counted]:
    """Give what was counted by line; raises BadInput for a line that the shipment does not have, or one named twice."""
    counted: dict[UUID, Counted] = {}
    faults = []
    for number, line in enumerate(asked.lines or ()):
        found = quoted(str(line.line))
        if line.line not in known:
            faults.append(FieldFault(f"lines[{number}].line", found, "the id of a line of this shipment"))
        elif line.line in counted:
            faults.append(FieldFault(f"lines[{number}].line", found, "each line once"))
        counted[line.line] = line
    if faults:
        raise BadInput(faults)
    return counted


def true_day(asked: Receive, store: Store, occurred_at: datetime, last: Receipt | None) -> date | None:
    """Give the day that a receipt is reported on where it is earlier than the first click's; raises BadInput."""
    clicked = store.local(occurred_at).date()
    if asked.received_on is None:
        return None if last is None else last.received_on
    if not clicked - LONGEST_PAST <= asked.received_on <= clicked:
        expected = f"a day from {clicked - LONGEST_PAST} to {clicked}, the store's own day when it was first received"
        raise bad_input("received_on", str(asked.received_on), expected)
    return asked.received_on if asked.received_on < clicked else None


def first_quantities(known: Mapping[UUID, Known], counted: Mapping[UUID, Counted]) -> dict[UUID, Decimal]:
    """Give the eaches received of each line: as counted, else as shipped.

    Raises BadInput for a line that is not counted and whose shipped quantity is no number of eaches.
    """
    uncounted = [one.line for one in known.values() if one.in_notice and not one.line.is_countable]
    faults = [
        FieldFault("lines", f"nothing for line {line.line_id}", f"its count: shipped were {line.quantity:f}")
        for line in uncounted
        if line.line_id not in counted
    ]
    if faults:
        raise BadInput(faults)
    return {
        line_id: Decimal(counted[line_id].received) if line_id in counted else shipped(one)
        for line_id, one in known.items()
    }


def corrected_quantities(
    known: Mapping[UUID, Known], counted: Mapping[UUID, Counted], last: Receipt
) -> dict[UUID, Decimal]:
    """Give the eaches received after a correction: as counted, else as received before.

    A line that came into the notice after the receipt is received only where it is counted.
    """

    def before(line_id: UUID) -> Decimal:
        return last.lines[line_id].received if line_id in last.lines else Decimal(0)

    return {line_id: Decimal(counted[line_id].received) if line_id in counted else before(line_id) for line_id in known}


def receipt_lines(
    known: Mapping[UUID, Known],
    received: Mapping[UUID, Decimal],
    transactions: Mapping[UUID, str],
    last: Receipt | None,
) -> dict[UUID, ReceiptLine]:
    """Give the lines of a receipt; a line that was reported before is sent on with 0, which voids it.

    Raises BadInput where something came of a line without a SKU.
    """
    nameless = [i for i, eaches in received.items() if eaches and "sku_missing" in known[i].line.warnings]
    if nameless:
        expected = "0 eaches, then receive it in the POS: it has no OCS SKU"
        raise BadInput([FieldFault("lines", f"eaches of line {line_id}", expected) for line_id in nameless])
    before = {} if last is None else last.lines
    return {
        line_id: ReceiptLine(
            line_id=line_id,
            transaction_id=transactions[line_id],
            upc=one.line.each_gtin,
            unit_cost=one.line.unit_cost,
            shipped=shipped(one),
            received=received[line_id],
            sent=received[line_id] > 0 or (line_id in before and before[line_id].sent),
        )
        for line_id, one in known.items()
    }


def says_the_same(asked: Receive, counted: Mapping[UUID, Counted], last: Receipt, clicked: date) -> bool:
    """Tell whether a second click says what the receipt says; shipped counts as it was then, not as it is now."""
    if asked.received_on is not None and asked.received_on != (last.received_on or clicked):
        return False
    wanted = {line_id: line.shipped for line_id, line in last.lines.items()}
    wanted |= {line_id: Decimal(line.received) for line_id, line in counted.items()}
    received = {line_id: line.received for line_id, line in last.lines.items()}
    return all(eaches == received.get(line_id, 0) for line_id, eaches in wanted.items())


def differing(lines: Mapping[UUID, ReceiptLine], last: Receipt | None) -> tuple[list[ReceiptLine], list[UUID]]:
    """Give the lines with a new difference between shipped and received, and the ids of all with a new count."""
    before: Mapping[UUID, ReceiptLine] = {} if last is None else last.lines
    new = [
        line
        for line_id, line in lines.items()
        if line_id not in before or (before[line_id].shipped, before[line_id].received) != (line.shipped, line.received)
    ]
    return [line for line in new if line.shipped != line.received], [line.line_id for line in new]


def voids(lines: Mapping[UUID, ReceiptLine]) -> Sequence[UUID]:
    """Give the lines that were reported and are taken back."""
    return [line_id for line_id, line in lines.items() if line.sent and not line.received]


def shipped(one: Known) -> Decimal:
    """Give the eaches that the newest notice says were shipped: none of a line that it does not have any more."""
    return one.line.quantity if one.in_notice else Decimal(0)
