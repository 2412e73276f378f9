"""Reads a POS transaction from its text and names everything that is wrong with it, field by field."""

import base64
import binascii
from collections.abc import Iterator
from uuid import UUID

from pydantic import ValidationError

from ocs.bad_input import BadInput, FieldFault, bad_input, explain, quoted
from ocs.events.models import Transaction
from ocs.tenants.models import TRANSFERS, TransactionType


def decode(body: bytes) -> str:
    """Give a message's text: plain JSON, or JSON in base64, as POS systems differ in what they send.

    Raises BadInput for bytes that are neither. JSON begins with a character that base64 does not have, so the two
    cannot be taken for each other.
    """
    plain = body.strip().removeprefix(b"\xef\xbb\xbf").lstrip()
    if not plain.startswith((b"{", b"[")):
        try:
            decoded = base64.b64decode(b"".join(plain.split()), validate=True)
        except binascii.Error:
            decoded = b""
        if decoded.strip().removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
            plain = decoded.strip().removeprefix(b"\xef\xbb\xbf")
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        raise bad_input("the whole message", repr(body[:40]), "JSON in UTF-8, plain or in base64") from None


def read_transaction(text: str | bytes) -> Transaction:
    """Read one transaction; raises BadInput that names every wrong field of every line."""
    try:
        transaction = Transaction.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(explain(error)) from None
    faults = list(field_faults(transaction))
    if faults:
        raise BadInput(faults)
    return transaction


def field_faults(transaction: Transaction, at: str = "") -> Iterator[FieldFault]:
    """Name what is wrong between the fields of a transaction; `at` is put before each field's name."""
    yield from _counterparty_faults(transaction, at)
    if transaction.process_on and transaction.occurred_at and transaction.process_on > transaction.occurred_at.date():
        yield FieldFault(
            f"{at}process_on", quoted(str(transaction.process_on)), "the day it happened, not later than occurred_at"
        )
    seen: dict[UUID, int] = {}
    for number, item in enumerate(transaction.items):
        field = f"{at}items[{number}]"
        if item.ocs_sku is None and item.sku is None:
            yield FieldFault(f"{field}.ocs_sku", "nothing", "the OCS SKU, or the POS's own SKU in the field sku")
        if item.quantity < 0 and transaction.transaction_type is not TransactionType.ADJUSTMENT:
            expected = f"0 or more: the type {transaction.transaction_type} says the direction already"
            yield FieldFault(f"{field}.quantity", str(item.quantity), expected)
        if item.line_id is not None and seen.setdefault(item.line_id, number) != number:
            expected = f"an id of its own: items[{seen[item.line_id]}] has this one"
            yield FieldFault(f"{field}.line_id", quoted(str(item.line_id)), expected)


def _counterparty_faults(transaction: Transaction, at: str) -> Iterator[FieldFault]:
    field, found = f"{at}counterparty_crsa", transaction.counterparty_crsa
    if transaction.transaction_type in TRANSFERS and found is None:
        yield FieldFault(field, "nothing", "the CRSA of the other store: a transfer names it")
    if transaction.transaction_type not in TRANSFERS and found is not None:
        yield FieldFault(field, quoted(found), f"nothing: a {transaction.transaction_type} has no other store")
