"""Tells the destinations of what opened and closed: first packed into frozen messages, then sent, then settled.

  waiting ── its time has come, and no earlier message to the destination is unsent ──▶ packed into a message
  waiting ── it was over before anybody was told ─────────────────────────────────────▶ dropped, with its end
  a message: due ── claimed: due again later ── sent ──▶ settled; ── not sent ──▶ due after a wait, without an end

A worker that dies after packing leaves a message that is due; one that dies while sending, or after it, leaves a
message that is due again two minutes later, with the same id: whoever has seen that id has seen the message. While a
message does not get through, what comes after it waits and goes as one digest.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.alerts.causes import title_of
from ocs.alerts.open_close import SQL
from ocs.alerts.outlets import allowance, mail, webhook, words
from ocs.alerts.outlets.mail import Mail
from ocs.alerts.outlets.webhook import NotDelivered
from ocs.clock import utc_now
from ocs.db.pool import Connection
from ocs.errors import ConfigurationError, VaultUnavailable
from ocs.runtime import Runtime
from ocs.settings import Settings

log = telemetry.logger("alerts")
TELL_AFTER = timedelta(minutes=1)
"""What is over within a minute is seen on the page, and nobody is called for it."""
LEASE = timedelta(minutes=2)
"""Longer than a message takes: nobody else sends it meanwhile."""
MOST_PACKED, MOST_SENT, SIDE_BY_SIDE = 5000, 40, 8


@dataclass(frozen=True)
class Message:
    """A frozen message and where it goes; `tries` counts this one."""

    message_id: UUID
    kind: allowance.Kind
    target: str
    secret_name: str | None
    subject: str
    body: str
    tries: int


async def deliver(runtime: Runtime) -> int:
    """Pack what waits and send what is due; gives how many messages got through. Safe when doubled or missed."""
    async with runtime.pool.transaction() as connection:
        found = await (await connection.execute(SQL["destinations_with_news"], {"age": TELL_AFTER})).fetchall()
    for row in found:
        try:
            async with runtime.pool.transaction() as connection:
                await _pack(connection, runtime.settings, row["destination_id"])
        except Exception:  # whatever it is, the other destinations must not suffer from it
            log.exception("alerts could not be packed", destination_id=row["destination_id"])
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["claim_messages"], {"lease": LEASE, "most": MOST_SENT})).fetchall()
    gate = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(message: Message) -> bool:
        async with gate:
            return await _send_and_settle(runtime, message)

    return sum(await asyncio.gather(*(one(Message(**row)) for row in rows)))


async def send(runtime: Runtime, message: Message) -> None:
    """Send a message, holding no database connection; raises NotDelivered with the reason."""
    try:
        if message.kind == "webhook":
            secret = await runtime.vault.secret(str(message.secret_name), fresh=message.tries > 1)
            local = runtime.settings.vault_ca_file is not None
            await webhook.post(message.target, message.message_id, message.body, secret, on_local_stack=local)
        else:
            name = runtime.settings.smtp_password_name
            password = None if name is None else await runtime.vault.secret(name, fresh=message.tries > 1)
            letter = Mail(message.target, message.message_id, message.subject, message.body)
            await mail.send(runtime.settings, letter, password)
    except (ConfigurationError, VaultUnavailable) as error:
        raise NotDelivered(str(error)) from None


async def _pack(connection: Connection, settings: Settings, destination_id: UUID) -> None:
    """Freeze a destination's messages under its row's lock, unless another worker has it or one is unsent."""
    key = {"destination_id": destination_id}
    destination = await (await connection.execute(SQL["lock_destination"], key)).fetchone()
    if destination is None or destination["has_unsent"]:
        return
    await connection.execute(SQL["drop_what_is_over"], key)
    asked = {**key, "age": TELL_AFTER, "most": MOST_PACKED}
    waiting = await (await connection.execute(SQL["waiting_news"], asked)).fetchall()
    an_hour = allowance.AN_HOUR[destination["kind"]]
    for count in allowance.groups(len(waiting), destination["sent_in_last_hour"], an_hour):
        group, waiting = waiting[:count], waiting[count:]
        await _write(connection, settings, destination, group)


async def _write(
    connection: Connection, settings: Settings, destination: dict[str, Any], group: list[dict[str, Any]]
) -> None:
    news = [words.News(title=title_of(row["cause"]), **row) for row in group]
    page = settings.page_url
    letter = words.mail(news, page) if destination["kind"] == "email" else words.webhook(news, page, utc_now())
    message = {
        "destination_id": destination["destination_id"],
        "tenant_id": destination["tenant_id"],
        "subject": letter.subject,
        "body": letter.body,
        "alert_ids": [row["alert_id"] for row in group],
        "events": [row["event"] for row in group],
    }
    await connection.execute(SQL["pack_message"], message)


async def _send_and_settle(runtime: Runtime, message: Message) -> bool:
    problem: str | None = None
    try:
        await send(runtime, message)
    except NotDelivered as error:
        problem = str(error)
    settled: dict[str, object] = {"message_id": message.message_id}
    async with runtime.pool.transaction() as connection:
        if problem is None:
            await connection.execute(SQL["settle_message"], settled)
        else:
            wait = allowance.jittered(allowance.wait_after(message.tries))
            await connection.execute(SQL["keep_message"], {**settled, "problem": problem, "wait": wait})
    say = log.info if problem is None else log.warning
    say("alert told" if problem is None else "alert not told", kind=message.kind, tries=message.tries, said=problem)
    return problem is None
