"""Receivers of alerts for tests: a webhook's and a mail server, real servers in the test's own loop."""

import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any, cast

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The example of the standard's own text."""


@dataclass
class Hook:
    """A webhook's receiver: answers with `status`, and keeps every request."""

    url: str = ""
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Keep a request and answer as told."""
        self.got.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers={"Location": self.url} if self.status == 307 else None)

    @property
    def ids(self) -> list[str]:
        """The ids of what came, in order."""
        return [headers["webhook-id"] for headers, _ in self.got]


@dataclass
class Mailbox:
    """A mail server that takes everything; `refuses` makes it answer so instead."""

    port: int = 0
    refuses: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep a mail."""
        if self.refuses:
            return self.refuses
        content = cast("bytes", envelope.content)
        self.mails.append(email.message_from_bytes(content, policy=email.policy.default))
        self.recipients += envelope.rcpt_tos
        return "250 kept"


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    """Run a webhook's receiver."""
    receiver = Hook()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    receiver.url = f"http://{host}:{port}/hook"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@asynccontextmanager
async def mailbox(loop: Any, signs_in: tuple[str, str] | None = None) -> AsyncIterator[Mailbox]:
    """Run a mail server; where a name and a password are given it takes mails of nobody else."""
    box = Mailbox()

    def checked(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=(given.login.decode(), given.password.decode()) == signs_in, handled=False)

    words: dict[str, Any] = (
        {} if signs_in is None else {"authenticator": checked, "auth_required": True, "auth_require_tls": False}
    )
    server = await loop.create_server(lambda: SMTP(box, loop=loop, **words), "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()
