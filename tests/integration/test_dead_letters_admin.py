"""Dead letters by HTTP: whose they are, whole content, driven again, dismissed with a reason."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from ocs.access.caller import Caller
from ocs.dead_letters import doors
from ocs.dead_letters.doors import Message
from ocs.events.ingest import TRANSACTIONS
from ocs.runtime import Runtime
from ocs.web.roles import Role
from tests.integration.conftest import staff_client
from tests.integration.platform import CROL, FIRST
from tests.integration.pos import message, rows, states, transaction

LETTERS = "/api/ocs/dead-letters"


@pytest.fixture(autouse=True)
def _doors() -> None:
    doors.register(TRANSACTIONS)


async def bury(runtime: Runtime, body: object, message_id: str | None = None) -> None:
    """Have a message come that cannot be taken in."""
    await doors.receive(runtime, TRANSACTIONS, message(body, message_id))


def wrong(number: str, **changes: Any) -> dict[str, Any]:
    """Give a transaction whose line has neither SKU."""
    return transaction(number, items=[{"quantity": 1}], **changes)


async def letters(client: httpx.AsyncClient, **filters: str | int) -> list[dict[str, Any]]:
    """Give the letters of a page."""
    reply = await client.get(LETTERS, params=filters)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


async def test_a_letter_is_listed_with_whose_it_is_and_read_whole(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await bury(runtime, wrong("T1") | {"reason": "é" * 150})
    row = (await letters(staff))[0]
    store = (await rows(runtime, f"select store_id::text, tenant_id::text from stores where crsa = '{FIRST}'"))[0]  # noqa: S608
    assert (row["tenant_id"], row["store_id"]) == (store["tenant_id"], store["store_id"])
    assert "items[0].ocs_sku" in row["reason"]
    assert len(row["beginning"]) == 200 < row["characters"]
    whole = (await staff.get(f"{LETTERS}/{row['letter_id']}")).json()
    assert whole["parsed"]["transaction_id"] == "T1"
    assert len(whole["body"]) == row["characters"]


async def test_letters_come_in_pages_newest_first_and_by_filter(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    for number in range(3):
        await bury(runtime, wrong(f"T{number}"))
    first = (await staff.get(LETTERS, params={"limit": 2})).json()
    rest = (await staff.get(LETTERS, params={"limit": 2, "cursor": first["next"]})).json()
    numbers = [json.loads(one["beginning"])["transaction_id"] for one in (*first["items"], *rest["items"])]
    assert (numbers, rest["next"]) == (["T2", "T1", "T0"], None)
    assert len(await letters(staff, tenant=CROL, store=FIRST, cause="message", queue="pos-transactions")) == 3
    assert await letters(staff, cause="ours") == []
    assert await letters(staff, queue="another") == []
    assert await letters(staff, state="dismissed") == []


@pytest.mark.parametrize(
    "body",
    [
        b"not JSON",
        json.dumps(transaction("T1", tenant_id="CROL0000000", items=[])).encode(),
        json.dumps(transaction("T1", tenant_id=None)).encode(),
        json.dumps([transaction("T1")]).encode(),
        b'{"tenant_id": "CROL1234567\\u0000"}',
        b'{"tenant_id": "\\ud800"}',
        b'{"tenant_id": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"tenant_id": NaN}',
    ],
)
async def test_a_letter_of_no_known_tenant_is_the_super_admins(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    sent = message({})
    await doors.receive(runtime, TRANSACTIONS, Message(sent.message_id, body, sent.inserted_at))
    row = (await letters(staff))[0]
    assert (row["tenant_id"], row["store_id"]) == (None, None)
    assert (await staff.get(f"{LETTERS}/{row['letter_id']}")).status_code == 200
    tenant = (await rows(runtime, "select tenant_id from tenants"))[0]["tenant_id"]
    admin = Caller("ann", "Ann", {tenant: Role.TENANT_ADMIN})
    async with staff_client(runtime, monkeypatch, admin) as client:
        assert await letters(client) == []
        assert (await client.get(f"{LETTERS}/{row['letter_id']}")).status_code == 404


async def test_a_poison_message_is_its_tenants_too(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await doors.bury_poison(runtime, TRANSACTIONS, message(transaction("T1", store="CRSA9999999")))
    row = (await letters(staff, cause="ours"))[0]
    assert (row["tenant_id"] is not None, row["store_id"]) == (True, None), "the tenant is known, the store is not"


async def test_letters_are_driven_again_with_a_result_each(runtime: Runtime, staff: httpx.AsyncClient) -> None:
    await bury(runtime, transaction("T1", store="CRSA4444444"))
    await bury(runtime, wrong("T2"))
    async with runtime.pool.transaction() as connection:
        await connection.execute(f"update stores set crsa = 'CRSA4444444' where crsa = '{FIRST}'")  # noqa: S608
    still, mended = await letters(staff)
    ids = [mended["letter_id"], still["letter_id"]]
    reply = await staff.post(f"{LETTERS}/redrive", json={"letter_ids": ids})
    assert [one["result"] for one in reply.json()["items"]] == ["taken_in", "still_wrong"], reply.text
    assert "items[0].ocs_sku" in reply.json()["items"][1]["says"]
    assert await states(runtime) == ["pending"]
    again = await staff.post(f"{LETTERS}/redrive", json={"letter_ids": ids[:1]})
    assert again.json()["items"][0]["result"] == "not_open"
    acts = await rows(runtime, "select what, subject from audit_acts order by act_id")
    assert [(act["what"], act["subject"]) for act in acts] == [("dead_letter.redriven", letter) for letter in ids]


async def test_one_letter_that_is_not_the_callers_keeps_all_from_being_driven(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await bury(runtime, wrong("T1"))
    own = (await letters(staff))[0]["letter_id"]
    reply = await staff.post(f"{LETTERS}/redrive", json={"letter_ids": [own, str(uuid4())]})
    assert reply.status_code == 404
    assert await rows(runtime, "select from audit_acts") == []


async def test_a_letter_of_a_queue_that_nobody_reads_can_only_be_dismissed(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await bury(runtime, wrong("T1"))
    async with runtime.pool.transaction() as connection:
        await connection.execute("update dead_letters set queue = 'pos-of-old'")
    letter = (await letters(staff))[0]["letter_id"]
    reply = (await staff.post(f"{LETTERS}/redrive", json={"letter_ids": [letter]})).json()["items"][0]
    assert (reply["result"], "only be dismissed" in reply["says"]) == ("not_now", True)


async def test_a_dismissed_letter_is_kept_with_who_and_why_and_not_tried_again(
    runtime: Runtime, staff: httpx.AsyncClient
) -> None:
    await doors.bury_poison(runtime, TRANSACTIONS, message(transaction("T1"), "m-1"))
    letter = (await letters(staff))[0]["letter_id"]
    for empty in ({}, {"reason": ""}, {"reason": "  "}):
        assert (await staff.post(f"{LETTERS}/{letter}/dismiss", json=empty)).status_code == 422
    reply = await staff.post(f"{LETTERS}/{letter}/dismiss", json={"reason": "a test of the till"})
    assert (reply.status_code, reply.json()["state"]) == (200, "dismissed"), reply.text
    kept = (await letters(staff, state="dismissed"))[0]
    assert (kept["dismissed_by"], kept["dismissed_why"]) == ("super admin", "a test of the till")
    assert await letters(staff) == []
    async with runtime.pool.transaction() as connection:
        await connection.execute("update dead_letters set due_at = now() - interval '1 day'")
    assert await doors.redrive_due(runtime, TRANSACTIONS) == 0
    await doors.bury_poison(runtime, TRANSACTIONS, message(transaction("T1"), "m-1"))
    assert await letters(staff) == [], "buried again, it stays dismissed"
    assert (await staff.post(f"{LETTERS}/{letter}/dismiss", json={"reason": "twice"})).status_code == 409
    again = (await staff.post(f"{LETTERS}/redrive", json={"letter_ids": [letter]})).json()["items"][0]
    assert again["result"] == "not_open"
    acts = await rows(runtime, "select what, after from audit_acts")
    assert [(act["what"], act["after"]["reason"]) for act in acts] == [("dead_letter.dismissed", "a test of the till")]


async def test_another_tenants_letters_are_not_there(
    runtime: Runtime, staff: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bury(runtime, wrong("T1"))
    letter = (await letters(staff))[0]["letter_id"]
    stranger = Caller("stranger", "a stranger", {uuid4(): Role.TENANT_ADMIN})
    async with staff_client(runtime, monkeypatch, stranger) as client:
        assert await letters(client) == []
        replies = [
            await client.get(LETTERS, params={"tenant": CROL}),
            await client.get(LETTERS, params={"store": FIRST}),
            await client.get(f"{LETTERS}/{letter}"),
            await client.post(f"{LETTERS}/redrive", json={"letter_ids": [letter]}),
            await client.post(f"{LETTERS}/{letter}/dismiss", json={"reason": "mine?"}),
        ]
        assert [reply.status_code for reply in replies] == [404] * len(replies)
