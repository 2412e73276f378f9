"""Puts what stores hold straight into the app's tables by COPY, as uploads and events would have left them.

Through the app's own doors it would take longer than all that is measured. What is not read by the making and sending
of positions (the event lines themselves, the messages) is left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg

from bench.scene.stock import ONE_DAY, Stock, item

Row = Sequence[object]
TOUCHED: LiteralString = (
    "inventory_levels, inventory_openings, inventory_changes, inventory_states, delivery_streams, nights, outbox, "
    "snapshots, stores"
)


@dataclass(frozen=True)
class Shelf:
    """A store as the app knows it, and its stock."""

    store_id: UUID
    tenant_id: UUID
    connection_id: UUID
    crsa: str
    last_day: date
    """The business date whose position is to be made; that of the day before was made."""
    stock: Stock

    @property
    def earlier(self) -> list[datetime]:
        """The midnights as of which positions were made before, oldest first; none of the opening's own."""
        days = (self.stock.midnight - self.stock.opened_at).days
        return [self.stock.opened_at + number * ONE_DAY for number in range(1, days)]


def stock_up(database_url: str, shelves: Sequence[Shelf]) -> None:
    """Write what these stores hold and how it came to that; their positions are made up to the day before."""
    with psycopg.connect(database_url) as connection:
        _copy(connection, "inventory_states (store_id, tenant_id, opened_at)", map(_state, shelves))
        _copy(
            connection,
            "inventory_openings (store_id, ocs_sku, upc, as_of, tenant_id, quantity, value)",
            (row for shelf in shelves for row in _openings(shelf)),
        )
        _copy(
            connection,
            "inventory_changes (store_id, effective_at, sequence, undoes, tenant_id, ocs_sku, upc, quantity, value)",
            (row for shelf in shelves for row in _changes(shelf)),
        )
        _copy(
            connection,
            "inventory_levels (store_id, ocs_sku, upc, tenant_id, quantity, value, opened_at)",
            (row for shelf in shelves for row in _levels(shelf)),
        )
        _copy(
            connection,
            "delivery_streams (store_id, kind, tenant_id, connection_id, last_sequence)",
            (row for shelf in shelves for row in _streams(shelf)),
        )
        _copy(connection, "nights (store_id, tenant_id, made_through)", map(_night, shelves))


def remember(database_url: str, shelves: Sequence[Shelf]) -> None:
    """Write what was sent of these stores before: each line's place in the outbox, each earlier day's snapshot."""
    with psycopg.connect(database_url) as connection:
        _copy(
            connection,
            "outbox (store_id, kind, sequence, tenant_id, item_id, state, received_at, settled_at)",
            (row for shelf in shelves for row in _sent(shelf)),
        )
        _copy(
            connection,
            "snapshots (store_id, tenant_id, business_date, revision, as_of, reason, made_by, sequence, ocs_skus, "
            "upcs, quantities, amounts)",
            (row for shelf in shelves for row in _snapshots(shelf)),
        )


def settle_down(database_url: str) -> None:
    """Clean up and gather statistics, as the autovacuum would within a minute or two."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("vacuum (analyze) " + TOUCHED)


def _copy(connection: psycopg.Connection, into: LiteralString, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy("copy " + into + " from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _state(shelf: Shelf) -> Row:
    return shelf.store_id, shelf.tenant_id, shelf.stock.opened_at


def _night(shelf: Shelf) -> Row:
    return shelf.store_id, shelf.tenant_id, shelf.last_day - ONE_DAY


def _streams(shelf: Shelf) -> Iterator[Row]:
    for kind, last in (("events", len(shelf.stock.moves)), ("positions", len(shelf.earlier))):
        yield shelf.store_id, kind, shelf.tenant_id, shelf.connection_id, last


def _openings(shelf: Shelf) -> Iterator[Row]:
    for number, quantity in enumerate(shelf.stock.opening):
        of = item(number)
        value = quantity * of.cost
        yield shelf.store_id, of.ocs_sku, of.upc, shelf.stock.opened_at, shelf.tenant_id, quantity, value


def _changes(shelf: Shelf) -> Iterator[Row]:
    for sequence, move in enumerate(shelf.stock.moves, start=1):
        of = item(move.item)
        what = of.ocs_sku, of.upc, move.quantity, move.quantity * of.cost
        yield shelf.store_id, move.at, sequence, False, shelf.tenant_id, *what


def _levels(shelf: Shelf) -> Iterator[Row]:
    for number, quantity in enumerate(shelf.stock.held()):
        of = item(number)
        value = quantity * of.cost
        yield shelf.store_id, of.ocs_sku, of.upc, shelf.tenant_id, quantity, value, shelf.stock.opened_at


def _sent(shelf: Shelf) -> Iterator[Row]:
    for sequence, move in enumerate(shelf.stock.moves, start=1):
        yield shelf.store_id, "events", sequence, shelf.tenant_id, uuid4(), "accepted", move.at, move.at
    for sequence, midnight in enumerate(shelf.earlier, start=1):
        yield shelf.store_id, "positions", sequence, shelf.tenant_id, uuid4(), "accepted", midnight, midnight


def _snapshots(shelf: Shelf) -> Iterator[Row]:
    for sequence, midnight in enumerate(shelf.earlier, start=1):
        held = shelf.stock.held(midnight)
        known = [item(number) for number in range(len(held))]
        lines = (
            [of.ocs_sku for of in known],
            [of.upc for of in known],
            [Decimal(quantity) for quantity in held],
            [quantity * of.cost for quantity, of in zip(held, known, strict=True)],
        )
        day = (midnight - ONE_DAY).date()
        yield shelf.store_id, shelf.tenant_id, day, 1, midnight, "night", "timer", sequence, *lines
