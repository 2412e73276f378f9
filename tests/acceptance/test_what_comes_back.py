"""Shipping notices and reading back, through the functions host."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from devstack.stack import Host
from tests.acceptance.scene import SKU, Scene, eventually


@pytest.fixture
def api(scene: Scene) -> Iterator[httpx.Client]:
    """Give a super admin's client."""
    headers = scene.headers()
    with httpx.Client(base_url=f"{scene.host.url}/api/ocs", headers=headers, timeout=30) as client:
        yield client


def order(scene: Scene, *skus: str) -> str:
    """Have the store order two cases of each; gives the shipment's number."""
    lines = [{"SKU": sku, "cases": 2, "eachesPerCase": 12, "unitPrice": 5.5} for sku in skus]
    shipped = scene.control.post(f"/orders/{scene.first}", json={"lines": lines}).raise_for_status().json()
    return str(shipped["retailerASNList"][0]["shipmentID"])


def fetch(scene: Scene, api: httpx.Client, **window: str) -> dict[str, Any]:
    """Have the store's notices read, and wait until they are."""
    asked = api.post("/asn/fetch", json={"store_id": scene.first, **window}).raise_for_status().json()
    path = f"/asn/fetches/{asked['fetch_id']}"
    eventually(lambda: api.get(path).json()["state"] == "done", "the notices are read")
    done: dict[str, Any] = api.get(path).json()
    return done


def test_a_notice_that_is_fetched_twice_is_one_shipment_and_received_once(scene: Scene, api: httpx.Client) -> None:
    number = order(scene, SKU, "102014_28g___")
    fetch(scene, api)
    again = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    fetch(scene, api, **{"from": again, "to": datetime.now(UTC).isoformat()})
    listed = api.get(f"/stores/{scene.first}/shipments").raise_for_status().json()["shipments"]
    assert [(one["shipment_id"], one["state"]) for one in listed] == [(number, "expected")]
    body = {"store_id": scene.first}
    clicks = [api.post(f"/asn/{number}/receive", json=body).status_code for _ in range(3)]
    assert clicks == [202, 200, 200]
    eventually(lambda: len(scene.outbox()) == 2, "the receipt is recorded")
    scene.arrives(str(row["line_id"]) for row in scene.outbox())
    assert [row["quantity"] for row in scene.outbox()] == [24, 24]
    shown = api.get(f"/asn/{number}", params=body)
    eventually(lambda: api.get(f"/asn/{number}", params=body).json()["state"] == "reconciled", "it is reconciled")
    assert {line["ocs_sku"] for line in shown.json()["lines"]} == {SKU, "102014_28g___"}


def test_what_came_short_is_received_as_counted_and_kept_as_a_difference(scene: Scene, api: httpx.Client) -> None:
    number = order(scene, SKU)
    fetch(scene, api)
    body = {"store_id": scene.first}
    line = api.get(f"/asn/{number}", params=body).raise_for_status().json()["lines"][0]
    counted = body | {"lines": [{"line": line["line_id"], "received": 20}]}
    api.post(f"/asn/{number}/receive", json=counted).raise_for_status()
    eventually(lambda: [row["quantity"] for row in scene.outbox()] == [20], "twenty are recorded")
    errors = api.get("/asn/receiving-errors", params=body | {"open": "true"}).raise_for_status().json()
    (found,) = errors["receiving_errors"]
    assert (found["shipped"], found["received"], found["reason"]) == ("24", "20", "Receiving Error")


def test_a_host_killed_after_the_click_receives_once(scene: Scene, api: httpx.Client, host: Host) -> None:
    number = order(scene, SKU)
    fetch(scene, api)
    assert api.post(f"/asn/{number}/receive", json={"store_id": scene.first}).status_code == 202
    host.kill()
    host.start()
    eventually(lambda: len(scene.outbox()) == 1, "the receipt is recorded")
    scene.arrives(str(row["line_id"]) for row in scene.outbox())


def test_reading_back_finds_no_difference_and_settles_what_a_type_means(scene: Scene, api: httpx.Client) -> None:
    began = datetime.now(UTC) - timedelta(minutes=1)
    scene.arrives(scene.sell(count=3, lines=2))
    window = {"from": began.isoformat(), "to": datetime.now(UTC).isoformat()}
    asked = api.post(f"/stores/{scene.first}/read-back", json=window).raise_for_status().json()
    path = f"/read-backs/{asked['read_back_id']}"
    eventually(lambda: api.get(path).json()["state"] != "running", "it is read back")
    found = api.get(path).raise_for_status().json()
    assert (found["state"], found["differences"]) == ("done", [])
    assert [(one["transaction_type"], one["lines"]) for one in found["meanings"]] == [("sale", 6)]
