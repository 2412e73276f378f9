"""Sends a message as a plain text mail by SMTP; no HTML, no attachments, and a subject that cannot carry a header."""

import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from uuid import UUID

import aiosmtplib

from ocs.alerts.outlets.webhook import NotDelivered
from ocs.settings import Settings

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,255}\Z)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
"""One plain address, without a display name (HTML Living Standard, "valid e-mail address")."""
LONGEST_SUBJECT = 150
ONE_LINE = policy.SMTP.clone(max_line_length=LONGEST_SUBJECT + 50, cte_type="7bit")
"""A subject stands on one line: folded behind its colon it would begin with a space."""
SECONDS = 15.0


@dataclass(frozen=True)
class Mail:
    """A mail: to one address; `message_id` is the same when it is sent a second time."""

    to: str
    message_id: UUID
    subject: str
    text: str


def written(mail: Mail, sender: str) -> EmailMessage:
    """Write a mail out; control characters, line ends among them, become spaces in its subject."""
    message = EmailMessage(policy=ONE_LINE)
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = one_line(mail.subject)
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{mail.message_id.hex}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday note answers it
    message.set_content(mail.text)
    return message


def one_line(text: str) -> str:
    """Give a text as one line of printable characters, cut to a subject's length."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= LONGEST_SUBJECT else f"{plain[: LONGEST_SUBJECT - 1]}…"


async def send(settings: Settings, mail: Mail, password: str | None) -> None:
    """Hand a mail to the mail server; raises NotDelivered unless the server takes it within 15 s."""
    if settings.smtp_host is None:
        raise NotDelivered("this installation sends no mail: OCS_SMTP_HOST is not set")
    try:
        await aiosmtplib.send(
            written(mail, settings.smtp_from).as_bytes(),
            sender=settings.smtp_from,
            recipients=[mail.to],
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_tls == "tls",
            start_tls=settings.smtp_tls == "starttls",
            username=settings.smtp_user if password is not None else None,
            password=password,
            timeout=SECONDS,
        )
    except aiosmtplib.SMTPResponseException as error:
        raise NotDelivered(f"the mail server answered {error.code}: {one_line(str(error.message))}") from None
    except aiosmtplib.SMTPRecipientsRefused:
        raise NotDelivered("the mail server refuses this address") from None
    except (aiosmtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"the mail server was not reached: {type(error).__name__}") from None
    except ValueError as error:
        raise NotDelivered(f"the mail could not be written: {type(error).__name__}") from None
