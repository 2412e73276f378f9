"""How the checks read the ledger: each line as a movement of stock, each position as what was on hand."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from devstack.regulator.contract import shape
from devstack.regulator.ledger import StoreLedger
from devstack.regulator.wholesale.barcodes import comparable

DIRECTIONS = {
    "PURCHASE": -1,
    "RECEIVING": +1,
    "RETURN": +1,
    "TRANSFER_OUT": -1,
    "TRANSFER_IN": +1,
    "DESTRUCTION": -1,
    "LOSS": -1,
    "SUPPLIER_RETURN": -1,
}
"""What a quantity does to the stock, whatever its sign; an ADJUSTMENT is as signed."""
DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
NOON = time(12)

ItemKey = tuple[str, str]
"""A SKU and a barcode in its comparable form."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One line's change of stock in eaches, signed, at an aware instant."""

    line_id: str
    sku: str
    upc: str
    event_type: str
    instant: datetime
    quantity: Decimal
    counterparty: str

    @property
    def item(self) -> ItemKey:
        """The item that moved."""
        return self.sku, comparable(self.upc)

    @property
    def date(self) -> date:
        """The day in the offset that was sent."""
        return self.instant.date()


@dataclass(frozen=True, slots=True)
class Position:
    """What a store held of each item at an aware instant; `barcodes` are as they were sent."""

    instant: datetime
    on_hand: Mapping[ItemKey, Decimal]
    barcodes: Mapping[ItemKey, str]

    @property
    def date(self) -> date:
        """The day in the offset that was sent."""
        return self.instant.date()


def movements(store: StoreLedger) -> list[Movement]:
    """Give a store's movements in order of time; of one instant, what came in first."""
    read = [_movement(shape.as_sent(shape.EVENT, entry.content)) for entry in store.lines.values()]
    return sorted(read, key=lambda movement: (movement.instant, -movement.quantity))


def positions(store: StoreLedger) -> Iterator[Position]:
    """Give a store's positions in order of time, one after the other since they are large."""
    for _, entry in sorted(store.positions.items()):
        yield _position(entry.content)


def _movement(line: dict[str, str]) -> Movement:
    told = Decimal(line["inventoryQuantityChange"])
    direction = DIRECTIONS.get(line["inventoryEventType"])
    return Movement(
        line_id=line["posTransactionLineId"],
        sku=line["ocsSku"],
        upc=line["upcAndBarcode"],
        event_type=line["inventoryEventType"],
        instant=_effective(line),
        quantity=told if direction is None else direction * abs(told),
        counterparty=line["counterPartyCRSA"],
    )


def _effective(line: dict[str, str]) -> datetime:
    instant = datetime.fromisoformat(line["posTransactionTimeStamp"])
    if len(line) == len(shape.EVENT_FIELDS):
        return instant
    extra = (value for name, value in line.items() if name not in shape.EVENT_FIELDS)
    days = (day for day in map(_date, extra) if day is not None)
    return next((datetime.combine(day, NOON, instant.tzinfo) for day in days), instant)


def _date(value: str) -> date | None:
    found = DATED.match(value)
    try:
        return date.fromisoformat(found.group()) if found else None
    except ValueError:
        return None


def _position(content: str) -> Position:
    stamp, *contents = content.split(shape.BETWEEN_LINES)
    on_hand: dict[ItemKey, Decimal] = defaultdict(Decimal)
    barcodes: dict[ItemKey, str] = {}
    for line in (shape.as_sent(shape.POSITION, content) for content in contents):
        key = line["ocsSku"], comparable(line["upcAndBarcode"])
        on_hand[key] += Decimal(line["inventoryQuantityOnHand"])
        barcodes.setdefault(key, line["upcAndBarcode"])
    return Position(datetime.fromisoformat(stamp), dict(on_hand), barcodes)
