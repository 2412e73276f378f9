"""Alerts reach a webhook: signed, once in effect, in order, whatever dies or fails in between; and nobody inside."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver
from standardwebhooks.webhooks import Webhook
from yarl import URL

from ocs.alerts import deliver
from ocs.alerts.causes import PLATFORM
from ocs.alerts.deliver import Message
from ocs.alerts.open_close import open_scoped
from ocs.alerts.outlets import address, webhook
from ocs.alerts.outlets.webhook import NotDelivered
from ocs.runtime import Runtime
from tests.integration.alert_receivers import SECRET, Hook, hook
from tests.integration.alerting import (
    a_minute_passes,
    a_store,
    change,
    close_one,
    destination,
    open_one,
    time_passes,
)
from tests.integration.mortal import Died, Fate, Mortality
from tests.integration.platform import FIRST, SECOND, Platform
from tests.integration.pos import rows


@pytest.fixture
async def receiver(runtime: Runtime) -> AsyncIterator[Hook]:
    """Give a webhook's receiver, which is the tenant's only destination."""
    runtime.settings = runtime.settings.model_copy(update={"vault_ca_file": Path("the-local-stack")})
    async with hook() as one:
        await runtime.vault.store("alert-signing", SECRET)
        await destination(runtime, "webhook", one.url, "alert-signing")
        yield one


def _said(receiver: Hook) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.got]


async def test_a_webhook_is_signed_so_that_the_standards_own_library_takes_it(runtime: Runtime, receiver: Hook) -> None:
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    ((headers, body),) = receiver.got
    verified = Webhook(SECRET).verify(body.decode(), {name.lower(): value for name, value in headers.items()})
    assert verified["type"] == "alert.opened"
    assert verified["data"]["cause"] == "position_missing"
    assert verified["data"]["store"] == FIRST
    assert verified["data"]["message"] == "It was refused."


async def test_a_destination_is_told_of_the_opening_and_of_the_end_once_each(runtime: Runtime, receiver: Hook) -> None:
    await open_one(runtime)
    await a_minute_passes(runtime)
    await asyncio.gather(deliver.deliver(runtime), deliver.deliver(runtime))
    await deliver.deliver(runtime)
    await open_one(runtime, message="It was refused for another reason.")
    await close_one(runtime)
    await a_minute_passes(runtime)
    await deliver.deliver(runtime)
    await deliver.deliver(runtime)
    assert _said(receiver) == ["alert.opened", "alert.closed"]
    assert json.loads(receiver.got[1][1])["data"]["closed_at"] is not None


async def test_what_is_over_within_a_minute_is_told_to_nobody(runtime: Runtime, receiver: Hook) -> None:
    await open_one(runtime)
    assert await deliver.deliver(runtime) == 0
    await close_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    assert receiver.got == []
    assert await rows(runtime, "select distinct state from alert_notifications") == [{"state": "dropped"}]


async def test_a_worker_that_dies_at_any_step_loses_nothing_and_tells_once_in_effect(
    runtime: Runtime, receiver: Hook, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between sending and settling it is told twice, with the same id: whoever has seen that id has seen it."""
    sends, fate = deliver.send, Fate()

    async def mortal_send(own: Runtime, message: Message) -> None:
        fate.step()
        await sends(own, message)
        fate.step()

    monkeypatch.setattr(deliver, "send", mortal_send)
    mortality = Mortality(runtime, platform)
    died_at, twice = 0, 0
    while True:
        await change(runtime, "delete from alert_notifications")
        await change(runtime, "delete from alert_messages")
        await change(runtime, "delete from alerts")
        receiver.got.clear()
        await open_one(runtime)
        await a_minute_passes(runtime)
        fate.ends_at, fate.steps = died_at + 1, 0
        mortality.begins(fate)
        try:
            await deliver.deliver(runtime)
            survived = True
        except Died:
            survived = False
        mortality.ends()
        fate.ends_at = 0
        await time_passes(runtime)
        await deliver.deliver(runtime)
        await time_passes(runtime)
        assert await deliver.deliver(runtime) == 0
        assert len(set(receiver.ids)) == 1, f"died at step {died_at + 1}"
        assert len(receiver.ids) <= 2
        twice += len(receiver.ids) == 2
        if survived:
            break
        died_at += 1
    assert died_at > 8, "there were that many places to die at"
    assert twice, "among them between sending and settling"


async def test_what_does_not_get_through_is_tried_again_and_what_came_after_it_goes_as_one(
    runtime: Runtime, receiver: Hook
) -> None:
    receiver.status = 500
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    (message,) = await rows(
        runtime, "select tries, problem, due_at > now() + interval '50 s' as waits from alert_messages"
    )
    assert message == {"tries": 1, "problem": "HTTP 500", "waits": True}
    (place,) = await rows(runtime, "select failing_since is not null as failing, last_problem from alert_destinations")
    assert place == {"failing": True, "last_problem": "HTTP 500"}
    for cause in ("undeliverable", "credentials_refused", "shipping_notices_missing"):
        await open_one(runtime, cause)
    await time_passes(runtime)
    await deliver.deliver(runtime)
    assert len(set(receiver.ids)) == 1, "nothing goes past what is stuck"
    receiver.status = 204
    await time_passes(runtime)
    await deliver.deliver(runtime)
    await deliver.deliver(runtime)
    assert _said(receiver)[-3:] == ["alert.opened"] * 3
    assert receiver.ids[:3] == [receiver.ids[0]] * 3
    assert len(set(receiver.ids)) == 4
    (place,) = await rows(runtime, "select failing_since, last_problem from alert_destinations")
    assert place == {"failing_since": None, "last_problem": None}


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("http://127.0.0.1:1/hook", "not reached: ClientConnectorError"),
        ("http://no-such-host.invalid/hook", "its name is not known"),
    ],
)
async def test_a_receiver_that_is_not_there_is_named_as_such(
    runtime: Runtime, receiver: Hook, target: str, problem: str
) -> None:
    await change(runtime, "update alert_destinations set target = %(target)s", target=target)
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    assert await rows(runtime, "select problem from alert_messages") == [{"problem": problem}]
    assert receiver.got == []


