"""A night for acceptance tests: a functions host whose clock is set, what stores hold, positions that arrive."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from devstack.stack import Host
from tests.acceptance.conftest import QUICK
from tests.acceptance.scene import SKU, UPC, Scene, eventually

EACH_SECOND = {"OCS_POSITIONS_SCHEDULE": "* * * * * *"}


@dataclass
class Night:
    """A host of its own at an instant that a test chose, ticking each second."""

    scene: Scene
    host: Host

    def upload(self, as_of: datetime, quantity: int = 10, crsa: str = "") -> httpx.Response:
        """Say what a store held at an instant: so many of the one item, at 5 dollars each."""
        items = [{"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_cost": "5"}]
        body = {"as_of": as_of.isoformat(), "items": items}
        return self.put(f"/api/ocs/stores/{crsa or self.scene.first}/inventory", body)

    def put(self, path: str, body: object) -> httpx.Response:
        """Call one of the staff's routes; fails unless it did what it was asked."""
        reply = httpx.put(self.host.url + path, json=body, headers=self.scene.headers(), timeout=30)
        assert reply.is_success, reply.text
        return reply

    def post(self, path: str, body: object) -> httpx.Response:
        """Call another one."""
        return httpx.post(self.host.url + path, json=body, headers=self.scene.headers(), timeout=30)

    def arrive(self, count: int, crsa: str = "") -> list[dict[str, Any]]:
        """Wait until the regulator has so many positions of a store and the app knows it; gives them, oldest first."""
        store = crsa or self.scene.first
        eventually(lambda: len(positions(self.scene, store)) >= count, f"the regulator has {count} positions")
        eventually(lambda: accepted(self.scene, store) >= count, f"{count} positions are settled")
        return positions(self.scene, store)

    def ticks_pass(self) -> None:
        """Wait until ticks have come that began after this call: they make the position of the second store."""
        self.upload(datetime(2020, 1, 1, tzinfo=UTC), 1, self.scene.second)
        self.arrive(1, self.scene.second)


@contextmanager
def night(scene: Scene, now: datetime, *, name: str = "night", schedule: str = "") -> Iterator[Night]:
    """Run a host beside the session's, its business clock at `now`; it is stopped at the end."""
    shift = (now - datetime.now(UTC)).total_seconds()
    settings = QUICK | EACH_SECOND | {"OCS_CLOCK_SHIFT_SECONDS": str(shift)}
    if schedule:
        settings["OCS_POSITIONS_SCHEDULE"] = schedule
    host = scene.stack.start_host(settings, f"{name}-{scene.number}")
    try:
        yield Night(scene, host)
    finally:
        host.stop()


def positions(scene: Scene, crsa: str) -> list[dict[str, Any]]:
    """Give a store's positions at the regulator in the order of their instants."""
    shown: list[dict[str, Any]] = scene.control.get(f"/positions/{crsa}").raise_for_status().json()
    return sorted(shown, key=lambda position: datetime.fromisoformat(position["positionTimeStamp"]))


def on_hand(position: dict[str, Any]) -> dict[str, int]:
    """Give a position's quantities by OCS SKU."""
    return {line["ocsSku"]: int(line["inventoryQuantityOnHand"]) for line in position["lines"]}


def accepted(scene: Scene, crsa: str) -> int:
    """Count a store's positions of which the app knows that they were accepted."""
    query = (
        "select count(distinct as_of) as number from reported_positions p join stores s using (store_id) "
        "where s.crsa = %s and p.state = 'accepted'"
    )
    return int(scene.rows(query, crsa)[0]["number"])


def midnight(year: int, month: int, day: int, utc_hour: int) -> datetime:
    """Give the UTC instant at which a day ends in the scene's zone."""
    return datetime(year, month, day, utc_hour, tzinfo=UTC)


def after_one(ends: datetime) -> datetime:
    """Give an instant at which the position of the day that ended then is due."""
    return ends + timedelta(hours=1, minutes=1)
