"""A finding: what a check says of a store's ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """The ten checks."""

    SKU_UNMATCHED = "SKU_UNMATCHED"
    UPC_UNMATCHED = "UPC_UNMATCHED"
    SKU_UPC_UNMATCHED = "SKU_UPC_UNMATCHED"
    NEGATIVE_INVENTORY = "NEGATIVE_INVENTORY"
    TRANSFER_UNBALANCED_SENDER = "TRANSFER_UNBALANCED_SENDER"
    TRANSFER_UNBALANCED_RECEIVER = "TRANSFER_UNBALANCED_RECEIVER"
    TRANSFER_TO_SELF = "TRANSFER_TO_SELF"
    TRANSFER_IN_OUTSIDE_CROL = "TRANSFER_IN_OUTSIDE_CROL"
    TRANSFER_OUT_OUTSIDE_CROL = "TRANSFER_OUT_OUTSIDE_CROL"
    POSITION_MISMATCH = "POSITION_MISMATCH"


Key = tuple[Code, str, str, str, str | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One wrong thing at one store; `date` is the day on which it starts, `line_ids` what there is to look at.

    `upc` is empty where the check looks at the SKU alone.
    """

    code: Code
    crsa: str
    sku: str
    upc: str
    date: date
    line_ids: Sequence[str]
    message: str
    counterparty: str | None = None

    @property
    def key(self) -> Key:
        """What makes it the same finding at the next run."""
        return self.code, self.crsa, self.sku, self.upc, self.counterparty

    def as_json(self) -> dict[str, Any]:
        """Give it as the control door shows it."""
        return {
            "code": self.code.value,
            "crsa": self.crsa,
            "sku": self.sku,
            "upc": self.upc,
            "date": self.date.isoformat(),
            "line_ids": list(self.line_ids),
            "message": self.message,
            "counterparty": self.counterparty,
        }
