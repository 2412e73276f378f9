"""A POS that posts over HTTP: checked at once, put on the same queue."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.acceptance.scene import Scene


@pytest.fixture
def api(scene: Scene) -> Iterator[httpx.Client]:
    """Give the client of a POS with its key."""
    headers = {"Ocs-Key": scene.pos_key}
    with httpx.Client(base_url=f"{scene.host.url}/api", headers=headers, timeout=30) as client:
        yield client


def test_a_posted_transaction_is_queued_and_arrives(scene: Scene, api: httpx.Client) -> None:
    sale = scene.sale(lines=2)
    reply = api.post("/ocs/transactions", json=sale)
    assert reply.status_code == 202
    assert [queued["transaction_id"] for queued in reply.json()["queued"]] == [sale["transaction_id"]]
    scene.arrives(item["line_id"] for item in sale["items"])


def test_an_array_is_taken_whole(scene: Scene, api: httpx.Client) -> None:
    sales = [scene.sale() for _ in range(40)]
    assert len(api.post("/ocs/transactions", json=sales).json()["queued"]) == 40
    scene.arrives(sale["items"][0]["line_id"] for sale in sales)


def test_each_wrong_field_of_each_line_is_named_and_nothing_is_queued(scene: Scene, api: httpx.Client) -> None:
    wrong = scene.sale(lines=2, transaction_type="gift")
    wrong["items"][1]["quantity"] = "many"
    reply = api.post("/ocs/transactions", json=[scene.sale(), wrong, scene.sale(store_id="CRSA9999999")])
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert {error["field"] for error in reply.json()["errors"]} == {
        "[1].transaction_type",
        "[1].items[1].quantity",
    }
    assert scene.outbox() == []


def test_an_unknown_store_is_named(scene: Scene, api: httpx.Client) -> None:
    reply = api.post("/ocs/transactions", json=scene.sale(store_id="CRSA9999999"))
    assert reply.status_code == 422
    assert [(error["field"], error["found"]) for error in reply.json()["errors"]] == [("store_id", '"CRSA9999999"')]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'"text"', b"NaN"])
def test_what_is_no_transaction_is_422(api: httpx.Client, body: bytes) -> None:
    reply = api.post("/ocs/transactions", content=body)
    assert reply.status_code == 422
    assert reply.json()["errors"]


def test_more_than_a_megabyte_is_refused(api: httpx.Client) -> None:
    assert api.post("/ocs/transactions", content=b" " * (1024 * 1024 + 1)).status_code == 413


def test_a_transaction_that_no_message_can_hold_is_refused(scene: Scene, api: httpx.Client) -> None:
    reply = api.post("/ocs/transactions", json=scene.sale(lines=900))
    assert reply.status_code == 422
    assert "split it" in json.dumps(reply.json())


def test_without_the_key_nothing_is_taken(scene: Scene) -> None:
    with httpx.Client(base_url=f"{scene.host.url}/api") as stranger:
        assert stranger.post("/ocs/transactions", json=scene.sale()).status_code == 401


@pytest.mark.parametrize(
    "path", ["ocs%2Ftransactions", "./ocs/transactions", "ocs//transactions", "%6fcs/transactions"]
)
def test_no_odd_spelling_of_the_path_gets_past_the_key(scene: Scene, path: str) -> None:
    with httpx.Client(base_url=f"{scene.host.url}/api") as stranger:
        reply = stranger.post(f"/{path}", json=scene.sale())
    assert reply.status_code in (401, 404)
    assert scene.outbox() == []


def test_an_unknown_path_is_a_problem_with_a_fix(scene: Scene) -> None:
    with httpx.Client(base_url=f"{scene.host.url}/api") as stranger:
        reply = stranger.get("/nowhere")
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert reply.json()["fix"]


def test_health_answers_without_a_key(scene: Scene) -> None:
    with httpx.Client(base_url=f"{scene.host.url}/api") as stranger:
        assert stranger.get("/health/live").json() == {"status": "ok"}
        ready = stranger.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json()["database"]["ok"] is True


def test_the_staffs_routes_take_a_token_whatever_the_path_looks_like(scene: Scene) -> None:
    described = httpx.get(f"{scene.host.url}/api/ocs/openapi.json", timeout=30).raise_for_status().json()
    assert "/api/ocs/stores/{store}/inventory" in described["paths"]
    for path in ("ocs/catalogue/syncs", f"ocs/stores/{scene.first}/inventory"):
        bare = httpx.get(f"{scene.host.url}/api/{path}", timeout=30)
        with_the_poss_key = httpx.get(f"{scene.host.url}/api/{path}", headers={"Ocs-Key": scene.pos_key}, timeout=30)
        hidden = httpx.get(f"{scene.host.url}/api/{path.replace('/', '%2F', 1)}", timeout=30)
        assert (bare.status_code, with_the_poss_key.status_code) == (401, 401), path
        assert hidden.status_code in (401, 404), path


def test_staff_with_a_token_get_in(scene: Scene) -> None:
    path = f"{scene.host.url}/api/ocs/stores/{scene.first}/inventory/uploads"
    assert httpx.get(path, headers=scene.headers("viewer"), timeout=30).status_code == 200
