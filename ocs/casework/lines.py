"""Event lines as staff look for them: by store, time, SKU, transaction, line, status, reference id or type.

Each page costs a fixed number of queries, and each query walks an index that is in the page's order.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from ocs.catalogue.warnings import WARNINGS
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.tenants.models import TransactionType
from ocs.web.paging import Page, decode, page_of

SQL = load(__file__)
Status = Literal["pending", "frozen", "accepted", "parked", "superseded"]

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
BEHIND_ALL = (LATEST, UUID(int=2**128 - 1), 2**63 - 1)
"""Where the newest-first order begins."""


@dataclass(frozen=True)
class Wanted:
    """Which lines are looked for; the times are those of recording: from the first, and before the second."""

    recorded_from: datetime | None = None
    recorded_to: datetime | None = None
    sku: str | None = None
    """The OCS SKU or the POS's own."""
    transaction_id: str | None = None
    line_id: UUID | None = None
    status: Status | None = None
    reference_id: str | None = None
    type: TransactionType | None = None

    @property
    def narrows(self) -> bool:
        """Whether it is narrow enough to be looked for in many stores at once."""
        names_something = self.sku or self.transaction_id or self.line_id or self.reference_id
        return bool(names_something) or (self.recorded_from is not None and self.recorded_to is not None)


class Warned(BaseModel):
    """Something odd about a line: its code, and what that says."""

    code: str
    says: str


class LineRow(BaseModel):
    """A revision of a line; quantity in eaches with the ledger's sign, money in Canadian dollars, times in UTC."""

    store_id: UUID
    crsa: str
    line_id: UUID
    revision: int
    sequence: int
    transaction_id: str
    transaction_type: str
    ocs_type: str
    pos_sku: str | None
    ocs_sku: str | None
    upc: str
    quantity: Decimal
    value: Decimal
    unit_price: Decimal | None
    counterparty_crsa: str
    reason: str
    occurred_at: AwareDatetime
    recorded_at: AwareDatetime
    accepted_at: AwareDatetime | None
    status: Status
    reference_id: str | None
    warnings: list[Warned]
    parked_cause: str | None
    parked_reason: str | None


class LinesPage(BaseModel):
    """A page of lines, newest first."""

    items: list[LineRow]
    next: str | None


async def history(
    connection: Connection, store_ids: Sequence[UUID], wanted: Wanted, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """Give a page of stores' lines, newest first; the stores must be those that the caller may see.

    Raises BadInput for a cursor that no page gave.
    """
    after = decode(cursor, datetime, UUID, int) if cursor else BEHIND_ALL
    words = {
        "store_ids": list(store_ids),
        "recorded_from": wanted.recorded_from or EARLIEST,
        "recorded_to": wanted.recorded_to or LATEST,
        "sku": wanted.sku,
        "transaction_id": wanted.transaction_id,
        "line_id": wanted.line_id,
        "reference_id": wanted.reference_id,
        "status": wanted.status,
        "type": wanted.type and wanted.type.value,
        "after_at": after[0],
        "after_store": after[1],
        "after_sequence": after[2],
        "most": limit + 1,
    }
    keys = await (await connection.execute(SQL[_way(wanted)], words)).fetchall()
    return page_of(await shown(connection, keys), limit, "recorded_at", "store_id", "sequence")


def _way(wanted: Wanted) -> str:
    """Give the query whose index narrows most; the other filters are checked on what it finds."""
    ways = (
        (wanted.line_id is not None and wanted.reference_id is None, "keys_of_line"),
        (wanted.reference_id is not None, "keys_of_reference"),
        (wanted.transaction_id is not None, "keys_of_transaction"),
        (wanted.status in ("pending", "frozen", "parked"), "keys_unsettled"),
        (wanted.status == "superseded", "keys_superseded"),
        (wanted.sku is not None, "keys_by_sku"),
    )
    return next((way for holds, way in ways if holds), "keys_by_time")


async def shown(connection: Connection, keys: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give what is shown of lines, in the order of their keys (store id and sequence)."""
    words = {"store_ids": [key["store_id"] for key in keys], "sequences": [key["sequence"] for key in keys]}
    rows = await (await connection.execute(SQL["lines_shown"], words)).fetchall()
    return [row | {"warnings": warned(row["warnings"])} for row in rows]


def warned(codes: Sequence[str]) -> list[dict[str, str]]:
    """Give warnings with what they say."""
    return [{"code": code, "says": WARNINGS.get(code, code)} for code in codes]


async def stores_of(connection: Connection, tenant_ids: Collection[UUID] | None) -> list[UUID]:
    """Give the ids of the stores of some tenants; None: of all."""
    words = {"tenant_ids": None if tenant_ids is None else list(tenant_ids)}
    rows = await (await connection.execute(SQL["stores_in_view"], words)).fetchall()
    return [row["store_id"] for row in rows]
