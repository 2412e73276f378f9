"""The item catalogue through the functions host: read to its end whatever fails, and what it means for lines."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from devstack.stack import Host
from tests.acceptance.scene import SKU, UPC, Scene, eventually

ITEMS = 450


@pytest.fixture
def api(scene: Scene) -> Iterator[httpx.Client]:
    """Give a super admin's client; the stand-in publishes its own samples again at the end."""
    headers = scene.headers()
    with httpx.Client(base_url=f"{scene.host.url}/api/ocs", headers=headers, timeout=30) as client:
        yield client
    scene.control.put("/pace", json={"factor": 0}).raise_for_status()


def sync(api: httpx.Client, number: int) -> dict[str, Any]:
    """Give one reading of the catalogue."""
    syncs = api.get("/catalogue/syncs", params={"environment": "uat"}).raise_for_status().json()["syncs"]
    found: dict[str, Any] = next(one for one in syncs if one["sync_id"] == number)
    return found


def ask(api: httpx.Client) -> int:
    """Have the catalogue read; gives the reading's number."""
    asked = api.post("/catalogue/sync", json={"environment": "uat"}).raise_for_status()
    assert asked.status_code == 202
    return int(asked.json()["sync_id"])


def test_a_page_that_fails_and_a_host_that_dies_half_way_leave_no_gap(
    scene: Scene, api: httpx.Client, host: Host
) -> None:
    scene.control.put("/catalogue/generated", json={"items": ITEMS}).raise_for_status()
    scene.control.put("/pace", json={"factor": 0.02}).raise_for_status()
    number = ask(api)
    eventually(lambda: sync(api, number)["next_page"] >= 3, "two pages are read")
    scene.fault("status", crsa=None, path="catalogue", status=500, times=1)
    eventually(lambda: sync(api, number)["failures"], "a page has failed")
    host.kill()
    host.start()
    with httpx.Client(base_url=f"{host.url}/api/ocs", headers=scene.headers()) as after:
        done = eventually(lambda: sync(after, number)["state"] != "running" and sync(after, number), "it ends", 150)
        assert isinstance(done, dict)
        assert (done["state"], done["items"]) == ("done", ITEMS)
        published = {item["SKU"] for item in scene.control.get("/catalogue").json()["itemList"]}
        there = scene.rows("select ocs_sku from catalogue_items where environment = 'uat' and gone_at is null")
        assert {row["ocs_sku"] for row in there} == published
        shown = after.get(f"/catalogue/items/{SKU}", params={"environment": "uat"}).raise_for_status().json()
        assert UPC in shown["barcodes"]


def test_a_line_is_warned_of_in_the_light_of_the_catalogue_and_goes_out_all_the_same(
    scene: Scene, api: httpx.Client
) -> None:
    number = ask(api)
    eventually(lambda: sync(api, number)["state"] == "done", "the catalogue is read")
    sale = scene.sale(lines=3)
    sale["items"][1]["ocs_sku"] = "999999_1g___"
    sale["items"][2]["upc"] = "10628582000521"
    scene.put(sale)
    scene.arrives(item["line_id"] for item in sale["items"])
    found = {str(row["line_id"]): set(row["warnings"]) for row in scene.rows(LINES, scene.first)}
    right, unknown, mismatch = (found[item["line_id"]] for item in sale["items"])
    assert (unknown - right, mismatch - right) == ({"sku_unknown"}, {"sku_barcode_mismatch"})


def test_a_mapping_that_comes_late_lets_the_lines_go_in_order(scene: Scene, api: httpx.Client) -> None:
    ours = [scene.sale() for _ in range(3)]
    for sale in ours:
        sale["items"] = [{"sku": "OUR-77", "line_id": sale["items"][0]["line_id"], "quantity": 1, "unit_price": "9"}]
        scene.put(sale)
    eventually(lambda: [row["state"] for row in scene.outbox()] == ["parked"] * 3, "the lines wait")
    unmapped = api.get(f"/tenants/{scene.crol}/mappings/unmapped").raise_for_status().json()
    assert "OUR-77" in str(unmapped)
    said = {"ocs_sku": SKU, "upc": UPC}
    api.put(f"/tenants/{scene.crol}/mappings/OUR-77", json=said).raise_for_status()
    scene.arrives(item["line_id"] for sale in ours for item in sale["items"])


LINES = "select line_id, warnings from event_lines join stores using (store_id) where crsa = %s order by sequence"
