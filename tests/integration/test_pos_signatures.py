"""Signed messages at both doors: what is taken in, what becomes a dead letter, and whom an alert tells."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ocs.dead_letters import doors
from ocs.dead_letters.doors import Door, Message
from ocs.dead_letters.letters import Letter
from ocs.errors import VaultUnavailable
from ocs.events.ingest import TRANSACTIONS
from ocs.openings.messages import INVENTORIES
from ocs.pos.key_text import new_key
from ocs.pos.signed_text import sign
from ocs.runtime import Runtime
from tests.integration.platform import CROL, FIRST, FakeQueues, FakeVault
from tests.integration.pos import SKU, UPC, rows, transaction
from tests.integration.pos_keys import KEYS, alerted, another_tenant, letters, make_key, put, require, signed

SALE = transaction("R-1")
ITEM = {"ocs_sku": SKU, "upc": UPC, "quantity": 24, "unit_cost": "5"}
COUNT = {
    "tenant_id": CROL,
    "store_id": FIRST,
    "as_of": "2026-01-05T00:00:00-05:00",
    "items": [ITEM],
}
DOORS = pytest.mark.parametrize(("door", "body"), [(TRANSACTIONS, SALE), (INVENTORIES, COUNT)], ids=["sale", "count"])
TAKEN = "select (select count(*) from event_lines) + (select count(*) from inventory_uploads) as taken"


async def taken(runtime: Runtime) -> int:
    """Give how many messages left something on record."""
    (row,) = await rows(runtime, TAKEN)
    return int(row["taken"])


async def refused(runtime: Runtime, door: Door, message: Message) -> str:
    """Have a message refused, and prove what that leaves: one letter of the tenant's, an alert; gives the reason."""
    before = len(await letters(runtime))
    await doors.receive(runtime, door, message)
    (letter,) = (await letters(runtime))[before:]
    assert (letter["cause"], letter["crol"], letter["queue"]) == ("message", CROL, door.queue)
    assert letter["reason"].startswith("the signature: found ")
    assert await alerted(runtime) == [CROL], "one alert, however many letters"
    assert await taken(runtime) == 0
    return str(letter["reason"])


@DOORS
async def test_unsigned_messages_are_taken_while_no_signature_is_required(
    runtime: Runtime, door: Door, body: dict[str, Any]
) -> None:
    await doors.receive(runtime, door, put(json.dumps(body)))
    assert (await taken(runtime), await letters(runtime)) == (1, [])


@DOORS
async def test_a_signed_message_is_taken_required_or_not(
    runtime: Runtime, staff: httpx.AsyncClient, door: Door, body: dict[str, Any]
) -> None:
    key = await make_key(staff)
    text = signed(key, body)
    await doors.receive(runtime, door, put(text))
    await require(staff, runtime)
    await doors.receive(runtime, door, put(base64.b64encode(text.encode()).decode()))
    assert (await taken(runtime), await letters(runtime)) == (1, []), "the second one is a repeat"
    (used,) = await rows(runtime, "select last_used_at from pos_keys")
    assert used["last_used_at"] is not None


@DOORS
async def test_an_unsigned_message_is_a_dead_letter_where_signatures_are_required(
    runtime: Runtime, staff: httpx.AsyncClient, door: Door, body: dict[str, Any]
) -> None:
    await require(staff, runtime)
    reason = await refused(runtime, door, put(json.dumps(body)))
    assert reason == "the signature: found none, expected one: the tenant takes signed messages only"


@DOORS
async def test_a_wrong_signature_is_refused_required_or_not(
    runtime: Runtime, staff: httpx.AsyncClient, door: Door, body: dict[str, Any]
) -> None:
    key = await make_key(staff)
    tampered = signed(key, body).replace(FIRST, "CRSA2222222")
    assert "another one than the key" in await refused(runtime, door, put(tampered))
    await require(staff, runtime)
    of_another = sign(key["key_id"], new_key().text, json.dumps(body))
    assert "another one than the key" in await refused(runtime, door, put(of_another))


