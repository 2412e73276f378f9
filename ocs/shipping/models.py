"""A shipment's states, and what people say of it.

  (OCS gives the notice)
     │
  expected ── "receive": everything as shipped, or as counted ───────────────▶ received
     │                                                                            │  ▲
     └─── "received elsewhere": the POS made the receipt ──▶ received for good    │  │
                                                                                  │  │
             the platform has accepted every line of the receipt as it is now,    │  │  a correction, or the notice
             and no difference is open                                            ▼  │  says something else
                                                                              reconciled

A shipment that was received elsewhere stays `received`: nobody here knows which of the POS's lines are its receipt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ocs.shipping.notice.lines import LONGEST_ID, MOST_EACHES

RECEIVING_ERROR = "Receiving Error"
"""The reason of a difference where a person gives none: one that AGCO recognises (domain.md [B])."""
MOST_LINES = 10_000


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text without the NUL character")
    return text


Reference = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID), AfterValidator(_no_nul)]
"""A store's id or CRSA, or a shipment's number."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_no_nul)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    store_id: Reference = Field(description="The store's id or CRSA")


class FetchAsked(_Asked):
    """Of which window to read a store's shipping notices; without times the timer's own window."""

    from_: AwareDatetime | None = Field(None, alias="from")
    to: AwareDatetime | None = None


class Counted(BaseModel):
    """What came of one line, in eaches; without a reason a difference is a receiving error."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: UUID
    received: Annotated[int, Field(ge=0, le=MOST_EACHES)]
    reason: Words = RECEIVING_ERROR
    note: Words | None = None


class Receive(_Asked):
    """What came of a shipment; lines that are not named came as shipped, in a correction as received before."""

    received_on: date | None = Field(None, description="The true day, where it was not today")
    lines: Annotated[list[Counted], Field(min_length=1, max_length=MOST_LINES)] | None = None
    correct: bool = Field(default=False, description="Change what was received before")


class Elsewhere(_Asked):
    """That the store's POS has made the receipt itself."""


class Resolve(BaseModel):
    """How a difference was settled, in a person's words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    how: Words


@dataclass(frozen=True)
class ReceiptLine:
    """A line of a receipt: eaches shipped as the notice was then, eaches received, and the cost of one in CAD.

    `sent` is false for a line of which nothing came and nothing was ever reported.
    """

    line_id: UUID
    transaction_id: str
    upc: str
    unit_cost: Decimal | None
    shipped: Decimal
    received: Decimal
    sent: bool

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "ReceiptLine":
        """Build it from a row of `receipt_lines`."""
        return cls(**{name: row[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Receipt:
    """The newest receipt of a shipment: its number, and its true day where that was earlier than the click's."""

    number: int
    received_on: date | None
    occurred_at: datetime
    made_by: str
    made_at: datetime
    lines: Mapping[UUID, ReceiptLine]
