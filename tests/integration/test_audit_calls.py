"""Every call to the regulator leaves one row, without a secret in it, and no delivery waits or fails for its sake."""

import asyncio
import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from ocs.audit import calls
from ocs.audit.calls import Call, Calls, Whose, about, book_of, calls_of, seal, together
from ocs.db.wall import behind_the_wall
from ocs.delivery import sender
from ocs.regulator.client import regulator_of
from ocs.regulator.faults import RegulatorFault
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.auditing import behind_the_triggers, check
from tests.integration.platform import CROL, FIRST, Platform, cut, status
from tests.integration.pos import make_due, rows, sell, states

CALLS = "select * from audit_calls order by at, call_id"


async def _store(runtime: Runtime) -> Store:
    async with runtime.pool.transaction() as connection:
        return await store_of(connection, CROL, FIRST)


async def test_a_delivery_leaves_its_sign_in_and_its_batch(runtime: Runtime, platform: Platform) -> None:
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    sign_in, batch = await rows(runtime, CALLS)
    assert (sign_in["method"], sign_in["url"], sign_in["status"]) == ("POST", "https://platform.example/token", 200)
    assert batch["url"].startswith("https://platform.example/func/PosInventoryEventHttpTrigger?posVendor=DemoPOS&")
    assert batch["url"].endswith(f"retailerCRSA={FIRST}")
    assert (batch["status"], batch["error"], batch["store_id"]) == (200, None, taken.store_id)
    attempt = (await rows(runtime, "select attempt_id, batch_id from delivery_attempts"))[0]
    assert (batch["batch_id"], batch["attempt_id"]) == (attempt["batch_id"], attempt["attempt_id"])
    assert sign_in["correlation_id"] == batch["correlation_id"]
    sent = json.dumps({"inventoryEventList": list(platform.accepted.values())}, separators=(",", ":")).encode()
    assert bytes(batch["request_sha256"]) == hashlib.sha256(sent).digest()
    assert batch["request_bytes"] == len(sent)
    assert (sign_in["request_sha256"], sign_in["response_sha256"]) == (None, None)


async def test_a_refused_token_leaves_every_try_under_one_id(runtime: Runtime, platform: Platform) -> None:
    taken = await sell(runtime, "T1")
    platform.answers = [status(401)]
    await sender.answer_bell(runtime, taken.store_id)
    found = await rows(runtime, CALLS)
    assert [row["status"] for row in found] == [200, 401, 200, 200]
    assert len({row["correlation_id"] for row in found}) == 1


@pytest.mark.parametrize(("answer", "said"), [(status(500), (500, None)), (cut, (None, "RemoteProtocolError"))])
async def test_a_call_that_failed_is_kept_with_how(
    runtime: Runtime, platform: Platform, answer: Any, said: tuple[int | None, str | None]
) -> None:
    taken = await sell(runtime, "T1")
    platform.answers = [answer]
    await sender.answer_bell(runtime, taken.store_id)
    row = (await rows(runtime, CALLS))[-1]
    assert (row["status"], row["error"]) == said
    assert (row["response_bytes"] is None) == (said[0] is None)