async def test_a_redirect_is_not_followed(runtime: Runtime, receiver: Hook) -> None:
    receiver.status = 307
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    assert len(receiver.got) == 1
    assert await rows(runtime, "select problem from alert_messages") == [{"problem": "HTTP 307"}]


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/hook", "http://example.com/hook"])
async def test_beyond_the_local_stack_no_webhook_leads_inside(runtime: Runtime, receiver: Hook, url: str) -> None:
    """Also where the row was written in another way than by the route."""
    runtime.settings = runtime.settings.model_copy(update={"vault_ca_file": None})
    await change(runtime, "update alert_destinations set target = %(url)s", url=url)
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    (message,) = await rows(runtime, "select problem from alert_messages")
    assert message["problem"] == "this address may not be called any more"
    assert receiver.got == []


class Rebound(ThreadedResolver):
    """A name server by which every name has come to lead to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Give this machine's own address."""
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]


async def test_a_name_that_has_come_to_lead_inside_is_not_called(
    receiver: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check is the resolver's own: what it gives is what is called, so that no second look can differ."""
    monkeypatch.setattr(address, "ThreadedResolver", Rebound)
    port = URL(receiver.url).port
    with pytest.raises(NotDelivered, match="its name leads into a private network"):
        await webhook.post(f"https://alerts.example:{port}/hook", uuid4(), "{}", SECRET, on_local_stack=False)
    with pytest.raises(address.ForbiddenAddress, match=r"alerts\.example leads to 127\.0\.0\.1"):
        await address.PublicResolver().resolve("alerts.example", 443)
    assert receiver.got == []


async def test_without_a_secret_or_a_mail_server_nothing_is_lost(runtime: Runtime, receiver: Hook) -> None:
    await change(runtime, "update alert_destinations set secret_name = 'no-such-secret'")
    await destination(runtime, "email", "a@b.example", None)
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    said = {row["problem"] for row in await rows(runtime, "select problem from alert_messages")}
    assert said == {
        "Key Vault has no secret named no-such-secret, or it is disabled",
        "this installation sends no mail: OCS_SMTP_HOST is not set",
    }
    await change(runtime, "update alert_destinations set secret_name = 'alert-signing' where secret_name is not null")
    await time_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    assert _said(receiver) == ["alert.opened"]


async def test_an_alert_that_is_silenced_is_told_when_the_silence_ends_and_it_still_holds(
    runtime: Runtime, receiver: Hook
) -> None:
    await open_one(runtime)
    await open_one(runtime, "undeliverable")
    await a_minute_passes(runtime)
    await change(runtime, "update alerts set silenced_until = now() + interval '1 h', silenced_by = 'test'")
    assert await deliver.deliver(runtime) == 0
    await close_one(runtime, "undeliverable")
    await change(runtime, "update alerts set silenced_until = now()")
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    assert [json.loads(body)["data"]["cause"] for _, body in receiver.got] == ["position_missing"]


@pytest.mark.parametrize(("over", "told"), [("store", [SECOND]), ("tenant", [])])
async def test_a_silence_of_a_cause_holds_for_alerts_that_open_later(
    runtime: Runtime, receiver: Hook, over: str, told: list[str]
) -> None:
    store = await a_store(runtime)
    await change(
        runtime,
        "insert into alert_silences (tenant_id, store_id, cause, until, why, made_by)"
        " values (%(tenant)s, %(store)s, 'position_missing', now() + interval '1 h', 'stock-taking', 'test')",
        tenant=store.tenant_id,
        store=store.store_id if over == "store" else None,
    )
    await open_one(runtime)
    await open_one(runtime, crsa=SECOND)
    await a_minute_passes(runtime)
    await deliver.deliver(runtime)
    assert [json.loads(body)["data"]["store"] for _, body in receiver.got] == told


async def test_what_is_of_the_whole_platform_goes_to_the_operator_only(runtime: Runtime, receiver: Hook) -> None:
    async with hook() as operators:
        async with runtime.pool.transaction() as connection:
            await connection.execute(
                "insert into alert_destinations (kind, target, secret_name, made_by)"
                " values ('webhook', %s, 'alert-signing', 'test')",
                (operators.url,),
            )
            await open_scoped(connection, PLATFORM, "no_heartbeat", "The timer sweep does not run.")
        await open_one(runtime)
        await a_minute_passes(runtime)
        assert await deliver.deliver(runtime) == 2
        assert [_cause(operators), _cause(receiver)] == ["no_heartbeat", "position_missing"]


def _cause(receiver: Hook) -> Any:
    ((_, body),) = receiver.got
    return json.loads(body)["data"]["cause"]
