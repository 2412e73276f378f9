"""Alerts reach their destinations: signed, once in effect, never as a storm, whatever dies or fails in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, LiteralString

import pytest
from standardwebhooks.webhooks import Webhook

from ocs.alerts import deliver
from ocs.alerts.causes import PLATFORM
from ocs.alerts.deliver import Message
from ocs.alerts.open_close import close_alerts, open_alert, open_scoped
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_of
from tests.integration.alert_receivers import SECRET, Hook, Mailbox, hook, mailbox
from tests.integration.mortal import Died, Fate, Mortality
from tests.integration.platform import CROL, FIRST, SECOND, Platform
from tests.integration.pos import rows


@pytest.fixture
async def receiver(runtime: Runtime) -> AsyncIterator[Hook]:
    """Give a webhook's receiver, which is the tenant's only destination."""
    runtime.settings = runtime.settings.model_copy(update={"vault_ca_file": Path("the-local-stack")})
    async with hook() as one:
        await runtime.vault.store("alert-signing", SECRET)
        await _set(runtime, "webhook", one.url, "alert-signing")
        yield one


@pytest.fixture
async def box(runtime: Runtime) -> AsyncIterator[Mailbox]:
    """Give a mail server that takes the tenant's mails to manager@store.example."""
    async with mailbox(asyncio.get_running_loop()) as one:
        runtime.settings = runtime.settings.model_copy(
            update={
                "smtp_host": "127.0.0.1",
                "smtp_port": one.port,
                "smtp_tls": "none",
                "page_url": "https://ocs.example",
            }
        )
        await _set(runtime, "email", "manager@store.example", None)
        yield one


async def _set(runtime: Runtime, kind: str, target: str, secret_name: str | None) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "insert into alert_destinations (tenant_id, kind, target, secret_name, made_by)"
            " select tenant_id, %s, %s, %s, 'test' from tenants",
            (kind, target, secret_name),
        )


async def _change(runtime: Runtime, statement: LiteralString, *words: object) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(statement, words)


async def _a_minute_passes(runtime: Runtime) -> None:
    await _change(runtime, "update alert_notifications set made_at = made_at - interval '61 s'")


async def _time_passes(runtime: Runtime) -> None:
    """Let all waits and leases be over."""
    await _a_minute_passes(runtime)
    await _change(runtime, "update alert_messages set due_at = now() where sent_at is null")


async def _store(runtime: Runtime, crsa: str = FIRST) -> Store:
    async with runtime.pool.transaction() as connection:
        return await store_of(connection, CROL, crsa)


async def _open(runtime: Runtime, cause: str = "position_missing", message: str = "It was refused.") -> None:
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        await open_alert(connection, store.tenant_id, store.store_id, cause, message)


async def _close(runtime: Runtime, cause: str = "position_missing") -> None:
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        await close_alerts(connection, store.store_id, [cause])


def _said(receiver: Hook) -> list[str]:
    return [json.loads(body)["type"] for _, body in receiver.got]


async def test_a_webhook_is_signed_so_that_the_standards_own_library_takes_it(runtime: Runtime, receiver: Hook) -> None:
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    ((headers, body),) = receiver.got
    verified = Webhook(SECRET).verify(body.decode(), {name.lower(): value for name, value in headers.items()})
    assert verified["type"] == "alert.opened"
    assert verified["data"]["cause"] == "position_missing"
    assert verified["data"]["store"] == FIRST
    assert verified["data"]["message"] == "It was refused."


async def test_a_destination_is_told_of_the_opening_and_of_the_end_once_each(runtime: Runtime, receiver: Hook) -> None:
    await _open(runtime)
    await _a_minute_passes(runtime)
    await asyncio.gather(deliver.deliver(runtime), deliver.deliver(runtime))
    await deliver.deliver(runtime)
    await _open(runtime, message="It was refused for another reason.")
    await _close(runtime)
    await _a_minute_passes(runtime)
    await deliver.deliver(runtime)
    await deliver.deliver(runtime)
    assert _said(receiver) == ["alert.opened", "alert.closed"]
    assert json.loads(receiver.got[1][1])["data"]["closed_at"] is not None