@DOORS
async def test_a_key_that_nobody_has_is_named(runtime: Runtime, door: Door, body: dict[str, Any]) -> None:
    key = new_key()
    reason = await refused(runtime, door, put(sign(key.key_id, key.text, json.dumps(body))))
    assert f"the key {key.key_id}, which nobody has" in reason


@DOORS
async def test_a_key_of_another_tenant_signs_nothing_here(
    runtime: Runtime, staff: httpx.AsyncClient, door: Door, body: dict[str, Any]
) -> None:
    async with another_tenant(runtime) as crol:
        key = await make_key(staff, f"/api/ocs/tenants/{crol}/pos-keys")
    assert "the key of another tenant" in await refused(runtime, door, put(signed(key, body)))


@DOORS
async def test_a_revoked_key_signs_nothing_not_even_what_lay_on_the_queue(
    runtime: Runtime, staff: httpx.AsyncClient, door: Door, body: dict[str, Any]
) -> None:
    key = await make_key(staff)
    message = put(signed(key, body), ago=30)
    (await staff.delete(f"{KEYS}/{key['key_id']}")).raise_for_status()
    assert "which was revoked" in await refused(runtime, door, message)


async def test_an_expired_key_counts_for_what_was_put_before(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """A queue may be long, and who sent in time did all that he could."""
    key = await make_key(staff)
    async with runtime.pool.transaction() as connection:
        await connection.execute("update pos_keys set expires_at = now() - interval '1 min'")
    assert "which had expired" in await refused(runtime, TRANSACTIONS, put(signed(key, SALE)))
    await doors.receive(runtime, TRANSACTIONS, put(signed(key, SALE), ago=120))
    assert await taken(runtime) == 1


async def test_half_a_signature_line_is_a_wrong_signature(runtime: Runtime) -> None:
    text = f"ocs-signed v1 3f9c0a1b2c4d {'0' * 64}\n{json.dumps(SALE)}"
    assert "a line that is no signature" in await refused(runtime, TRANSACTIONS, put(text))


async def test_a_wrong_signature_of_nobody_is_the_operators(runtime: Runtime) -> None:
    key = new_key()
    await doors.receive(runtime, TRANSACTIONS, put(sign(key.key_id, key.text, "{}")))
    assert [letter["crol"] for letter in await letters(runtime)] == [None]
    assert await rows(runtime, "select tenant_id from alerts where cause = 'bad_signature'") == [{"tenant_id": None}]


async def test_a_vault_that_is_down_is_our_fault_and_no_dead_letter(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    key = await make_key(staff)
    assert isinstance(runtime.vault, FakeVault)
    runtime.vault.down = True
    message = put(signed(key, SALE))
    with pytest.raises(VaultUnavailable):
        await doors.receive(runtime, TRANSACTIONS, message)
    assert (await letters(runtime), await alerted(runtime)) == ([], [])
    runtime.vault.down = False
    await doors.receive(runtime, TRANSACTIONS, message)
    assert await taken(runtime) == 1


async def test_an_old_or_repeated_envelope_changes_nothing(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    """An eavesdropper who puts a signed sale on the queue again, after its correction, undoes nothing."""
    key = await make_key(staff)
    line = {"ocs_sku": SKU, "upc": UPC, "quantity": 1, "unit_price": "49.95"}
    old = signed(key, transaction("R-1", occurred_at="2026-01-05T10:00:00-05:00", items=[line]))
    line = line | {"quantity": 2}
    new = signed(key, transaction("R-1", occurred_at="2026-01-05T10:00:00-05:00", items=[line]))
    await doors.receive(runtime, TRANSACTIONS, put(old, ago=60))
    await doors.receive(runtime, TRANSACTIONS, put(new, ago=30))
    for _ in range(3):
        await doors.receive(runtime, TRANSACTIONS, put(old))
    newest = "select abs(quantity) as quantity from event_lines order by revision"
    assert [int(row["quantity"]) for row in await rows(runtime, newest)] == [1, 2]
    back = signed(key, transaction("R-1", occurred_at="2026-01-05T10:00:00-05:00", items=[line | {"quantity": 1}]))
    await doors.receive(runtime, TRANSACTIONS, put(back))
    assert [int(row["quantity"]) for row in await rows(runtime, newest)] == [1, 2, 1], "the POS itself may go back"


async def test_a_replayed_count_changes_nothing(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    key = await make_key(staff)
    old, new = signed(key, COUNT), signed(key, COUNT | {"items": [ITEM | {"quantity": 30}]})
    await doors.receive(runtime, INVENTORIES, put(old, ago=60))
    await doors.receive(runtime, INVENTORIES, put(new, ago=30))
    await doors.receive(runtime, INVENTORIES, put(old))
    levels = await rows(runtime, "select quantity from inventory_levels")
    assert [int(row["quantity"]) for row in levels] == [30]


async def test_what_was_put_before_the_wish_or_within_its_minute_needs_no_signature(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    path = f"/api/ocs/tenants/{CROL}/pos-signatures"
    assert (await staff.get(path)).json() == {"required": False, "required_from": None}
    said = (await staff.put(path, json={"required": True})).raise_for_status().json()
    since = datetime.fromisoformat(said["required_from"])
    assert timedelta(seconds=50) < since - datetime.now(UTC) <= timedelta(seconds=60)
    assert (await staff.put(path, json={"required": True})).json() == said, "asked again, the first time stands"
    await doors.receive(runtime, TRANSACTIONS, put(json.dumps(SALE)))
    assert await taken(runtime) == 1
    late = Message("late", json.dumps(transaction("R-2")).encode(), since)
    await doors.receive(runtime, TRANSACTIONS, late)
    assert (await taken(runtime), len(await letters(runtime))) == (1, 1)
    acts = await rows(runtime, "select what from audit_acts")
    assert {act["what"] for act in acts} == {"pos_signatures.changed"}


async def test_a_sale_over_http_passes_where_signatures_are_required(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    """The app has checked the POS's key, and signs with a key of its own what it puts on the queue."""
    key = await make_key(staff)
    await require(staff, runtime)
    body = [transaction("R-1"), transaction("R-2")]
    reply = await staff.post("/api/ocs/transactions", json=body, headers={"Ocs-Key": key["key"]})
    assert reply.status_code == 202
    assert isinstance(runtime.queues, FakeQueues)
    for text in runtime.queues.messages["pos-transactions"]:
        assert text.startswith("ocs-signed v1 ")
        await doors.receive(runtime, TRANSACTIONS, put(text))
    assert (await taken(runtime), await letters(runtime)) == (2, [])
    on_record = {row["message_id"] for row in await rows(runtime, "select message_id from event_messages")}
    assert on_record == {queued["message_id"] for queued in reply.json()["queued"]}
    assert len(await rows(runtime, "select 1 from pos_keys where of_this_app")) == 1


async def test_the_apps_own_key_is_neither_shown_nor_opens_a_door(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    key = await make_key(staff)
    await require(staff, runtime)
    await staff.post("/api/ocs/transactions", json=SALE, headers={"Ocs-Key": key["key"]})
    (own,) = await rows(runtime, "select key_id from pos_keys where of_this_app")
    assert [one["key_id"] for one in (await staff.get(KEYS)).json()["items"]] == [key["key_id"]]
    assert (await staff.delete(f"{KEYS}/{own['key_id']}")).status_code == 404
    assert isinstance(runtime.vault, FakeVault)
    text = runtime.vault.secrets[f"key-of-pos-{own['key_id']}"]
    reply = await staff.post("/api/ocs/transactions", json=SALE, headers={"Ocs-Key": text})
    assert reply.status_code == 401


async def test_a_letter_goes_in_by_hand_once_its_key_is_known_or_signatures_are_not_required(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await require(staff, runtime)
    await refused(runtime, TRANSACTIONS, put(json.dumps(SALE)))
    (letter,) = await letters(runtime)
    found = Letter(**{name: letter[name] for name in Letter.__dataclass_fields__})
    assert not await doors.redrive(runtime, TRANSACTIONS, found, by_hand=True)
    await require(staff, runtime, required=False)
    assert await doors.redrive(runtime, TRANSACTIONS, found, by_hand=True)
    assert await taken(runtime) == 1
