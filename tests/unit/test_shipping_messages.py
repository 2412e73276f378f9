"""A receipt as POS transactions: taken by the same door as a POS, the same every time, and split where it is large."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings, strategies as st

from ocs.azure.queues import LARGEST_MESSAGE
from ocs.events.models import MOST_ITEMS, read_transaction
from ocs.regulator import wire
from ocs.shipping.models import ReceiptLine
from ocs.shipping.notice.lines import NoticeLine, read_notice
from ocs.shipping.receipt.message import Head, Message, messages, transaction_ids
from tests.unit.store import STORE

HEAD = Head(STORE, datetime(2026, 3, 9, 15, 30, tzinfo=UTC), None)
SHIPMENT = "S00000001"


def lines_of(*containers: int, sku: str = "101955_3.5g___", lot: str = "L{}") -> tuple[NoticeLine, ...]:
    """Give a shipment of containers with so many lines each."""
    told = [
        {"containerID": f"C{container}", "batchLot": lot.format(number), "caseGTIN": "10708762000692"}
        for container, lines in enumerate(containers)
        for number in range(lines)
    ]
    usual = {"shipmentID": SHIPMENT, "SKU": sku, "unitPrice": "26.95", "UOM": "EA", "shippedQuantity": 48}
    shape = wire.ShippingNoticeLine.model_validate
    return read_notice(STORE.store_id, [shape(usual | line) for line in told]).lines


def written(lines: tuple[NoticeLine, ...], head: Head = HEAD, **changes: Any) -> list[Message]:
    """Write the receipt of lines as shipped, with changes to each receipt line."""
    names = transaction_ids(STORE.store_id, SHIPMENT, lines, {})
    receipt = {line.line_id: replace(as_shipped(line, names[line.line_id]), **changes) for line in lines}
    return messages(head, lines, receipt)


def as_shipped(line: NoticeLine, name: str) -> ReceiptLine:
    """Give the receipt's line of a line that came as shipped."""
    return ReceiptLine(line.line_id, name, line.each_gtin, line.unit_cost, line.quantity, line.quantity, sent=True)


def test_a_receipt_is_one_purchase_as_a_pos_sends_it() -> None:
    [line] = lines_of(1)
    [message] = written((line,))
    assert json.loads(message.text) == {
        "tenant_id": "CROL1234567",
        "store_id": "CRSA1111111",
        "transaction_type": "purchase",
        "transaction_id": "asn-S00000001",
        "occurred_at": "2026-03-09T11:30:00.000000-04:00",
        "items": [
            {
                "ocs_sku": "101955_3.5g___",
                "line_id": str(line.line_id),
                "quantity": 48,
                "upc": "00708762000695",
                "unit_cost": "26.9500",
            }
        ],
    }
    assert read_transaction(message.text).transaction_id == message.transaction_id


def test_an_earlier_day_is_the_process_on_date() -> None:
    [message] = written(lines_of(1), Head(STORE, HEAD.occurred_at, date(2026, 3, 7)))
    assert read_transaction(message.text).process_on == date(2026, 3, 7)


def test_a_line_of_which_nothing_came_is_in_no_message() -> None:
    assert written(lines_of(2), sent=False, received=Decimal(0)) == []


def test_a_line_taken_back_is_a_void() -> None:
    [message] = written(lines_of(1), received=Decimal(0))
    assert [item.quantity for item in read_transaction(message.text).items] == [0]


def test_small_containers_share_a_transaction_and_are_not_torn() -> None:
    lines = lines_of(*[90] * 10)
    names = transaction_ids(STORE.store_id, SHIPMENT, lines, {})
    of_container: dict[str, set[str]] = {line.container_id: set() for line in lines}
    for line in lines:
        of_container[line.container_id].add(names[line.line_id])
    assert {len(names) for names in of_container.values()} == {1}
    assert 1 < len(set(names.values())) < len(of_container)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.integers(1, 1200), min_size=1, max_size=3),
    st.sampled_from(["101955_3.5g___", "é" * 100, '"\\' * 50]),
)
def test_no_message_is_larger_than_a_queue_or_a_pos_may_send(containers: list[int], sku: str) -> None:
    """Every line is in exactly one message, and each of them passes the door, whatever the shipment's size."""
    lines = lines_of(*containers, sku=sku)
    made = written(lines, received=Decimal(1_000_000), unit_cost=Decimal("999999.9999"))
    assert all(len(message.text.encode()) <= LARGEST_MESSAGE for message in made)
    transactions = [read_transaction(message.text) for message in made]
    assert all(len(transaction.items) <= MOST_ITEMS for transaction in transactions)
    seen = [item.line_id for transaction in transactions for item in transaction.items]
    assert sorted(seen, key=str) == sorted((line.line_id for line in lines), key=str)


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(6)))
def test_the_order_of_lines_changes_no_byte(order: list[int]) -> None:
    """A second run writes the same messages: putting them on the queue again is a repeat and nothing more."""
    lines = lines_of(3, 3)
    assert written(tuple(lines[place] for place in order)) == written(lines)


def test_a_line_that_came_later_moves_no_other_line() -> None:
    """Lines keep the transaction in which they were reported; new ones get one of their own."""
    before, after = lines_of(2), lines_of(3)
    known = transaction_ids(STORE.store_id, SHIPMENT, before, {})
    names = transaction_ids(STORE.store_id, SHIPMENT, after, known)
    assert {line_id: names[line_id] for line_id in known} == known
    assert len(set(names.values())) == 2


def test_a_long_shipment_number_still_makes_a_transaction() -> None:
    long = "S" * 100
    names = set(transaction_ids(STORE.store_id, long, lines_of(1), {}).values())
    others = set(transaction_ids(STORE.store_id, long + "x", lines_of(1), {}).values())
    assert all(len(name) <= 100 for name in names | others)
    assert names.isdisjoint(others)
