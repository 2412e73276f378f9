"""Bad input names the field, what was found and what was expected."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from ocs.bad_input import BadInput
from ocs.events.models import read_transaction
from ocs.message_text import decode


def sale(**changes: Any) -> dict[str, Any]:
    """Give a right sale, with changes."""
    right: dict[str, Any] = {
        "tenant_id": "CROL1234567",
        "store_id": "CRSA1111111",
        "transaction_type": "sale",
        "transaction_id": "T-1",
        "occurred_at": "2026-11-20T10:00:00-05:00",
        "items": [{"ocs_sku": "101955_3.5g___", "upc": "00708762000695", "quantity": "1", "unit_price": 49.95}],
    }
    return right | changes


def item(**changes: Any) -> dict[str, Any]:
    """Give a right item, with changes; None takes a field away."""
    changed = {**sale()["items"][0], **changes}
    return {name: value for name, value in changed.items() if value is not None}


def faults_of(message: object) -> dict[str, tuple[str, str]]:
    """Give the faults of a message by field: what was found and what was expected."""
    text = message if isinstance(message, str) else json.dumps(message)
    with pytest.raises(BadInput) as caught:
        read_transaction(text)
    return {fault.field: (fault.found, fault.expected) for fault in caught.value.faults}


def test_a_right_sale_is_read() -> None:
    assert read_transaction(json.dumps(sale())).items[0].quantity == 1


@pytest.mark.parametrize(
    ("changes", "field", "found"),
    [
        ({"transaction_type": "gift"}, "transaction_type", '"gift"'),
        ({"occurred_at": "2026-11-20T10:00:00"}, "occurred_at", '"2026-11-20T10:00:00"'),
        ({"occurred_at": "yesterday"}, "occurred_at", '"yesterday"'),
        ({"items": []}, "items", "[]"),
        ({"store_id": ""}, "store_id", '""'),
        ({"store_id": 7}, "store_id", "7"),
        ({"colour": "red"}, "colour", '"red"'),
        ({"counterparty_crsa": "CRSA2222222"}, "counterparty_crsa", '"CRSA2222222"'),
        ({"transaction_type": "transfer"}, "counterparty_crsa", "nothing"),
        ({"transaction_type": "transfer", "counterparty_crsa": "CRSA22"}, "counterparty_crsa", '"CRSA22"'),
        ({"process_on": "2026-11-25"}, "process_on", '"2026-11-25"'),
        ({"items": [item(quantity=1.5)]}, "items[0].quantity", "1.5"),
        ({"items": [item(quantity=-1)]}, "items[0].quantity", "-1"),
        ({"items": [item(quantity="many")]}, "items[0].quantity", '"many"'),
        ({"items": [item(quantity=True)]}, "items[0].quantity", "True"),
        ({"items": [item(quantity="NaN")]}, "items[0].quantity", '"NaN"'),
        ({"items": [item(quantity=None)]}, "items[0].quantity", "nothing"),
        ({"items": [item(upc=708762000695)]}, "items[0].upc", "708762000695"),
        ({"items": [item(), item(unit_price=-1)]}, "items[1].unit_price", "-1"),
        ({"items": [item(), item(), item(ocs_sku=None)]}, "items[2].ocs_sku", "nothing"),
        ({"items": [item(line_id="7")]}, "items[0].line_id", '"7"'),
        ({"items": [item(unit_cost="1.00001")]}, "items[0].unit_cost", '"1.00001"'),
    ],
)
def test_each_wrong_field_is_named_with_what_was_found(changes: dict[str, Any], field: str, found: str) -> None:
    faults = faults_of(sale(**changes))
    assert faults.keys() == {field}
    assert faults[field][0] == found
    assert faults[field][1]


def test_a_time_without_offset_is_explained_in_a_senders_words() -> None:
    faults = faults_of(sale(occurred_at="2026-11-20T10:00:00"))
    assert faults["occurred_at"][1] == "a time with its offset, such as 2026-11-20T10:00:00-05:00"
    assert faults_of(sale(items=[]))["items"][1] == "at least 1 item"


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = sale(transaction_type="gift", items=[item(quantity="x"), item(unit_price="y")])
    assert faults_of(wrong).keys() == {"transaction_type", "items[0].quantity", "items[1].unit_price"}


def test_a_line_id_given_twice_names_both_lines() -> None:
    twice = "7b0c6a52-5f0e-4f6c-9c0e-3a9b52f4a111"
    faults = faults_of(sale(items=[item(line_id=twice), item(line_id=twice)]))
    assert "items[0]" in faults["items[1].line_id"][1]


@pytest.mark.parametrize("text", ["", "not json", "[1]", "{", '"text"', "null"])
def test_what_is_no_transaction_is_refused(text: str) -> None:
    assert faults_of(text)


def test_an_adjustment_may_go_down() -> None:
    down = sale(transaction_type="adjustment", items=[item(quantity=-4)])
    assert read_transaction(json.dumps(down)).items[0].quantity == -4


@pytest.mark.parametrize("wrap", [bytes, base64.b64encode, base64.encodebytes])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_plain_and_base64_are_both_read(wrap: Callable[[bytes], bytes], mark: bytes) -> None:
    body = wrap(mark + json.dumps(sale(), indent=1).encode())
    assert json.loads(decode(body)) == sale()


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadInput, match="JSON in UTF-8"):
        decode(b"\xff\xfe\x00{")
