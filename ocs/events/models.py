"""A POS transaction as it comes in, on the queue or by HTTP; its JSON Schema is docs/pos-transaction.schema.json."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ocs.tenants.models import TransactionType

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
