"""A POS's counts on the queue: once, in the order in which they were sent, wrong ones buried with the reason."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import azure.functions as func
import psycopg
import pytest

from ocs.bad_input import BadInput
from ocs.db.pool import Connection
from ocs.dead_letters import doors, letters
from ocs.dead_letters.doors import AGAIN_LATER, Message
from ocs.openings import messages, triggers
from ocs.openings.messages import INVENTORIES
from ocs.runtime import Runtime
from tests.integration.platform import CROL, FIRST, SECOND
from tests.integration.pos import SKU, UPC, rows, sell

NOW = datetime.now(UTC).replace(microsecond=0)
AS_OF = NOW - timedelta(hours=2)


def message(quantity: int, number: str = "M1", sent: int = 0, **changes: Any) -> Message:
    """Give a count as the queue would, put there some seconds after the first."""
    items = [{"ocs_sku": SKU, "upc": UPC, "quantity": quantity, "unit_cost": "4.00"}]
    whole = {"tenant_id": CROL, "store_id": FIRST, "as_of": AS_OF.isoformat(), "items": items} | changes
    return Message(number, json.dumps(whole).encode(), NOW + timedelta(seconds=sent))


async def quantities(runtime: Runtime) -> list[int]:
    """Give the levels of all stores."""
    return [
        int(row["quantity"]) for row in await rows(runtime, "select quantity from inventory_levels order by ocs_sku")
    ]


async def buried(runtime: Runtime) -> list[dict[str, Any]]:
    """Give the dead letters."""
    return await rows(runtime, "select * from dead_letters order by buried_at")


async def test_a_message_twice_is_written_once(runtime: Runtime) -> None:
    await messages.take_message(runtime, message(10))
    before = await rows(runtime, "select * from inventory_levels")
    again = await messages.take_message(runtime, message(10))
    assert (again["written"], again["upload_id"]) == (False, 1)
    assert await rows(runtime, "select * from inventory_levels") == before
    assert len(await rows(runtime, "select * from inventory_uploads")) == 1


async def test_a_message_that_comes_again_after_its_correction_does_not_undo_it(runtime: Runtime) -> None:
    await messages.take_message(runtime, message(10, "M1"))
    await messages.take_message(runtime, message(12, "M2", sent=5))
    await messages.take_message(runtime, message(10, "M1"))
    assert await quantities(runtime) == [12]


async def test_a_message_that_comes_first_after_a_later_one_leaves_its_items(runtime: Runtime) -> None:
    """A queue keeps no order; items that only the earlier message names are written all the same."""
    other = {"ocs_sku": "X", "quantity": 3, "unit_cost": 1}
    await messages.take_message(runtime, message(12, "M2", sent=5))
    earlier = message(10, "M1")
    both = json.loads(earlier.body)
    both["items"].append(other)
    taken = await messages.take_message(runtime, replace(earlier, body=json.dumps(both).encode()))
    assert [line["ocs_sku"] for line in taken["overtaken"]] == [SKU]
    assert await quantities(runtime) == [12, 3]


async def test_parts_of_one_count_add_up(runtime: Runtime) -> None:
    for number in range(3):
        item = {"ocs_sku": f"X{number}", "quantity": number + 1, "unit_cost": 1}
        await messages.take_message(runtime, message(0, f"M{number}", items=[item]))
    assert await quantities(runtime) == [1, 2, 3]


async def test_a_message_again_does_not_count_what_came_later_as_none(runtime: Runtime) -> None:
    """A message with rest=zero that is delivered twice keeps its hands off what was counted after it."""
    whole = message(10, rest="zero")
    await messages.take_message(runtime, whole)
    await messages.take_message(
        runtime, message(0, "M2", sent=5, items=[{"ocs_sku": "X", "quantity": 4, "unit_cost": 1}])
    )
    await messages.take_message(runtime, whole)
    assert await quantities(runtime) == [10, 4]
    await messages.take_message(runtime, replace(whole, message_id="M0"))
    assert await quantities(runtime) == [10, 4]


async def test_a_message_is_on_record_once_whatever_turned_up_since(runtime: Runtime) -> None:
    """A receipt of the day before, keyed after the whole store was counted: its item was not there at the count."""
    whole = message(10, rest="zero")
    await messages.take_message(runtime, whole)
    received = [{"ocs_sku": "X", "quantity": 5, "unit_cost": 1}]
    day_before = (AS_OF - timedelta(days=1)).isoformat()
    await sell(runtime, "R1", transaction_type="purchase", occurred_at=day_before, items=received)
    assert not (await messages.take_message(runtime, whole))["written"]
    assert await quantities(runtime) == [10, 0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"store_id": "CRSA7777777"}, "store_id"),
        ({"tenant_id": "CROL7654321"}, "store_id"),
        ({"as_of": (NOW + timedelta(hours=1)).isoformat()}, "as_of"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"items": [{"ocs_sku": SKU, "quantity": -1, "unit_cost": 1}]}, "items[0].quantity"),
        ({"items": [{"ocs_sku": SKU, "quantity": 1}]}, "items[0].unit_cost"),
        ({"dry_run": True}, "dry_run"),
    ],
)
async def test_a_wrong_message_is_refused_whole_with_the_reason(
    runtime: Runtime, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadInput) as caught:
        await messages.take_message(runtime, message(10, **changes))
    assert [fault.field for fault in caught.value.faults] == [reason]
    assert await rows(runtime, "select * from inventory_uploads") == []
    assert await quantities(runtime) == []


@pytest.mark.usefixtures("staff")
async def test_the_queues_listener_takes_the_right_and_buries_the_wrong(runtime: Runtime) -> None:
    """Plain or in base64, by id or by CRSA; what is wrong is a dead letter at once, and not tried again."""
    right, wrong = message(10, store_id=SECOND), message(10, "M2", items=[{"quantity": 1}])
    run = SimpleNamespace(trace_context=None)  # the host's, without a trace
    await triggers.take_inventory(func.QueueMessage(id="M1", body=base64.b64encode(right.body)), run)
    await triggers.take_inventory(func.QueueMessage(id="M2", body=wrong.body), run)
    await triggers.take_inventory(func.QueueMessage(id="M3", body=b"\xff\xfe"), run)
    assert await quantities(runtime) == [10]
    found = [(letter["queue"], letter["message_id"], letter["cause"]) for letter in await buried(runtime)]
    assert found == [(INVENTORIES.queue, "M2", "message"), (INVENTORIES.queue, "M3", "message")]
    assert "items[0].ocs_sku" in (await buried(runtime))[0]["reason"]


@pytest.mark.usefixtures("staff")
async def test_what_the_host_gave_up_is_taken_by_itself(runtime: Runtime) -> None:
    await triggers.bury_inventory(func.QueueMessage(id="P1", body=message(10).body))
    assert [(letter["cause"], letter["state"]) for letter in await buried(runtime)] == [("ours", "open")]
    assert await doors.redrive_due(runtime, INVENTORIES) == 0, "its time has not come"
    async with runtime.pool.transaction() as connection:
        await connection.execute("update dead_letters set due_at = now()")
    assert await doors.redrive_due(runtime, INVENTORIES) == 1
    assert await quantities(runtime) == [10]
    assert [letter["state"] for letter in await buried(runtime)] == ["redriven"]


async def test_a_copy_never_replaces_another_count_without_a_person(runtime: Runtime) -> None:
    """When the host gives a message up, its copy does not say when the POS sent it."""
    await messages.take_message(runtime, message(12))
    await doors.bury_poison(runtime, INVENTORIES, message(10, "P1", sent=60))
    async with runtime.pool.transaction() as connection:
        await connection.execute("update dead_letters set due_at = now()")
    assert await doors.redrive_due(runtime, INVENTORIES) == 0
    assert await quantities(runtime) == [12]
    letter = (await buried(runtime))[0]
    assert (letter["cause"], "by hand" in letter["reason"]) == ("message", True)
    async with runtime.pool.transaction() as connection:
        found = await letters.find(connection, letter["letter_id"])
    assert found is not None
    assert await doors.redrive(runtime, INVENTORIES, found, by_hand=True)
    assert await quantities(runtime) == [10]


async def test_one_letter_that_fails_does_not_keep_the_others(runtime: Runtime) -> None:
    for number in ("P1", "P2"):
        await doors.bury_poison(runtime, INVENTORIES, message(10, number, store_id=FIRST if number == "P1" else SECOND))
    async with runtime.pool.transaction() as connection:
        await connection.execute("update dead_letters set due_at = now()")

    async def fail_once(own: Runtime, taken: Message) -> dict[str, Any]:
        if taken.message_id == "P1":
            raise RuntimeError("something of ours")
        return await messages.take_message(own, taken)

    assert await doors.redrive_due(runtime, replace(INVENTORIES, take=fail_once)) == 1
    assert [letter["state"] for letter in await buried(runtime)] == ["open", "redriven"]


async def test_poison_that_cannot_be_buried_is_put_back(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    put: list[tuple[str, str, int]] = []

    async def keep(queue: str, text: str, *, hidden_seconds: int = 0) -> str:
        put.append((queue, text, hidden_seconds))
        return "id"

    async def fail(_connection: Connection, _burial: letters.Burial) -> None:
        raise psycopg.OperationalError("the database is away")

    monkeypatch.setattr(runtime.queues, "put", keep)
    monkeypatch.setattr(letters, "bury", fail)
    poison = message(10)
    await doors.bury_poison(runtime, INVENTORIES, poison)
    assert put == [(INVENTORIES.poison, poison.body.decode(), AGAIN_LATER)]
