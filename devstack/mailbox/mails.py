"""The mail server: keeps every mail that is handed in, and refuses what it was told to refuse."""

import asyncio
import secrets
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import MIMEPart
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = b"mailbox", b"not-a-secret"
BANNER = "STAND-IN, delivers nothing"
Step = Literal["mail", "rcpt", "data"]


@dataclass
class Refusal:
    """An answer to give instead of the good one at a step of SMTP, `times` more times (None: until it is cleared)."""

    at: Step
    answer: str
    times: int | None = 1


@dataclass
class Post:
    """What came by mail, the eldest first, and what is to be refused."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, at: Step) -> str | None:
        """Give the ordered answer at a step; None when all is well."""
        found = next((one for one in self.refusals if one.at == at), None)
        if found is None:
            return None
        if found.times is not None:
            found.times -= 1
            if found.times < 1:
                self.refusals.remove(found)
        return found.answer


class _Handler:
    """Hooks of aiosmtpd (https://aiosmtpd.aio-libs.org/en/latest/handlers.html)."""

    def __init__(self, post: Post, *, under_tls: bool) -> None:
        self._post = post
        self._under_tls = under_tls

    async def handle_MAIL(  # noqa: N802 - the hook's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, mail_options: list[str]
    ) -> str:
        refused = self._post.refuse("mail")
        if refused is not None:
            return refused
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the hook's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        refused = self._post.refuse("rcpt")
        if refused is not None:
            return refused
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        refused = self._post.refuse("data")
        if refused is not None:
            return refused
        tls = self._under_tls or session.ssl is not None
        self._post.mails.append(_read(session, envelope) | {"tls": tls})
        return "250 OK: kept, and delivered to nobody"


def _read(session: Session, envelope: Envelope) -> dict[str, Any]:
    message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return {
        "at": datetime.now(UTC).isoformat(),
        "from": envelope.mail_from,
        "to": list(envelope.rcpt_tos),
        "subject": str(message["Subject"] or ""),
        "text": _text(plain),
        "html": _text(html),
        "headers": [[name, str(value)] for name, value in message.items()],
        "signed_in_as": _user(session),
    }


def _text(part: MIMEPart | None) -> str:
    # A mail's lines end with CRLF on the wire; readers want them as they were written.
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _user(session: Session) -> str | None:
    known = session.auth_data
    return known.login.decode() if isinstance(known, LoginPassword) else None


def _authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any) -> AuthResult:
    good = isinstance(given, LoginPassword) and given.login == USER and secrets.compare_digest(given.password, PASSWORD)
    return AuthResult(success=good, handled=False, auth_data=given if good else None)


async def serve_mail(post: Post, plain: socket.socket, under_tls: socket.socket, certificate: Path) -> None:
    """Serve SMTP on both sockets until the event loop ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()

    await loop.create_server(lambda: _server(post, offered=context), sock=plain)
    await loop.create_server(lambda: _server(post, offered=None), sock=under_tls, ssl=context)


def _server(post: Post, *, offered: ssl.SSLContext | None) -> SMTP:
    return SMTP(
        _Handler(post, under_tls=offered is None),
        hostname="localhost",
        ident=BANNER,
        tls_context=offered,
        authenticator=_authenticate,
        auth_require_tls=False,
        enable_SMTPUTF8=True,
    )
