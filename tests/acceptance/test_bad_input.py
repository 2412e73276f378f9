"""Bad input gets a clear error, is kept whole, and is taken in once its cause is mended."""

import base64
import json
import subprocess
import sys
import uuid
from typing import Any

import pytest

from devstack.processes import REPO_ROOT, clean_environment
from tests.acceptance.scene import SKU, UPC, Scene, eventually


def _buried(scene: Scene, containing: str) -> dict[str, Any]:
    return eventually(lambda: scene.dead_letters(containing), f"a dead letter with {containing}")[0]


def _operator(scene: Scene, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ocs", *words]
    env = clean_environment() | scene.stack.app_env()
    return subprocess.run(command, cwd=REPO_ROOT, env=env, capture_output=True, text=True, check=False)  # noqa: S603


def test_a_message_that_is_not_json_is_a_dead_letter_at_once_and_whole(scene: Scene) -> None:
    body = f"this is not JSON {uuid.uuid4()} ÄÖÜ " + "x" * 2000
    scene.put(body)
    letter = _buried(scene, body[:60])
    assert letter["body"] == body
    assert (letter["cause"], letter["state"], letter["tries"], letter["due_at"]) == ("message", "open", 0, None)
    assert "JSON" in letter["reason"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"store_id": "CRSA9999999"}, "store_id"),
        ({"tenant_id": "CROL9999999"}, "store_id"),
        ({"transaction_type": "gift"}, "transaction_type"),
        ({"items": [{"ocs_sku": SKU, "quantity": 0}]}, "items[0].quantity"),
        ({"items": [{"ocs_sku": SKU, "quantity": 1.5}]}, "items[0].quantity"),
        ({"items": [{"quantity": 1}]}, "items[0].ocs_sku"),
        ({"occurred_at": "2099-01-01T00:00:00Z"}, "occurred_at"),
        ({"transaction_type": "transfer"}, "counterparty_crsa"),
        ({"unit_prise": 5}, "unit_prise"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_written(scene: Scene, changes: dict[str, Any], field: str) -> None:
    sale = scene.sale(**changes)
    scene.put(sale)
    letter = _buried(scene, sale["transaction_id"])
    assert letter["reason"].startswith(f"{field}: found ")
    assert json.loads(letter["body"]) == sale
    assert scene.outbox() == []


def test_a_store_of_another_tenant_is_unknown(scene: Scene) -> None:
    """A tenant's POS cannot write into another tenant's store, not even by the store's own id."""
    other = scene.rows(
        "select store_id::text from stores s join tenants t using (tenant_id) where crol <> %s", scene.crol
    )
    store_id = other[0]["store_id"] if other else str(uuid.uuid4())
    sale = scene.sale(store_id=store_id)
    scene.put(sale)
    assert "store_id" in _buried(scene, sale["transaction_id"])["reason"]


def test_an_unknown_pos_sku_parks_its_line_and_lets_the_others_through(scene: Scene) -> None:
    sale = scene.sale(lines=2)
    sale["items"][0] = {"sku": "OUR-77", "line_id": sale["items"][0]["line_id"], "quantity": 1}
    scene.put(sale)
    scene.arrives([sale["items"][1]["line_id"]])
    parked = [row for row in scene.outbox() if row["state"] == "parked"]
    assert len(parked) == 1
    assert "OUR-77" in parked[0]["parked_reason"]


def test_a_message_in_base64_is_read_like_a_plain_one(scene: Scene) -> None:
    sale = scene.sale()
    scene.put(base64.b64encode(json.dumps(sale).encode()).decode())
    scene.arrives([sale["items"][0]["line_id"]])


def test_a_message_of_64_kib_is_taken_in_whole(scene: Scene) -> None:
    items = [{"ocs_sku": SKU, "upc": UPC, "line_id": str(uuid.uuid4()), "quantity": 1} for _ in range(500)]
    sale = scene.sale(items=items)
    text = json.dumps(sale)
    text += " " * (64 * 1024 - len(text.encode()))
    scene.put(text)
    scene.arrives(str(item["line_id"]) for item in items)
    assert len(scene.outbox()) == 500


def test_a_dead_letter_is_taken_in_once_its_cause_is_mended(scene: Scene) -> None:
    sale = scene.sale(store_id=f"CRSA{5_000_000 + scene.number}")
    scene.put(sale)
    letter = _buried(scene, sale["transaction_id"])
    still = _operator(scene, "redrive-letter", str(letter["letter_id"]))
    assert still.returncode == 1
    assert "still wrong" in still.stderr
    scene.rows("update stores set crsa = %s where crsa = %s returning crsa", sale["store_id"], scene.second)
    scene.tell_store(sale["store_id"], scene.hash_keys[scene.second])
    mended = _operator(scene, "redrive-letter", str(letter["letter_id"]))
    assert mended.returncode == 0, mended.stderr
    scene.arrives([sale["items"][0]["line_id"]], sale["store_id"])
    assert scene.dead_letters(sale["transaction_id"])[0]["state"] == "redriven"


def test_what_the_host_gave_up_on_is_buried_and_driven_again_by_itself(scene: Scene) -> None:
    """The host moves a message to the poison queue after five failures of ours; nobody need act."""
    scene.put(scene.sale())  # makes sure that the queues are there
    sale = scene.sale()
    poison = scene.poison_queue()
    with poison:
        poison.send_message(json.dumps(sale), time_to_live=-1)
    letter = _buried(scene, sale["transaction_id"])
    assert letter["cause"] == "ours"
    assert letter["due_at"] is not None
    scene.rows("update dead_letters set due_at = now() where letter_id = %s returning 1 as done", letter["letter_id"])
    scene.arrives([sale["items"][0]["line_id"]])
    assert scene.dead_letters(sale["transaction_id"])[0]["state"] == "redriven"
