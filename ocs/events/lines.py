"""Turns a checked transaction into the store's event lines: pure, no database, no clock.

A line's content is what the POS gave. What is derived from it (time, cost, value) is fixed when the content is first
seen, so that the same message again is the same line, whatever the average cost has become.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from ocs.events.models import Item, Transaction
from ocs.events.warn import NO_LIGHT, Light, Looked, line_warnings
from ocs.levels.change import Effect, Item as LevelItem, Level, item_of as level_item
from ocs.mapping.lookup import MappedSku
from ocs.tenants import models as tenants

TRUE_DAY = time(12)
"""A late receipt tells only its true day; noon lies on that day in every zone and never in a clock change."""


@dataclass(frozen=True)
class Revision:
    """What is on record of a line: its newest revision, when that was sent, and what it did to the level."""

    line_id: UUID
    sequence: int
    revision: int
    content_hash: bytes
    ocs_sku: str | None
    upc: str
    quantity: Decimal
    unit_cost: Decimal | None
    value: Decimal
    effective_at: datetime
    """When it really happened: from then on it counts in the level."""
    inserted_at: datetime
    contents: Sequence[bytes]
    """The fingerprints of all its revisions."""

    @property
    def effect(self) -> Effect | None:
        """What it does to its item's level; None while nobody knows which item that is."""
        if self.ocs_sku is None:
            return None
        change = Level(self.quantity, self.value)
        return Effect(level_item(self.ocs_sku, self.upc), self.effective_at, self.sequence, change)


@dataclass(frozen=True)
class Sent:
    """When a message was put on the queue, and whether that is only when a copy of it was.

    The host makes a copy of a message that it gives up, and the copy's time says nothing about what it says.
    """

    at: datetime
    is_copy: bool = False


@dataclass(frozen=True)
class Line(Revision):
    """A new revision of an event line; quantities in eaches with the ledger's sign, money in Canadian dollars."""

    pos_sku: str | None
    unit_price: Decimal | None
    counterparty_crsa: str
    reason: str
    occurred_at: datetime
    process_on: date | None
    ocs_type: str
    wire_sign: tenants.WireSign
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What the database knows of a transaction's lines and items, read under the store's lock."""

    revisions: Mapping[UUID, Revision]
    levels: Mapping[LevelItem, Level]
    skus: Mapping[str, MappedSku]
    light: Light = NO_LIGHT


@dataclass(frozen=True)
class Change:
    """What a transaction adds: lines that are new or corrected, their effects on levels, and lines that were known."""

    lines: tuple[Line, ...]
    effects: tuple[Effect, ...]
    unchanged: int
    voids_unknown: tuple[int, ...]
    """Numbers of items with quantity 0 that correct nothing."""
    undecided: tuple[int, ...]
    """Numbers of items of a copy that say something new about a known line: before or after it, nobody can tell."""

    @property
    def corrected(self) -> list[UUID]:
        """Give the ids of lines of which an earlier revision is on record."""
        return [line.line_id for line in self.lines if line.revision > 1]


def line_id(store_id: UUID, transaction_id: str, number: int, item: Item) -> UUID:
    """Give a line's id: the POS's own, or one made of store, transaction and line number (from 0)."""
    return item.line_id or uuid5(store_id, f"{transaction_id}:{number}")


def sales_transaction_id(store_id: UUID, transaction_id: str) -> UUID:
    """Give a transaction's UUID for the wire: its own number where that is one, else made from store and number."""
    try:
        return UUID(transaction_id)
    except ValueError:
        return uuid5(store_id, transaction_id)


def item_of(item: Item, skus: Mapping[str, MappedSku]) -> tuple[str | None, str]:
    """Give an item's OCS SKU and barcode: as given, else as its POS SKU is mapped; (None, …) while it is not."""
    if item.ocs_sku is not None:
        return item.ocs_sku, item.upc or ""
    mapped = skus.get(item.sku or "")
    return (None, item.upc or "") if mapped is None else (mapped.ocs_sku, item.upc or mapped.upc)


def effective_at(occurred_at: datetime, process_on: date | None, time_zone: str) -> datetime:
    """Give the instant from which a line counts: noon of its true day where that is told, else when it happened."""
    return occurred_at if process_on is None else datetime.combine(process_on, TRUE_DAY, ZoneInfo(time_zone))