async def test_a_call_that_takes_too_long_or_is_given_up_is_kept(runtime: Runtime) -> None:
    async def never(_request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with httpx.AsyncClient(transport=httpx.MockTransport(never)) as http:
        own = Calls(http, book_of(runtime).keep)
        request = http.build_request("GET", "https://user:pass@platform.example/asn?a=b")
        with pytest.raises(TimeoutError):
            await own.send(request, Whose(), 0.01)
        task = asyncio.create_task(own.send(request, Whose(), 60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    found = await rows(runtime, CALLS)
    assert [row["error"] for row in found] == ["TimeoutError", "CancelledError"]
    assert {row["url"] for row in found} == {"https://platform.example/asn?a=b"}


async def test_a_reading_is_kept_too(runtime: Runtime, platform: Platform) -> None:
    store = await _store(runtime)
    platform.gets["RetailerItemCatalogueHttpTrigger"] = lambda _request: httpx.Response(200, json={"itemList": []})
    await regulator_of(runtime).catalogue(store, 1)
    with pytest.raises(RegulatorFault):
        await regulator_of(runtime).shipping_notices(store, datetime.now(UTC), datetime.now(UTC))
    sign_in, page, notice = await rows(runtime, CALLS)
    assert (page["method"], page["status"], page["batch_id"]) == ("GET", 200, None)
    assert page["url"].endswith("?pageNumber=1")
    assert notice["status"] == 404
    assert sign_in["correlation_id"] == page["correlation_id"] != notice["correlation_id"]


async def test_no_connection_is_held_while_the_platform_thinks(runtime: Runtime, platform: Platform) -> None:
    """The pool has fewer connections than there are calls under way."""
    store = await _store(runtime)
    size = runtime.settings.database_pool_size
    arrived = asyncio.Barrier(size + 1)

    async def slow(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            await asyncio.wait_for(arrived.wait(), 20)
        return platform.answer(request)

    platform.gets["RetailerItemCatalogueHttpTrigger"] = lambda _request: httpx.Response(200, json={"itemList": []})
    await runtime.http.aclose()
    runtime.http = httpx.AsyncClient(transport=httpx.MockTransport(slow))
    regulator = regulator_of(runtime)
    await asyncio.gather(*(regulator.catalogue(store, number) for number in range(size + 1)))
    assert len(await rows(runtime, CALLS)) == size + 2


async def test_an_audit_that_cannot_be_written_fails_and_doubles_no_delivery(
    runtime: Runtime, platform: Platform, capfd: pytest.CaptureFixture[str]
) -> None:
    taken = await sell(runtime, "T1")
    async with runtime.pool.transaction() as connection:
        await connection.execute("alter table audit_calls rename to audit_calls_away")
    await sender.answer_bell(runtime, taken.store_id)
    await sell(runtime, "T2")
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    assert await states(runtime) == ["accepted", "accepted"]
    assert [len(call) for call in platform.calls] == [1, 1]
    assert "the audit of a call could not be written" in "".join(capfd.readouterr())
    assert book_of(runtime).failures == 3
    async with runtime.pool.transaction() as connection:
        await connection.execute("alter table audit_calls_away rename to audit_calls")
    assert await seal(runtime) == 3  # they waited in memory
    assert book_of(runtime).lost == 0
    assert (await check(runtime, "calls")).first_broken is None


async def test_what_waits_is_bounded_and_what_is_lost_is_counted(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MOST_WAITING", 2)
    async with runtime.pool.transaction() as connection:
        await connection.execute("alter table audit_calls rename to audit_calls_away")
    for _ in range(3):
        await sell_and_send(runtime)
    book = book_of(runtime)
    assert (book.failures, book.lost) == (4, 2)


async def sell_and_send(runtime: Runtime) -> None:
    """Sell something and deliver it."""
    taken = await sell(runtime, f"T{book_of(runtime).failures}")
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)


async def test_a_row_whose_commit_was_not_heard_of_is_written_once(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    kept = (await rows(runtime, CALLS))[0]
    again = Call(**{name: kept[name] for name in Call.__dataclass_fields__})
    await book_of(runtime).keep(again)
    assert len(await rows(runtime, CALLS)) == 2
    assert book_of(runtime).failures == 0


async def test_a_call_made_for_one_of_the_staff_is_kept_past_the_wall(runtime: Runtime) -> None:
    """A credential that is tried belongs to no tenant yet; the wall would hide such a row, and refuse it."""
    request = runtime.http.build_request("POST", "https://platform.example/token?code=secret", data={"a": "b"})
    with behind_the_wall(()):
        await calls_of(runtime).send(request, Whose(), 5, secret=True)
    found = await rows(runtime, CALLS)
    assert [(row["tenant_id"], row["url"]) for row in found] == [(None, "https://platform.example/token")]


async def test_no_secret_is_in_any_row(runtime: Runtime, platform: Platform) -> None:
    taken = await sell(runtime, "T1")
    platform.answers = [status(401), status(500)]
    for _ in range(3):
        await make_due(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    await seal(runtime)
    kept = await rows(runtime, "select to_jsonb(c)::text as row from audit_calls c")
    whole = "\n".join(row["row"] for row in kept)
    assert len(kept) > 4
    secrets = [*platform.vault().secrets.values(), *(f"token-{n}" for n in range(1, 9)), "Bearer", "client_secret"]
    assert [secret for secret in secrets if secret.lower() in whole.lower()] == []
    hashes = [hashlib.sha256(secret.encode()).hexdigest() for secret in platform.vault().secrets.values()]
    assert [one for one in hashes if one in whole] == []


async def test_calls_of_one_matter_share_an_id_and_others_do_not(runtime: Runtime) -> None:
    kept: list[Call] = []

    async def keep(call: Call) -> None:
        kept.append(call)

    own = Calls(runtime.http, keep)
    request = runtime.http.build_request("POST", "https://platform.example/token")
    with about(batch_id=7) as first, together():
        await own.send(request, Whose(), 5)
    with together():
        await own.send(request, Whose(), 5)
        await own.send(request, Whose(), 5)
    await own.send(request, Whose(), 5)
    ids = [call.correlation_id for call in kept]
    assert ids[0] == first
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3
    assert [asdict(call)["batch_id"] for call in kept] == [7, None, None, None]
    assert kept[0].at <= kept[1].at < kept[0].at + timedelta(minutes=1)


async def test_behind_the_triggers_is_only_for_tests(runtime: Runtime) -> None:
    """The hands that other tests use leave the triggers in place."""
    await behind_the_triggers(runtime, "update audit_calls set ms = 0 where false")
    found = await rows(runtime, "select tgenabled::text as on from pg_trigger where tgname like 'audit_%'")
    assert {row["on"] for row in found} == {"O"}
