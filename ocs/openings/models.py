"""An upload of levels as it comes in: over HTTP as JSON, or as a POS's message on the queue `pos-inventories`.

A message is at most 64 KiB, which is some 500 items. A POS with more sends them in several messages with the same
`as_of` (`rest` is `keep` unless it says otherwise), or over HTTP.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from ocs.bad_input import FieldFault
from ocs.spreadsheet.table import MOST_ROWS, place

Rest = Literal["keep", "zero"]
"""What becomes of items that the store holds and an upload does not name: they stay, or were counted as none."""

EARLIEST = datetime(2018, 10, 17, tzinfo=UTC)
"""From that day on cannabis was sold lawfully (Cannabis Act, S.C. 2018, c. 16): an earlier count is a slip."""
LARGEST_QUANTITY = 1_000_000
LARGEST_UNIT_COST = 1_000_000
LARGEST_VALUE = 1_000_000_000


def _whole(quantity: Decimal) -> Decimal:
    if quantity != quantity.to_integral_value():
        raise ValueError("a whole number of eaches (a case of 12 counts 12)")
    return Decimal(int(quantity))  # of 0E+9 and 1E+2 too the plain number


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text without the NUL character")
    return text


Word = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(_no_nul)]


class _Received(BaseModel):
    # An unknown field is refused, not passed over: a misspelt unit_cost would be an item without a value.
    model_config = ConfigDict(extra="forbid", frozen=True)


class CountedItem(_Received):
    """One item that was counted: its quantity in eaches and what it cost in Canadian dollars, in one of two ways."""

    ocs_sku: Word | None = Field(None, description="The OCS SKU, to the letter: 101955_3.5g___")
    sku: Word | None = Field(None, description="The POS's own SKU, where no OCS SKU is given; needs a mapping")
    upc: Word | None = Field(None, description="The barcode as text, with its leading zeros")
    quantity: Annotated[Decimal, Field(ge=0, le=LARGEST_QUANTITY), AfterValidator(_whole)]
    unit_cost: Annotated[Decimal, Field(ge=0, le=LARGEST_UNIT_COST, decimal_places=4)] | None = Field(
        None, description="What one each cost"
    )
    value: Annotated[Decimal, Field(ge=0, le=LARGEST_VALUE, decimal_places=4)] | None = Field(
        None, description="What all of them cost together, in place of unit_cost"
    )


class OpeningBody(_Received):
    """An upload as JSON over HTTP; `as_of` and `rest` may stand in the address instead.

    The items are read one by one (CountedItem), so that the good ones can be taken without the others.
    """

    as_of: AwareDatetime | None = None
    rest: Rest | None = None
    items: Annotated[list[JsonValue], Field(max_length=MOST_ROWS)]


class OpeningMessage(_Received):
    """An upload as a POS sends it on the queue."""

    tenant_id: Word = Field(description="The tenant's id or its CROL")
    store_id: Word = Field(description="The store's id or its CRSA")
    as_of: AwareDatetime
    rest: Rest = "keep"
    items: Annotated[list[JsonValue], Field(max_length=MOST_ROWS)]


@dataclass(frozen=True)
class Place:
    """Where a line stands in what was given: its number in a CSV file, or its place in the JSON's items."""

    number: int
    in_file: bool

    def __str__(self) -> str:
        """Give the line's own name."""
        return f"line {self.number}" if self.in_file else f"items[{self.number}]"

    def field(self, name: str) -> str:
        """Give the name of a field of the line, as a fault names it."""
        return place(self.number, name) if self.in_file else f"{self}.{name}"


@dataclass(frozen=True)
class Counted:
    """One line as given, with nothing wrong in any of its fields; empty texts and None are what was left out."""

    place: Place
    ocs_sku: str
    sku: str
    upc: str
    quantity: Decimal
    unit_cost: Decimal | None
    value: Decimal | None


@dataclass(frozen=True)
class Given:
    """A whole upload as read: the good lines, what is wrong with the others, and how many lines there were."""

    as_of: datetime
    rest: Rest
    lines: list[Counted]
    faults: list[FieldFault]
    count: int
    content_type: str
    content: bytes
