"""A day of the demo's stores: receipts, sales, a return, a transfer, a destruction, a count and a correction."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from devstack.demo.retailer import CROL, STORES, DemoStore

SEED = 20_221


@dataclass(frozen=True)
class Product:
    """An item of the stand-in's catalogue with the demo's money, in Canadian dollars an each."""

    ocs_sku: str
    upc: str
    cost: Decimal
    price: Decimal


PRODUCTS = (
    Product("101955_3.5g___", "00708762000695", Decimal("26.95"), Decimal("49.95")),
    Product("102210_1x1g___", "00628582001019", Decimal("5.10"), Decimal("9.95")),
    Product("103007_1g___", "00628582001033", Decimal("17.40"), Decimal("34.95")),
    Product("104402_2x5g___", "00628582001057", Decimal("3.85"), Decimal("7.45")),
    Product("105063_355ml___", "00628582000524", Decimal("3.20"), Decimal("6.25")),
    Product("106377_30x10mg___", "00628582001088", Decimal("14.30"), Decimal("28.50")),
)
"""The documents' own sample item first (its cost and price are the documents' too)."""


@dataclass(frozen=True)
class Happening:
    """Something that happens at a store: in words for the reader, and as the POS puts it on the queue."""

    store: DemoStore
    words: str
    transaction: dict[str, Any]


def item(product: Product, quantity: int, *, price: bool = False, cost: bool = False) -> dict[str, Any]:
    """Give a line of a transaction with an id of its own; quantity in eaches."""
    line: dict[str, Any] = {
        "ocs_sku": product.ocs_sku,
        "upc": product.upc,
        "line_id": str(uuid.uuid4()),
        "quantity": quantity,
    }
    if price:
        line["unit_price"] = str(product.price)
    if cost:
        line["unit_cost"] = str(product.cost)
    return line


def transaction(store: DemoStore, kind: str, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Give a transaction as a POS would put it on the queue."""
    return {
        "tenant_id": CROL,
        "store_id": store.crsa,
        "transaction_type": kind,
        "transaction_id": str(uuid.uuid4()),
        "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "items": items,
        **more,
    }


def a_day(sales: int) -> Iterator[Happening]:
    """Give the day of all three stores in order, with so many sales among the rest; the same day every time."""
    draw = random.Random(SEED)  # noqa: S311 - the same demo every time
    for store in STORES:
        received = [item(product, 48, cost=True) for product in PRODUCTS]
        yield Happening(store, "a delivery from OCS is received", transaction(store, "purchase", received))
    special = iter(_specials())
    for number in range(sales):
        store = draw.choice(STORES)
        bought = draw.sample(PRODUCTS, k=draw.choice((1, 1, 2, 2, 3)))
        lines = [item(product, draw.choice((1, 1, 1, 2)), price=True) for product in bought]
        yield Happening(store, "a sale", transaction(store, "sale", lines))
        if number % max(sales // 7, 1) == 0:
            yield from next(special, [])
    for rest in special:
        yield from rest


def _specials() -> list[list[Happening]]:
    toronto, kenora, atikokan = STORES
    flower, roll, vape, chews, drink, _ = PRODUCTS
    sold_wrong = transaction(toronto, "sale", [item(flower, 2, price=True)])
    corrected = sold_wrong | {"items": [sold_wrong["items"][0] | {"quantity": 1}]}
    moved = [item(roll, 6)]
    arrived = [item(roll, 6, cost=True)]
    counted = transaction(
        kenora, "adjustment", [item(drink, -1)], reason="Physical Inventory Count (Operationally Initiated)"
    )
    return [
        [Happening(toronto, "a customer returns an item", transaction(toronto, "return", [item(vape, 1, price=True)]))],
        [Happening(toronto, "a sale of two, keyed wrong", sold_wrong)],
        [
            Happening(toronto, "six go to Kenora", _transfer(toronto, "transfer", moved, kenora)),
            Happening(kenora, "six come from Toronto", _transfer(kenora, "transfer_in", arrived, toronto)),
        ],
        [Happening(atikokan, "a damaged pack is destroyed", transaction(atikokan, "damage", [item(chews, 1)]))],
        [Happening(kenora, "a count finds one less", counted)],
        [Happening(toronto, "the wrong sale is corrected to one", corrected)],
    ]


def _transfer(store: DemoStore, kind: str, items: list[dict[str, Any]], other: DemoStore) -> dict[str, Any]:
    return transaction(store, kind, items, counterparty_crsa=other.crsa)
