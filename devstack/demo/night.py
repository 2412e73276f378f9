"""The demo's night: the app's clock is moved past 01:00 of each store's zone, and each position is seen to arrive."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from devstack.demo.day import PRODUCTS
from devstack.demo.retailer import OPENING_QUANTITY, STORES, DemoStore

OFTEN = {"OCS_POSITIONS_SCHEDULE": "*/2 * * * * *"}
"""Looks for stores whose position is due every two seconds, not every five minutes: nobody wants to watch that long."""
DUE = time(1)
MARGIN = timedelta(seconds=30)
SIGNS = {"purchase": 1, "return": 1, "transfer_in": 1, "adjustment": 1}
"""What a transaction adds to a store's stock; all others take away."""
Stock = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Move:
    """A move of the clock: by how many seconds, and for which stores it is past 01:00 of tomorrow then."""

    seconds: float
    stores: tuple[DemoStore, ...]


def opening(store: DemoStore) -> dict[str, Any]:
    """Give what a store held when its own today began, as the upload of its inventory says it."""
    zone = ZoneInfo(store.time_zone)
    begins = datetime.combine(datetime.now(zone).date(), time(), zone)
    items = [
        {
            "ocs_sku": product.ocs_sku,
            "upc": product.upc,
            "quantity": OPENING_QUANTITY,
            "unit_cost": str(product.cost),
        }
        for product in PRODUCTS
    ]
    return {"as_of": begins.isoformat(), "items": items}


def moves(now: datetime) -> list[Move]:
    """Give the moves of the clock that bring 01:00 of tomorrow to one zone after the other."""
    due: dict[float, list[DemoStore]] = {}
    for store in STORES:
        due.setdefault((_tonight(store, now) + MARGIN - now).total_seconds(), []).append(store)
    return [Move(seconds, tuple(stores)) for seconds, stores in sorted(due.items())]


def business_date(store: DemoStore, now: datetime) -> date:
    """Give the date whose end the night's position is of."""
    return now.astimezone(ZoneInfo(store.time_zone)).date()


def stock_after(transactions: Iterable[Mapping[str, Any]]) -> Stock:
    """Reckon by CRSA and OCS SKU what each store must hold after a day, a transaction's newest word counting."""
    newest: dict[tuple[str, str], tuple[str, str, int]] = {}
    for said in transactions:
        for item in said["items"]:
            quantity = item["quantity"] * SIGNS.get(said["transaction_type"], -1)
            newest[said["store_id"], item["line_id"]] = (said["store_id"], item["ocs_sku"], quantity)
    stock = {store.crsa: {product.ocs_sku: OPENING_QUANTITY for product in PRODUCTS} for store in STORES}
    for crsa, ocs_sku, quantity in newest.values():
        stock[crsa][ocs_sku] += quantity
    return stock


def position_at(regulator_url: str, store: DemoStore, day: date) -> dict[str, int] | None:
    """Give what the regulator stand-in has as the store's position of a day, by OCS SKU; None while it has none."""
    shown = httpx.get(f"{regulator_url}/_control/positions/{store.crsa}").raise_for_status().json()
    for position in shown:
        if position["positionTimeStamp"].startswith(str(day)):
            return {line["ocsSku"]: int(Decimal(line["inventoryQuantityOnHand"])) for line in position["lines"]}
    return None


def findings(regulator_url: str) -> list[str]:
    """Have the regulator stand-in run its ten checks now; gives what it finds, in its own words."""
    at = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    httpx.post(f"{regulator_url}/_control/reconcile", json={"at": at}, timeout=60).raise_for_status()
    found = httpx.get(f"{regulator_url}/_control/findings").raise_for_status().json()
    return [f"{one['crsa']}: {one['message']}" for one in found if one["resolved_at"] is None]


def _tonight(store: DemoStore, now: datetime) -> datetime:
    zone = ZoneInfo(store.time_zone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), DUE, zone)
