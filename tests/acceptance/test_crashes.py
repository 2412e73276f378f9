"""What a death at each step leaves behind, and that nothing is lost, doubled or out of order after it."""

import asyncio
import json
import uuid
from datetime import UTC, datetime

from devstack.stack import Host, Stack
from ocs.dead_letters.doors import Message
from ocs.events.ingest import ingest
from ocs.runtime import assemble
from ocs.settings import Settings
from tests.acceptance.conftest import HIDDEN, QUICK
from tests.acceptance.scene import Scene, eventually


def _held(scene: Scene) -> bool:
    return any(call["crsa"] == scene.first for call in scene.control.get("/in-flight").json())


def test_a_worker_killed_after_the_post_and_before_the_settle(scene: Scene, host: Host) -> None:
    """The regulator has the batch and we do not know it: another worker sends the same batch again."""
    hold = scene.fault("accept_then_hold", times=1)
    line_ids = scene.sell(lines=3)
    eventually(lambda: _held(scene), "the regulator has recorded the batch and not answered")
    host.kill()
    scene.control.delete(f"/faults/{hold}").raise_for_status()
    host.start()
    scene.arrives(line_ids)
    calls = scene.calls()
    assert [call["line_ids"] for call in calls] == [line_ids, line_ids], "the same members, in the same order"
    outcomes = scene.rows(
        "select outcome from delivery_attempts join stores using (store_id) where crsa = %s order by attempt_id",
        scene.first,
    )
    assert [row["outcome"] for row in outcomes] == ["sent", "accepted"], "the first attempt's end stays unknown"


def test_a_worker_killed_in_the_middle_of_a_burst(scene: Scene, host: Host) -> None:
    """Messages taken and not finished are given out again, those recorded and not deleted are no-ops."""
    scene.fault("latency", seconds=0.2)
    line_ids = scene.sell(count=60, lines=2)
    eventually(lambda: len(scene.outbox()) > 20, "a part of the burst is recorded")
    host.kill()
    host.start()
    scene.arrives(line_ids)
    assert len(scene.outbox()) == len(line_ids)


def test_a_lost_doorbell_is_found_by_the_sweeper(scene: Scene) -> None:
    """The worker died between the commit and the ring: the row is the work, the bell is only a bell."""
    sale = scene.sale(lines=2)

    async def record_without_a_ring() -> None:
        own = assemble(Settings())
        try:
            await own.pool.open()
            await ingest(own, Message(str(uuid.uuid4()), json.dumps(sale).encode(), datetime.now(UTC)))
        finally:
            await own.close()

    asyncio.run(record_without_a_ring())
    scene.arrives(item["line_id"] for item in sale["items"])


def test_two_workers_on_one_store_keep_its_order(scene: Scene, stack: Stack) -> None:
    other = stack.start_host(QUICK, "second-host", *HIDDEN)
    try:
        line_ids = scene.sell(count=80, lines=2)
        scene.arrives(line_ids)
    finally:
        other.stop()
    assert {line["times_received"] for line in scene.ledger().values()} == {1}


def test_a_restart_of_postgres_in_the_middle_of_traffic(scene: Scene, stack: Stack) -> None:
    before = scene.sell(count=30)
    stack.postgres.restart(kill=True)
    during = scene.sell(count=30)
    stack.postgres.restart()
    after = scene.sell(count=10)
    scene.arrives([*before, *during, *after])


def test_a_host_that_is_asked_to_stop_leaves_nothing_half_done(scene: Scene, host: Host) -> None:
    line_ids = scene.sell(count=40)
    assert host.stop() == 0
    host.start()
    scene.arrives(line_ids)
    assert {line["times_received"] for line in scene.ledger().values()} == {1}