def build(
    transaction: Transaction, store: tenants.Store, mapping: tenants.Mapping, sent: Sent, known: Known, first: int
) -> Change:
    """Work out what a transaction changes, given what is known; `first` is the number of its first new line.

    An older message that comes after a newer one changes nothing: a queue keeps no order, and a message whose worker
    died comes back ten minutes later.
    """
    lines: list[Line] = []
    effects: list[Effect] = []
    levels = dict(known.levels)
    unchanged = 0
    voids_unknown: list[int] = []
    undecided: list[int] = []
    for number, item in enumerate(transaction.items):
        identity = line_id(store.store_id, transaction.transaction_id, number, item)
        before = known.revisions.get(identity)
        content = content_hash(transaction, item)
        key = item_of(item, known.skus)
        if before is not None and _says_nothing_new(before, content, sent):
            unchanged += 1
            continue
        if before is not None and sent.is_copy:
            undecided.append(number)
            continue
        if before is None and item.quantity == 0:
            voids_unknown.append(number)
            continue
        level = levels.get(level_item(key[0] or "", key[1]), Level())
        place = _Place(store, identity, first + len(lines), content, key, before, level)
        line = _line(transaction, item, mapping, sent.at, place, known.light)
        lines.append(line)
        for effect in _effects(before, line):
            effects.append(effect)
            levels[effect.item] = levels.get(effect.item, Level()) + effect.change
    return Change(tuple(lines), tuple(effects), unchanged, tuple(voids_unknown), tuple(undecided))


def content_hash(transaction: Transaction, item: Item) -> bytes:
    """Give the fingerprint of what the POS said of a line, and of nothing that we derived."""
    said = transaction.model_dump(
        mode="json", include={"transaction_id", "transaction_type", "process_on", "counterparty_crsa", "reason"}
    )
    said["occurred_at"] = None if transaction.occurred_at is None else transaction.occurred_at.timestamp()
    said |= item.model_dump(mode="json", include={"ocs_sku", "sku", "upc"})
    for name in ("quantity", "unit_price", "unit_cost"):
        number: Decimal | None = getattr(item, name)
        said[name] = None if number is None else str(number.normalize())
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).digest()


@dataclass(frozen=True)
class _Place:
    """Where a line stands: its store, id, number and content, its item, the revision before it, the item's level."""

    store: tenants.Store
    line_id: UUID
    sequence: int
    content: bytes
    item: tuple[str | None, str]
    before: Revision | None
    level: Level


def _line(
    transaction: Transaction, item: Item, mapping: tenants.Mapping, received_at: datetime, place: _Place, light: Light
) -> Line:
    ocs_sku, upc = place.item
    quantity = item.quantity * mapping.direction if mapping.direction else item.quantity
    occurred_at = transaction.occurred_at or received_at
    looked = Looked(
        transaction_type=transaction.transaction_type,
        type_is_confirmed=mapping.confirmed,
        ocs_sku=ocs_sku,
        upc=upc,
        unit_cost=_unit_cost(item, place),
        unit_price=item.unit_price,
        counterparty_crsa=transaction.counterparty_crsa or "",
        reason=transaction.reason or mapping.reason,
        effective_at=effective_at(occurred_at, transaction.process_on, place.store.time_zone),
    )
    return Line(
        line_id=place.line_id,
        sequence=place.sequence,
        revision=1 if place.before is None else place.before.revision + 1,
        content_hash=place.content,
        ocs_sku=ocs_sku,
        upc=upc,
        quantity=quantity,
        unit_cost=looked.unit_cost,
        value=quantity * (looked.unit_cost or Decimal(0)),
        effective_at=looked.effective_at,
        inserted_at=received_at,
        contents=(*(place.before.contents if place.before else ()), place.content),
        pos_sku=item.sku,
        unit_price=item.unit_price,
        counterparty_crsa=looked.counterparty_crsa,
        reason=looked.reason,
        occurred_at=occurred_at,
        process_on=transaction.process_on,
        ocs_type=mapping.ocs_type,
        wire_sign=mapping.wire_sign,
        warnings=tuple(line_warnings(place.store, looked, light)),
    )


def _unit_cost(item: Item, place: _Place) -> Decimal | None:
    """Give the cost that was said; else that of the line being corrected; else the level's average."""
    if item.unit_cost is not None:
        return item.unit_cost
    before = place.before
    if before is not None and before.unit_cost is not None and (before.ocs_sku, before.upc) == place.item:
        return before.unit_cost
    return place.level.average_cost


def _says_nothing_new(before: Revision, content: bytes, sent: Sent) -> bool:
    """Tell a repeat, or an old word that comes late, from news."""
    if before.content_hash == content:
        return True
    return content in before.contents if sent.is_copy else sent.at < before.inserted_at


def _effects(before: Revision | None, line: Line) -> list[Effect]:
    """Give what a line does, and what takes back that which the revision before it did."""
    undone = None if before is None or before.effect is None else before.effect.undone()
    return [effect for effect in (undone, line.effect) if effect is not None]