async def test_what_is_over_within_a_minute_is_told_to_nobody(runtime: Runtime, receiver: Hook) -> None:
    await _open(runtime)
    assert await deliver.deliver(runtime) == 0
    await _close(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    assert receiver.got == []
    assert await rows(runtime, "select distinct state from alert_notifications") == [{"state": "dropped"}]


async def test_a_mail_arrives_in_plain_words_and_the_stores_own_time(runtime: Runtime, box: Mailbox) -> None:
    await _open(runtime)
    await _change(runtime, "update alerts set opened_at = '2026-11-20T07:05:00Z'")
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    (mail,) = box.mails
    assert box.recipients == ["manager@store.example"]
    assert mail["Subject"] == f"OCS alert: Last night's position is missing, store {FIRST} ({FIRST})"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "It was refused." in text
    assert "Since: 2026-11-20 02:05 (America/Toronto)" in text
    assert "https://ocs.example/api/dashboard/alerts/1" in text


async def test_a_stores_name_cannot_write_headers_into_a_mail(runtime: Runtime, box: Mailbox) -> None:
    await _change(runtime, "update stores set name = E'Main St\r\nBcc: thief@evil.example\r\n\r\n<b>Hi</b>'")
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    (mail,) = box.mails
    assert mail["Bcc"] is None
    assert box.recipients == ["manager@store.example"]
    assert "Bcc: thief@evil.example <b>Hi</b>" in mail["Subject"], "it is words, on one line"


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
        await _change(runtime, "delete from alert_notifications")
        await _change(runtime, "delete from alert_messages")
        await _change(runtime, "delete from alerts")
        receiver.got.clear()
        await _open(runtime)
        await _a_minute_passes(runtime)
        fate.ends_at, fate.steps = died_at + 1, 0
        mortality.begins(fate)
        try:
            await deliver.deliver(runtime)
            survived = True
        except Died:
            survived = False
        mortality.ends()
        fate.ends_at = 0
        await _time_passes(runtime)
        await deliver.deliver(runtime)
        await _time_passes(runtime)
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
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    (message,) = await rows(
        runtime, "select tries, problem, due_at > now() + interval '50 s' as waits from alert_messages"
    )
    assert message == {"tries": 1, "problem": "HTTP 500", "waits": True}
    (place,) = await rows(runtime, "select failing_since is not null as failing, last_problem from alert_destinations")
    assert place == {"failing": True, "last_problem": "HTTP 500"}
    for cause in ("undeliverable", "credentials_refused", "shipping_notices_missing"):
        await _open(runtime, cause)
    await _time_passes(runtime)
    await deliver.deliver(runtime)
    assert len(set(receiver.ids)) == 1, "nothing goes past what is stuck"
    receiver.status = 204
    await _time_passes(runtime)
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
        ("http://no-such-host.invalid/hook", "not reached: ClientConnectorDNSError"),
    ],
)
async def test_a_receiver_that_is_not_there_is_named_as_such(
    runtime: Runtime, receiver: Hook, target: str, problem: str
) -> None:
    await _change(runtime, "update alert_destinations set target = %s", target)
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    assert await rows(runtime, "select problem from alert_messages") == [{"problem": problem}]
    assert receiver.got == []


async def test_a_redirect_is_not_followed(runtime: Runtime, receiver: Hook) -> None:
    receiver.status = 307
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    assert len(receiver.got) == 1
    assert await rows(runtime, "select problem from alert_messages") == [{"problem": "HTTP 307"}]


@pytest.mark.parametrize("host", ["https://127.0.0.1:1", "https://localhost.localdomain:1", "http://example.com"])
async def test_beyond_the_local_stack_no_webhook_leads_inside(runtime: Runtime, receiver: Hook, host: str) -> None:
    """Also where the row was written in another way, or the name has come to lead elsewhere."""
    runtime.settings = runtime.settings.model_copy(update={"vault_ca_file": None})
    await _change(runtime, "update alert_destinations set target = %s", f"{host}/hook")
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    (message,) = await rows(runtime, "select problem from alert_messages")
    assert message["problem"] in ("this address may not be called any more", "not reached: ClientConnectorDNSError")
    assert receiver.got == []


