"""What the bench's stores do: sales alone, or a realistic mix. The same seed gives the same transactions."""

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bench.scene.retailer import CROL
from devstack.demo.day import PRODUCTS

SEED = 20_221
SHARES = {"sale": 80, "purchase": 5, "return": 6, "transfer": 3, "adjustment": 4, "damage": 2}
"""Per cent of the draws; each transfer adds the other store's transfer_in. Our reading of a store's day."""
MOST_SALE_LINES = 4
RECEIPT_LINES = len(PRODUCTS)
REASON = "Cycle Count"
"""An adjustment's reason that AGCO recognises (domain.md)."""


@dataclass(frozen=True)
class Transaction:
    """A message as the POS puts it on the queue, and the ids by which its lines are found again."""

    crsa: str
    kind: str
    body: str
    line_ids: tuple[str, ...]


class Till:
    """Draws transactions for some stores."""

    def __init__(self, crsas: Sequence[str], seed: int = SEED) -> None:
        """Seed the draw."""
        self._crsas = crsas
        self._draw = random.Random(seed)

    def sale(self) -> Transaction:
        """Give a sale of 1 to 4 lines in any of the stores."""
        return self._sale(self._draw.choice(self._crsas))

    def mix(self, count: int) -> Iterator[Transaction]:
        """Give so many transactions of the mix; the other half of the last transfer may be cut off."""
        given = 0
        while given < count:
            for transaction in self._next()[: count - given]:
                yield transaction
                given += 1

    def _next(self) -> list[Transaction]:
        kind = self._draw.choices(list(SHARES), weights=list(SHARES.values()))[0]
        crsa = self._draw.choice(self._crsas)
        match kind:
            case "sale":
                return [self._sale(crsa)]
            case "purchase":
                items = [self._item(n, self._draw.choice((12, 24, 48)), cost=True) for n in range(RECEIPT_LINES)]
                return [self._transaction(crsa, kind, items)]
            case "transfer" if len(self._crsas) > 1:
                return self._transfer(crsa)
            case "adjustment":
                return [self._transaction(crsa, kind, [self._item(self._any(), -1)], reason=REASON)]
            case "return":
                return [self._transaction(crsa, kind, [self._item(self._any(), 1, price=True)])]
            case _:
                return [self._transaction(crsa, "damage", [self._item(self._any(), 1)])]

    def _sale(self, crsa: str) -> Transaction:
        bought = self._draw.sample(range(len(PRODUCTS)), k=self._draw.randint(1, MOST_SALE_LINES))
        items = [self._item(number, self._draw.choice((1, 1, 1, 2)), price=True) for number in bought]
        return self._transaction(crsa, "sale", items)

    def _transfer(self, crsa: str) -> list[Transaction]:
        other = self._draw.choice([known for known in self._crsas if known != crsa])
        product = self._any()
        return [
            self._transaction(crsa, "transfer", [self._item(product, 6)], counterparty_crsa=other),
            self._transaction(other, "transfer_in", [self._item(product, 6, cost=True)], counterparty_crsa=crsa),
        ]

    def _any(self) -> int:
        return self._draw.randrange(len(PRODUCTS))

    def _item(self, product: int, quantity: int, *, price: bool = False, cost: bool = False) -> dict[str, Any]:
        sold = PRODUCTS[product]
        line: dict[str, Any] = {"ocs_sku": sold.ocs_sku, "upc": sold.upc, "line_id": self._id(), "quantity": quantity}
        if price:
            line["unit_price"] = str(sold.price)
        if cost:
            line["unit_cost"] = str(sold.cost)
        return line

    def _transaction(self, crsa: str, kind: str, items: list[dict[str, Any]], **more: str) -> Transaction:
        whole = {
            "tenant_id": CROL,
            "store_id": crsa,
            "transaction_type": kind,
            "transaction_id": self._id(),
            "occurred_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "items": items,
            **more,
        }
        return Transaction(crsa, kind, json.dumps(whole), tuple(item["line_id"] for item in items))

    def _id(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))
