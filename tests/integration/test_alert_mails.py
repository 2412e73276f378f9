"""Alerts reach people by mail: in plain words, and never as a storm."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ocs.alerts import deliver
from ocs.alerts.open_close import open_alert
from ocs.runtime import Runtime
from tests.integration.alert_receivers import Mailbox, mailbox
from tests.integration.alerting import a_minute_passes, a_store, change, destination, open_one, time_passes
from tests.integration.platform import FIRST
from tests.integration.pos import rows


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
        await destination(runtime, "email", "manager@store.example", None)
        yield one


async def test_a_mail_arrives_in_plain_words_and_the_stores_own_time(runtime: Runtime, box: Mailbox) -> None:
    await open_one(runtime)
    await change(runtime, "update alerts set opened_at = '2026-11-20T07:05:00Z'")
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    (mail,) = box.mails
    assert box.recipients == ["manager@store.example"]
    assert mail["Subject"] == f"OCS alert: Last night's position is missing, store {FIRST} ({FIRST})"
    assert mail.get_content_type() == "text/plain"
    text = mail.get_content()
    assert "It was refused." in text
    assert "Since: 2026-11-20 02:05 (America/Toronto)" in text
    assert "https://ocs.example/api/dashboard/alerts#alert-1" in text


async def test_a_stores_name_cannot_write_headers_into_a_mail(runtime: Runtime, box: Mailbox) -> None:
    await change(runtime, "update stores set name = E'Main St\r\nBcc: thief@evil.example\r\n\r\n<b>Hi</b>'")
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    (mail,) = box.mails
    assert mail["Bcc"] is None
    assert box.recipients == ["manager@store.example"]
    assert "Bcc: thief@evil.example <b>Hi</b>" in mail["Subject"], "it is words, on one line"


async def test_a_mail_that_the_server_refuses_is_sent_again_with_the_same_id(runtime: Runtime, box: Mailbox) -> None:
    box.refuses = "451 greylisted, come back later"
    await open_one(runtime)
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0
    (message,) = await rows(runtime, "select message_id, problem from alert_messages")
    assert message["problem"] == "the mail server answered 451: greylisted, come back later"
    box.refuses = ""
    await time_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    assert box.mails[0]["Message-ID"] == f"<{message['message_id'].hex}@localhost>"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd, of its own test set-up
async def test_the_mail_servers_password_comes_from_the_vault(runtime: Runtime) -> None:
    """And when it was changed, the second try has the new one."""
    async with mailbox(asyncio.get_running_loop(), ("ocs", "right")) as box:
        runtime.settings = runtime.settings.model_copy(
            update={
                "smtp_host": "127.0.0.1",
                "smtp_port": box.port,
                "smtp_tls": "none",
                "smtp_user": "ocs",
                "smtp_password_name": "smtp",
            }
        )
        await runtime.vault.store("smtp", "wrong")
        await destination(runtime, "email", "manager@store.example", None)
        await open_one(runtime)
        await a_minute_passes(runtime)
        assert await deliver.deliver(runtime) == 0
        (message,) = await rows(runtime, "select problem from alert_messages")
        assert message["problem"].startswith("the mail server answered 535")
        await runtime.vault.store("smtp", "right")
        await time_passes(runtime)
        assert await deliver.deliver(runtime) == 1
        assert box.recipients == ["manager@store.example"]


async def _open_many(runtime: Runtime, count: int, name: str) -> None:
    store = await a_store(runtime)
    async with runtime.pool.transaction() as connection:
        for number in range(count):
            await open_alert(connection, store.tenant_id, store.store_id, f"{name}_{number}", "Something.")


async def test_a_storm_is_one_mail_that_says_how_many(runtime: Runtime, box: Mailbox) -> None:
    await _open_many(runtime, 300, "cause")
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 1
    (mail,) = box.mails
    assert mail["Subject"] == "OCS alerts: 300 opened or closed"
    assert "- and 250 more" in mail.get_content()
    await a_minute_passes(runtime)
    assert await deliver.deliver(runtime) == 0


async def test_no_hour_has_more_than_twelve_mails_and_then_comes_a_digest(runtime: Runtime, box: Mailbox) -> None:
    for number in range(20):
        await _open_many(runtime, 1, f"wave_{number}")
        await a_minute_passes(runtime)
        await deliver.deliver(runtime)
    assert len(box.mails) == 12
    await change(runtime, "update alert_messages set sent_at = sent_at - interval '1 h'")
    await deliver.deliver(runtime)
    assert [mail["Subject"] for mail in box.mails[12:]] == ["OCS alerts: 8 opened or closed"]
