"""Writes a receipt as POS transactions of the type `purchase`, for the same door as a POS (docs/pos-developers.md).

Deterministic: the same shipment gives the same transactions, byte for byte, so that putting one on the queue twice is
a repeat and nothing more.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from ocs.azure.queues import LARGEST_MESSAGE
from ocs.catalogue.gtin import LENGTH as GTIN_LENGTH
from ocs.shipping.models import ReceiptLine
from ocs.shipping.notice.lines import FOUR_PLACES, MOST_EACHES, NoticeLine
from ocs.tenants.models import Store, TransactionType

MOST_ITEMS = 1000
"""Lines of one POS transaction (docs/pos-developers.md)."""
HEAD_BYTES = 2048
"""Room for what a transaction says besides its items."""
LONGEST_NUMBER = 90
"""Characters of a shipment's number with which a transaction's number stays within 100."""


@dataclass(frozen=True)
class Head:
    """What all transactions of a receipt share: the first click's instant, and the true day where it was earlier."""

    store: Store
    occurred_at: datetime
    process_on: date | None


@dataclass(frozen=True)
class Message:
    """One POS transaction as it is put on the queue."""

    transaction_id: str
    text: str


def transaction_ids(
    store_id: UUID, shipment_id: str, lines: Iterable[NoticeLine], known: Mapping[UUID, str]
) -> dict[UUID, str]:
    """Give the number of the transaction in which each line is received; `known` are those of earlier receipts.

    Packed by container, so that a large shipment is split where a person would split it, and by what a line may at
    most take, so that no count moves a line to another transaction.
    """
    root = shipment_id if len(shipment_id) <= LONGEST_NUMBER else str(uuid5(store_id, shipment_id))
    taken = set(known.values())
    new = [line for line in sorted(lines, key=_order) if line.line_id not in known]
    given = dict(known)
    number = 0
    for part in _packed(new):
        number += 1
        while (name := _name(root, number)) in taken:
            number += 1
        given |= {line.line_id: name for line in part}
    return given


def messages(head: Head, lines: Iterable[NoticeLine], receipt: Mapping[UUID, ReceiptLine]) -> list[Message]:
    """Write the transactions of a receipt; lines of which nothing is to be reported are in none."""
    sent = [line for line in sorted(lines, key=_order) if line.line_id in receipt and receipt[line.line_id].sent]
    by_transaction = sorted(sent, key=lambda line: receipt[line.line_id].transaction_id)
    return [
        Message(name, _text(head, name, [_item(line.ocs_sku, receipt[line.line_id]) for line in part]))
        for name, part in groupby(by_transaction, lambda line: receipt[line.line_id].transaction_id)
    ]


def _name(root: str, number: int) -> str:
    return f"asn-{root}" if number == 1 else f"asn-{root}/{number}"


def _order(line: NoticeLine) -> tuple[str, ...]:
    return (line.container_id, line.ocs_sku, line.batch_lot, str(line.line_id))


def _packed(lines: Sequence[NoticeLine]) -> list[list[NoticeLine]]:
    """Pack lines, whole containers where they fit, into as few parts as their order allows."""
    parts: list[list[NoticeLine]] = []
    taken = 0
    for _, container in groupby(lines, lambda line: line.container_id):
        for piece in _pieces(list(container)):
            size = _bytes(piece)
            if parts and _fits(len(parts[-1]) + len(piece), taken + size):
                parts[-1] += piece
                taken += size
            else:
                parts.append(piece)
                taken = size
    return parts


def _pieces(lines: list[NoticeLine]) -> list[list[NoticeLine]]:
    """Give a container as one piece, or as several where it alone is too large."""
    if len(lines) <= 1 or _fits(len(lines), _bytes(lines)):
        return [lines]
    half = len(lines) // 2
    return [*_pieces(lines[:half]), *_pieces(lines[half:])]


def _fits(lines: int, size: int) -> bool:
    return lines <= MOST_ITEMS and size <= LARGEST_MESSAGE - HEAD_BYTES


def _bytes(lines: Iterable[NoticeLine]) -> int:
    return sum(_most_bytes(line) for line in lines)


def _most_bytes(line: NoticeLine) -> int:
    most = Decimal(MOST_EACHES)
    largest = ReceiptLine(line.line_id, "", GTIN_LENGTH * "0", most + FOUR_PLACES, most, most, sent=True)
    return len(json.dumps(_item(line.ocs_sku, largest))) + 2


def _item(ocs_sku: str, line: ReceiptLine) -> dict[str, Any]:
    item: dict[str, Any] = {"ocs_sku": ocs_sku, "line_id": str(line.line_id), "quantity": int(line.received)}
    if line.upc:
        item["upc"] = line.upc
    if line.unit_cost is not None:
        item["unit_cost"] = f"{line.unit_cost:f}"
    return item


def _text(head: Head, transaction_id: str, items: list[dict[str, Any]]) -> str:
    transaction: dict[str, Any] = {
        "tenant_id": head.store.crol,
        "store_id": head.store.crsa,
        "transaction_type": TransactionType.PURCHASE.value,
        "transaction_id": transaction_id,
        "occurred_at": head.store.local(head.occurred_at).isoformat(timespec="microseconds"),
    }
    if head.process_on is not None:
        transaction["process_on"] = head.process_on.isoformat()
    return json.dumps(transaction | {"items": items})
