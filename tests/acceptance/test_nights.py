"""Every night each store's position, through the functions host, whatever ticks, kills and clock changes come."""

from datetime import UTC, datetime, timedelta

import pytest

from devstack.stack import Host
from ocs.clock import utc_now
from tests.acceptance.night import after_one, midnight, night, on_hand, positions
from tests.acceptance.scene import SKU, UPC, Scene, eventually

ENDS = midnight(2026, 9, 15, 4)
"""The end of Monday the 14th of September 2026 in Toronto."""


def receipt(scene: Scene, quantity: int, at: datetime) -> dict[str, object]:
    """Give a receipt of the one item at an instant."""
    line = {"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_cost": "5"}
    return scene.sale(transaction_type="purchase", items=[line], occurred_at=at.isoformat())


def recorded(scene: Scene, lines: int) -> None:
    """Wait until so many lines are on record."""
    eventually(lambda: len(scene.outbox()) == lines, f"{lines} lines are on record")


def test_two_hosts_with_overlapping_ticks_make_one_position(scene: Scene) -> None:
    with night(scene, after_one(ENDS)) as first, night(scene, after_one(ENDS), name="twin"):
        first.upload(ENDS - timedelta(days=1))
        (position,) = first.arrive(1)
        first.ticks_pass()
    assert position["positionTimeStamp"] == "2026-09-14T23:59:59-04:00"
    assert [p["times_received"] for p in positions(scene, scene.first)] == [1]
    made = scene.rows("select 1 from snapshots join stores using (store_id) where crsa = %s", scene.first)
    assert len(made) == 1


def test_ticks_that_were_missed_for_three_nights_are_made_good(scene: Scene) -> None:
    with night(scene, after_one(ENDS)) as first:
        first.upload(ENDS - timedelta(days=1))
        first.arrive(1)
    scene.put(receipt(scene, 5, ENDS + timedelta(hours=30)))
    recorded(scene, 1)
    with night(scene, after_one(ENDS) + timedelta(days=3), name="later") as later:
        arrived = later.arrive(4)
    assert [(p["positionTimeStamp"][:10], on_hand(p)[SKU]) for p in arrived] == [
        ("2026-09-14", 10),
        ("2026-09-15", 10),
        ("2026-09-16", 15),
        ("2026-09-17", 15),
    ]


def test_a_host_killed_between_freezing_and_sending_sends_what_was_frozen(scene: Scene, host: Host) -> None:
    """Whichever of the two hosts has the position in hand: both are killed."""
    scene.fault("accept_then_hold", times=1, path="positions")
    with night(scene, after_one(ENDS)) as dying:
        dying.upload(ENDS - timedelta(days=1))
        eventually(lambda: scene.control.get("/in-flight").json(), "a position is on its way")
        scene.put(receipt(scene, 7, ENDS - timedelta(hours=5)))
        recorded(scene, 1)
        dying.host.kill()
        host.kill()
        scene.clear_faults()
        host.start()
        (position,) = dying.arrive(1)
    assert (on_hand(position), position["contents_seen"]) == ({SKU: 10}, 1), "the frozen one, not a newer one"
    assert position["times_received"] == 2, "the platform had it, and we did not know"


@pytest.mark.parametrize(("ends", "hours"), [(midnight(2026, 3, 9, 4), 23), (midnight(2025, 11, 3, 5), 25)])
def test_a_day_of_23_or_25_hours_is_whole(scene: Scene, ends: datetime, hours: int) -> None:
    begins = ends - timedelta(hours=hours)
    for moment in (begins, ends - timedelta(seconds=1), ends):
        scene.put(receipt(scene, 1, moment))
    recorded(scene, 3)
    with night(scene, after_one(ends)) as of_change:
        of_change.upload(begins)
        (position,) = of_change.arrive(1)
    assert on_hand(position) == {SKU: 12}
    assert datetime.fromisoformat(position["positionTimeStamp"]) == ends - timedelta(seconds=1)


def test_a_sale_keyed_after_midnight_for_yesterday_counts_yesterday(scene: Scene) -> None:
    """Before 01:00 it is in the night's position; later, the next night makes yesterday's anew."""
    scene.put(receipt(scene, 1, ENDS - timedelta(minutes=10)))
    recorded(scene, 1)
    with night(scene, after_one(ENDS)) as first:
        first.upload(ENDS - timedelta(days=1))
        (position,) = first.arrive(1)
        assert on_hand(position) == {SKU: 11}
    scene.put(receipt(scene, 2, ENDS - timedelta(minutes=5)))
    recorded(scene, 2)
    with night(scene, after_one(ENDS) + timedelta(days=1), name="later") as later:
        later.arrive(2)
        eventually(lambda: on_hand(positions(scene, scene.first)[0])[SKU] == 13, "yesterday's is corrected")
    assert on_hand(positions(scene, scene.first)[1]) == {SKU: 13}


def test_a_store_that_is_switched_off_and_on_misses_nothing(scene: Scene) -> None:
    with night(scene, after_one(ENDS)) as first:
        first.upload(ENDS - timedelta(days=1))
        first.arrive(1)
    scene.switch(scene.first, reporting=False)
    with night(scene, after_one(ENDS) + timedelta(days=2), name="off") as off:
        off.ticks_pass()
        assert len(positions(scene, scene.first)) == 1
    scene.switch(scene.first, reporting=True)
    with night(scene, after_one(ENDS) + timedelta(days=2), name="on") as on:
        assert len(on.arrive(3)) == 3


def test_the_first_position_goes_before_any_event(scene: Scene) -> None:
    scene.rows("update stores set anchored_at = null where crsa = %s returning 1", scene.first)
    line_ids = scene.sell(count=3)
    recorded(scene, 3)
    with night(scene, utc_now()) as now:
        now.ticks_pass()
        assert scene.ledger() == {}, "what the store holds is not known: its events wait"
        now.upload(datetime.now(UTC) - timedelta(days=2))
        (position,) = now.arrive(1)
        scene.arrives(line_ids)
    assert position["posted_at"] < min(line["posted_at"] for line in scene.ledger().values())


def test_a_refused_position_is_an_alert_and_is_tried_again(scene: Scene, host: Host) -> None:
    scene.rows("update stores set created_at = '2026-01-01' where crsa = %s returning 1", scene.first)
    fault = scene.fault("status", path="positions", status=400)
    query = "select message from alerts join stores using (store_id) where crsa = %s and closed_at is null"
    with night(scene, after_one(ENDS) + timedelta(hours=2)) as refused:
        refused.upload(ENDS - timedelta(days=1))
        eventually(lambda: [r for r in scene.rows(query, scene.first) if "was refused" in r["message"]], "an alert")
        scene.control.delete(f"/faults/{fault}").raise_for_status()
        asked = {"store_id": scene.first, "business_date": "2026-09-14"}
        assert refused.post("/api/ocs/position/submit", asked).status_code == 202
        refused.arrive(1)
        eventually(lambda: scene.rows(query, scene.first) == [], "the alert is closed")
    assert host.running


def test_a_backfill_sends_each_date_once(scene: Scene) -> None:
    with night(scene, after_one(ENDS)) as now:
        now.upload(ENDS - timedelta(days=20))
        now.arrive(1)
        asked = {"store_id": scene.first, "first_date": "2026-09-01", "last_date": "2026-09-13"}
        assert now.post("/api/ocs/position/backfill", asked).status_code == 202
        arrived = now.arrive(14)
    assert [p["positionTimeStamp"][:10] for p in arrived] == [f"2026-09-{day:02}" for day in range(1, 15)]
