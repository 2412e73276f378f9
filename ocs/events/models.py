"""A POS transaction as it comes in, on the queue or by HTTP, and what can be wrong with it, field by field.

Its JSON Schema is docs/pos-transaction.schema.json.
"""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ocs.bad_input import BadInput, FieldFault, explain, quoted
from ocs.tenants.models import TRANSFERS, TransactionType

LARGEST_QUANTITY = 1_000_000
MOST_ITEMS = 1000


def _whole(quantity: Decimal) -> Decimal:
    if quantity != quantity.to_integral_value():
        raise ValueError("a whole number of eaches (a case of 12 counts 12)")
    return quantity


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text without the NUL character")
    return text


Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_no_nul)]
Quantity = Annotated[Decimal, Field(ge=-LARGEST_QUANTITY, le=LARGEST_QUANTITY), AfterValidator(_whole)]
Money = Annotated[Decimal, Field(ge=0, le=1_000_000, decimal_places=4)]


class _Received(BaseModel):
    # An unknown field is refused, not passed over: a misspelt unit_cost would be reported as no cost at all.
    model_config = ConfigDict(extra="forbid", frozen=True)


class Item(_Received):
    """One line of a transaction: one item, its quantity in eaches, its money in Canadian dollars."""

    ocs_sku: Word | None = Field(None, description="The OCS SKU, to the letter: 101955_3.5g___")
    sku: Word | None = Field(None, description="The POS's own SKU, where no OCS SKU is given; needs a mapping")
    upc: Word | None = Field(None, description="The barcode as text, with its leading zeros")
    line_id: UUID | None = Field(
        None, description="Identifies the line for ever; made from store, transaction and line"
    )
    quantity: Quantity = Field(
        description="Whole eaches, above 0; an adjustment's sign is its direction; 0 voids a line"
    )
    unit_price: Money | None = Field(None, description="What one each was really sold for")
    unit_cost: Money | None = Field(None, description="What one each cost; the moving average where it is not given")


class Transaction(_Received):
    """One POS transaction: what happened in a store at one time, for one reason, with its lines."""

    tenant_id: Word = Field(description="The tenant's id or its CROL")
    store_id: Word = Field(description="The store's id or its CRSA")
    transaction_type: TransactionType
    transaction_id: Word = Field(description="The POS's own number of the transaction; the same number is the same one")
    occurred_at: AwareDatetime | None = Field(None, description="With its offset; when missing, when it was queued")
    process_on: date | None = Field(None, description="The true date of a receipt that was keyed late")
    counterparty_crsa: Annotated[str, StringConstraints(pattern=r"^CRSA\d{7}$")] | None = Field(
        None, description="The other store of a transfer"
    )
    reason: Annotated[str, StringConstraints(max_length=200), AfterValidator(_no_nul)] | None = Field(
        None, description="Why; for adjustments one of the reasons that AGCO recognises"
    )
    items: Annotated[list[Item], Field(min_length=1, max_length=MOST_ITEMS)]


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
