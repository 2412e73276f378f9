"""How an event travels, by behaviour, when all goes well and when the regulator does not."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.acceptance.scene import SKU, UPC, Scene, eventually


def test_a_sale_on_the_queue_is_at_the_regulator(scene: Scene) -> None:
    """1 and 2: in through the queue, numbered, out through the doorbell."""
    scene.arrives(scene.sell(count=3, lines=2))


def test_a_burst_goes_out_in_few_batches_and_in_order(scene: Scene) -> None:
    """2: much traffic makes batches grow by themselves."""
    scene.fault("latency", seconds=0.5)
    line_ids = scene.sell(count=60, lines=2)
    scene.arrives(line_ids)
    assert len(scene.calls()) < len(line_ids) / 4


def test_the_same_message_twice_is_one_line(scene: Scene) -> None:
    """10: the same content again is a no-op."""
    sale = scene.sale(lines=2)
    for _ in range(3):
        scene.put(sale)
    scene.arrives(item["line_id"] for item in sale["items"])
    last = scene.sell()
    scene.arrives(last)
    assert len(scene.outbox()) == 3


def test_other_content_with_the_same_line_id_is_a_correction(scene: Scene) -> None:
    """10: a new revision goes out with the same line id and replaces the line."""
    sale = scene.sale()
    line_id = sale["items"][0]["line_id"]
    scene.put(sale)
    scene.arrives([line_id])
    scene.put(sale | {"items": [sale["items"][0] | {"quantity": 3}]})
    eventually(lambda: scene.ledger()[line_id]["content"]["inventoryQuantityChange"] == "3", "the correction arrived")
    scene.arrives([line_id])
    assert [row["revision"] for row in scene.outbox()] == [1, 2]


def test_a_reply_that_was_cut_off_is_harmless(scene: Scene) -> None:
    """4: the platform accepted and the connection was cut: the same batch is sent again."""
    scene.fault("accept_then_cut", times=1)
    line_ids = scene.sell(lines=3)
    scene.arrives(line_ids)
    assert {line["times_received"] for line in scene.ledger().values()} == {2}


@pytest.mark.parametrize("how", ["no_reference_id", "html", "empty"])
def test_a_200_that_proves_nothing_is_not_taken_for_an_acceptance(scene: Scene, how: str) -> None:
    """4: a regulator that lies: nothing was recorded, so the batch must come again."""
    scene.fault("lie", times=1, how=how, record=False)
    scene.arrives(scene.sell(lines=2))


def test_a_regulator_that_does_not_answer_is_asked_again(scene: Scene) -> None:
    """4: no reply within the timeout."""
    scene.fault("accept_then_hold", times=1, seconds=30)
    scene.arrives(scene.sell(lines=2))


def test_one_bad_line_of_fifty_is_parked_and_the_others_go_through(scene: Scene) -> None:
    """5: the refused batch is halved until the bad line is alone."""
    scene.fault("latency", seconds=1, times=1)
    first = scene.sell()
    sales = [scene.sale() for _ in range(50)]
    sales[17]["items"][0]["ocs_sku"] = "999999_bad___"
    scene.fault("reject_lines", ocs_skus=["999999_bad___"])
    for sale in sales:
        scene.put(sale)
    good = [sale["items"][0]["line_id"] for sale in sales if sale["items"][0]["ocs_sku"] == SKU]
    scene.arrives(first + good)
    parked = [row for row in scene.outbox() if row["state"] == "parked"]
    assert [row["ocs_sku"] for row in parked] == ["999999_bad___"]
    assert "999999_bad___" in parked[0]["parked_reason"], "the platform's own words"


def test_a_parked_line_is_mended_by_sending_it_right(scene: Scene) -> None:
    """5 and 10: the correction goes out and the parked line stays superseded."""
    scene.fault("reject_lines", ocs_skus=["999999_bad___"])
    sale = scene.sale()
    sale["items"][0]["ocs_sku"] = "999999_bad___"
    scene.put(sale)
    eventually(lambda: [row["state"] for row in scene.outbox()] == ["parked"], "the line is parked")
    scene.put(sale | {"items": [sale["items"][0] | {"ocs_sku": SKU}]})
    scene.arrives([sale["items"][0]["line_id"]])
    assert [row["state"] for row in scene.outbox()] == ["superseded", "accepted"]


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_429_is_waited_out_as_told_and_counts_for_nothing(scene: Scene, form: str) -> None:
    """6: Retry-After in both forms."""
    scene.fault("slow_down", times=1, seconds=3, form=form)
    line_ids = scene.sell(lines=2)
    scene.arrives(line_ids)
    waits = [row for row in _attempts(scene) if row["outcome"] == "slow_down"]
    accepted = [row for row in _attempts(scene) if row["outcome"] == "accepted"]
    assert [row["counted"] for row in waits] == [False]
    assert (accepted[0]["started_at"] - waits[0]["finished_at"]).total_seconds() >= 1.9, "a date has whole seconds only"


def test_a_revoked_token_is_renewed_at_once(scene: Scene) -> None:
    """6: nothing waits and nothing is counted."""
    scene.arrives(scene.sell())
    scene.control.post("/tokens/revoke").raise_for_status()
    scene.arrives(scene.sell())
    assert {row["outcome"] for row in _attempts(scene)} == {"accepted"}


def test_a_stale_hash_key_holds_its_store_until_the_vault_has_the_new_one(scene: Scene) -> None:
    """6: read anew by itself, and the other store goes on meanwhile."""
    scene.arrives(scene.sell())
    scene.tell_store(scene.first, "b" * 64)
    line_ids = scene.sell()
    eventually(lambda: _open_alerts(scene) == ["credentials_refused"], "staff are told")
    scene.arrives(scene.sell(store=scene.second), scene.second)
    asyncio.run(scene.store_secret(f"hash-{scene.first.lower()}", "b" * 64))
    scene.arrives(line_ids)
    assert _open_alerts(scene) == []
    assert not any(row["counted"] for row in _attempts(scene))


def test_a_rotated_client_secret_is_read_anew(scene: Scene) -> None:
    """6: the token endpoint refuses the old secret; the vault has the new one."""
    scene.arrives(scene.sell())
    asyncio.run(scene.store_secret(f"client-{scene.number}", "rotated"))
    scene.tell_client("rotated")
    scene.control.post("/tokens/revoke").raise_for_status()
    scene.arrives(scene.sell())


def test_a_faulty_regulator_is_tried_again_with_growing_waits(scene: Scene) -> None:
    """7: 500s are counted against the batch, and the batch is never dropped."""
    scene.fault("status", status=500, times=3)
    scene.arrives(scene.sell(lines=2))
    tries = [row for row in _attempts(scene) if row["outcome"] == "upstream"]
    assert [row["counted"] for row in tries] == [True, True, True]
    gaps = [(b["started_at"] - a["finished_at"]).total_seconds() for a, b in pairwise(tries)]
    assert gaps[0] >= 0.9
    assert gaps[1] >= 1.8


@pytest.mark.parametrize("how", ["503", "reset"])
def test_after_an_outage_everything_arrives_in_order(scene: Scene, how: str) -> None:
    """8: the breaker opens, its waits count for nothing, and recovery drains both stores in order."""
    scene.fault("outage", crsa=None, path=None, client_id=f"client-{scene.number}", how=how)
    first, second = scene.sell(count=10), scene.sell(count=10, store=scene.second)
    eventually(lambda: _pace(scene)["state"] == "open", "the breaker opened")
    more = scene.sell(count=5)
    eventually(lambda: any(not row["counted"] for row in _attempts(scene) if row["outcome"] == "upstream"), "a probe")
    scene.clear_faults()
    scene.arrives(first + more)
    scene.arrives(second, scene.second)
    counted = [row for row in _attempts(scene) if row["counted"]]
    assert len(counted) <= 5, "only what opened the breaker was counted"

    def closed() -> bool:
        scene.sell()  # each answered call lets more calls through
        return bool(_pace(scene)["state"] == "closed")

    eventually(closed, "the breaker closed again")


def test_a_transfer_names_its_other_store_on_both_sides(scene: Scene) -> None:
    for store, other, kind in ((scene.first, scene.second, "transfer"), (scene.second, scene.first, "transfer_in")):
        moved = scene.sale(store=store, transaction_type=kind, counterparty_crsa=other)
        scene.put(moved)
        scene.arrives([moved["items"][0]["line_id"]], store)
    assert [line["content"]["counterPartyCRSA"] for line in scene.ledger().values()] == [scene.second]
    types = [next(iter(scene.ledger(crsa).values()))["content"]["inventoryEventType"] for crsa in scene.stores]
    assert types == ["TRANSFER_OUT", "TRANSFER_IN"]


def test_a_missing_cost_is_the_stores_average(scene: Scene) -> None:
    item = {"ocs_sku": SKU, "upc": UPC, "quantity": 10, "unit_cost": "26.95"}
    scene.put(scene.sale(transaction_type="purchase", items=[item]))
    eventually(lambda: len(scene.ledger()) == 1, "the receipt arrived")
    line_ids = scene.sell()
    scene.arrives(line_ids)
    assert scene.ledger()[line_ids[0]]["content"]["inventoryValueChange"] == "26.95"


def _attempts(scene: Scene) -> list[dict[str, Any]]:
    return scene.rows(
        "select a.* from delivery_attempts a join tenants t using (tenant_id) where t.crol = %s order by attempt_id",
        scene.crol,
    )


def _open_alerts(scene: Scene) -> list[str]:
    found = scene.rows(
        "select cause from alerts join tenants using (tenant_id) where crol = %s and closed_at is null", scene.crol
    )
    return [str(row["cause"]) for row in found]


def _pace(scene: Scene) -> dict[str, Any]:
    query = "select p.* from connection_pace p join tenants t using (tenant_id) where t.crol = %s"
    return (scene.rows(query, scene.crol) or [{"state": "none"}])[0]