async def test_without_a_secret_or_a_mail_server_nothing_is_lost(runtime: Runtime, receiver: Hook) -> None:
    await _change(runtime, "update alert_destinations set secret_name = 'no-such-secret'")
    await _set(runtime, "email", "a@b.example", None)
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    said = {row["problem"] for row in await rows(runtime, "select problem from alert_messages")}
    assert said == {
        "Key Vault has no secret named no-such-secret, or it is disabled",
        "this installation sends no mail: OCS_SMTP_HOST is not set",
    }
    await _change(runtime, "update alert_destinations set secret_name = 'alert-signing' where secret_name is not null")
    await _time_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    assert _said(receiver) == ["alert.opened"]


async def test_a_mail_that_the_server_refuses_is_sent_again_with_the_same_id(runtime: Runtime, box: Mailbox) -> None:
    box.refuses = "451 greylisted, come back later"
    await _open(runtime)
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    (message,) = await rows(runtime, "select message_id, problem from alert_messages")
    assert message["problem"] == "the mail server answered 451: greylisted, come back later"
    box.refuses = ""
    await _time_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    assert box.mails[0]["Message-ID"] == f"<{message['message_id'].hex}@localhost>"


async def _open_many(runtime: Runtime, count: int, name: str) -> None:
    store = await _store(runtime)
    async with runtime.pool.transaction() as connection:
        for number in range(count):
            await open_alert(connection, store.tenant_id, store.store_id, f"{name}_{number}", "Something.")


async def test_a_storm_is_one_mail_that_says_how_many(runtime: Runtime, box: Mailbox) -> None:
    await _open_many(runtime, 300, "cause")
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    (mail,) = box.mails
    assert mail["Subject"] == "OCS alerts: 300 opened or closed"
    assert "- and 250 more" in mail.get_content()
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0


async def test_no_hour_has_more_than_twelve_mails_and_then_comes_a_digest(runtime: Runtime, box: Mailbox) -> None:
    for number in range(20):
        await _open_many(runtime, 1, f"wave_{number}")
        await _a_minute_passes(runtime)
        await deliver.deliver(runtime)
    assert len(box.mails) == 12
    await _change(runtime, "update alert_messages set sent_at = sent_at - interval '1 h'")
    await deliver.deliver(runtime)
    assert [mail["Subject"] for mail in box.mails[12:]] == ["OCS alerts: 8 opened or closed"]


async def test_an_alert_that_is_silenced_is_told_when_the_silence_ends_and_it_still_holds(
    runtime: Runtime, receiver: Hook
) -> None:
    await _open(runtime)
    await _open(runtime, "undeliverable")
    await _a_minute_passes(runtime)
    await _change(runtime, "update alerts set silenced_until = now() + interval '1 h', silenced_by = 'test'")
    assert await deliver.deliver(runtime) == 0
    await _close(runtime, "undeliverable")
    await _change(runtime, "update alerts set silenced_until = now()")
    await _a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    assert [json.loads(body)["data"]["cause"] for _, body in receiver.got] == ["position_missing"]


@pytest.mark.parametrize(("over", "told"), [("store", [SECOND]), ("tenant", [])])
async def test_a_silence_of_a_cause_holds_for_alerts_that_open_later(
    runtime: Runtime, receiver: Hook, over: str, told: list[str]
) -> None:
    store, other = await _store(runtime), await _store(runtime, SECOND)
    async with runtime.pool.transaction() as connection:
        await connection.execute(
            "insert into alert_silences (tenant_id, store_id, cause, until, why, made_by)"
            " values (%s, %s, 'position_missing', now() + interval '1 h', 'stock-taking', 'test')",
            (store.tenant_id, store.store_id if over == "store" else None),
        )
        for one in (store, other):
            await open_alert(connection, one.tenant_id, one.store_id, "position_missing", "It was refused.")
    await _a_minute_passes(runtime)
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
        await _open(runtime)
        await _a_minute_passes(runtime)
        assert await deliver.deliver(runtime) == 2
        assert [_cause(operators), _cause(receiver)] == ["no_heartbeat", "position_missing"]


def _cause(receiver: Hook) -> Any:
    ((_, body),) = receiver.got
    return json.loads(body)["data"]["cause"]
