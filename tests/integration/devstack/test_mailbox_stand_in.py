"""Promises of the mailbox: mail by Python's own SMTP client, webhooks by an ordinary HTTP client."""

import base64
import smtplib
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest

from devstack.processes import stand_in_command
from devstack.stack import Mailbox
from devstack.vault.process import Vault

ALERT = "alerts@ocs.example"
STAFF = "stella@shop.example"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    """Run one mailbox."""
    folder = tmp_path_factory.mktemp("mailbox")
    mailbox = Mailbox("mailbox", folder, stand_in_command("mailbox", "--folder", str(folder / "certificates")))
    mailbox.start()
    yield mailbox
    mailbox.stop()


@pytest.fixture
def mailbox(process: Mailbox) -> Mailbox:
    """Give the mailbox with nothing in it."""
    httpx.post(f"{process.control}/reset").raise_for_status()
    return process


@pytest.fixture
def smtp(mailbox: Mailbox) -> Iterator[smtplib.SMTP]:
    """Give a plain connection to the mail server."""
    with smtplib.SMTP("127.0.0.1", int(mailbox.smtp_port), timeout=10) as connection:
        yield connection


def trusting(mailbox: Mailbox) -> ssl.SSLContext:
    """Trust the mailbox's authority and nobody else."""
    return ssl.create_default_context(cafile=mailbox.ready["ca_file"])


def a_mail() -> EmailMessage:
    """Write a mail with words that need an encoding."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ALERT, STAFF, "Café Street: 5 lines wait"
    mail.set_content("Nothing has left for 5 min — see the page.\n")
    mail.add_alternative("<p>Nothing has left</p>", subtype="html")
    return mail


def came(mailbox: Mailbox, **words: str) -> list[dict[str, Any]]:
    """Give the mails that came."""
    mails: list[dict[str, Any]] = httpx.get(f"{mailbox.control}/mails", params=words).raise_for_status().json()
    return mails


def hooked(mailbox: Mailbox, **words: str) -> list[dict[str, Any]]:
    """Give the webhooks that came."""
    found: list[dict[str, Any]] = httpx.get(f"{mailbox.control}/webhooks", params=words).raise_for_status().json()
    return found


def test_a_mail_that_is_taken_can_be_read_whole(mailbox: Mailbox, smtp: smtplib.SMTP) -> None:
    smtp.send_message(a_mail())
    [mail] = came(mailbox)
    assert (mail["from"], mail["to"], mail["subject"]) == (ALERT, [STAFF], "Café Street: 5 lines wait")
    assert mail["text"] == "Nothing has left for 5 min — see the page.\n"
    assert mail["html"] == "<p>Nothing has left</p>\n"
    assert ["To", STAFF] in mail["headers"]
    assert (mail["tls"], mail["signed_in_as"]) == (False, None)


def test_mails_can_be_asked_for_by_who_gets_them(mailbox: Mailbox, smtp: smtplib.SMTP) -> None:
    """By the envelope: that decides who gets a mail."""
    smtp.sendmail(ALERT, ["one@shop.example", "two@shop.example"], b"Subject: both\r\n\r\nwords\r\n")
    smtp.sendmail(ALERT, ["two@shop.example"], b"Subject: two\r\n\r\nwords\r\n")
    assert [mail["subject"] for mail in came(mailbox, to="two@shop.example")] == ["both", "two"]
    assert [mail["subject"] for mail in came(mailbox, to="one@shop.example")] == ["both"]

    httpx.delete(f"{mailbox.control}/mails").raise_for_status()
    assert came(mailbox) == []


def test_starttls_is_offered_with_a_certificate_that_can_be_checked(mailbox: Mailbox) -> None:
    with smtplib.SMTP("localhost", int(mailbox.smtp_port), timeout=10) as connection:
        connection.starttls(context=trusting(mailbox))
        connection.send_message(a_mail())
    assert [mail["tls"] for mail in came(mailbox)] == [True]


def test_mail_under_tls_from_the_first_byte(mailbox: Mailbox) -> None:
    port = int(mailbox.ready["smtps_port"])
    with smtplib.SMTP_SSL("127.0.0.1", port, timeout=10, context=trusting(mailbox)) as connection:
        connection.send_message(a_mail())
    assert [mail["tls"] for mail in came(mailbox)] == [True]


def test_a_client_that_does_not_trust_the_certificate_sends_nothing(mailbox: Mailbox) -> None:
    """The certificate is of its own making: nobody knows it."""
    with (
        smtplib.SMTP("localhost", int(mailbox.smtp_port), timeout=10) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        connection.starttls(context=ssl.create_default_context())
    assert came(mailbox) == []


def test_signing_in_is_possible_and_a_wrong_password_refused(mailbox: Mailbox, smtp: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPAuthenticationError):
        smtp.login("mailbox", "guessed")
    smtp.login("mailbox", "not-a-secret")
    smtp.send_message(a_mail())
    assert [mail["signed_in_as"] for mail in came(mailbox)] == ["mailbox"]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_a_refusal_is_given_as_often_as_ordered(mailbox: Mailbox, smtp: smtplib.SMTP, step: str) -> None:
    order = {"at": step, "answer": "451 4.3.0 not now", "times": 2}
    httpx.post(f"{mailbox.control}/refusals", json=order).raise_for_status()
    for _ in range(2):
        with pytest.raises(smtplib.SMTPException, match="not now"):
            smtp.send_message(a_mail())
    assert came(mailbox) == []
    smtp.send_message(a_mail())
    assert len(came(mailbox)) == 1


def test_a_refusal_without_a_number_holds_until_it_is_cleared(mailbox: Mailbox, smtp: smtplib.SMTP) -> None:
    order = {"at": "rcpt", "answer": "550 5.1.1 no such user", "times": None}
    httpx.post(f"{mailbox.control}/refusals", json=order).raise_for_status()
    for _ in range(3):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.send_message(a_mail())
    httpx.delete(f"{mailbox.control}/refusals").raise_for_status()
    smtp.send_message(a_mail())
    assert len(came(mailbox)) == 1


def test_a_webhook_is_kept_byte_for_byte(mailbox: Mailbox) -> None:
    """A signature is over the bytes, so they must come back as they were."""
    body = '{"type": "alert.opened",  "store": "Zoë"}'.encode() + b"\xff"
    headers = {"webhook-id": "msg_1", "webhook-signature": "v1,abc="}
    reply = httpx.post(f"{mailbox.hooks}/head-office?a=1", content=body, headers=headers)
    assert reply.status_code == 204

    [hook] = hooked(mailbox)
    assert (hook["name"], hook["method"], hook["query"], hook["answered"]) == ("head-office", "POST", "a=1", 204)
    assert base64.b64decode(hook["body_base64"]) == body
    assert hook["body"].startswith('{"type": "alert.opened",  "store": "Zoë"}')
    assert headers.items() <= hook["headers"].items()


def test_a_receiver_fails_as_it_was_told_and_others_do_not(mailbox: Mailbox) -> None:
    order = {"status": 503, "headers": {"Retry-After": "3"}, "times": 1}
    httpx.put(f"{mailbox.control}/answers/one", json=order).raise_for_status()
    httpx.put(f"{mailbox.control}/answers/gone", json={"status": 410}).raise_for_status()

    failed = httpx.post(f"{mailbox.hooks}/one")
    assert (failed.status_code, failed.headers["Retry-After"]) == (503, "3")
    assert httpx.post(f"{mailbox.hooks}/one").status_code == 204
    assert httpx.post(f"{mailbox.hooks}/two").status_code == 204
    assert [httpx.post(f"{mailbox.hooks}/gone").status_code for _ in range(2)] == [410, 410]
    assert [hook["answered"] for hook in hooked(mailbox, name="one")] == [503, 204]

    httpx.delete(f"{mailbox.control}/answers/gone").raise_for_status()
    assert httpx.post(f"{mailbox.hooks}/gone").status_code == 204
    httpx.delete(f"{mailbox.control}/webhooks").raise_for_status()
    assert hooked(mailbox) == []


def test_a_slow_receiver_has_the_request_before_it_answers(mailbox: Mailbox) -> None:
    """So who gives up waiting must reckon with its having been seen."""
    httpx.put(f"{mailbox.control}/answers/slow", json={"status": 200, "seconds": 600}).raise_for_status()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{mailbox.hooks}/slow", timeout=1)
    assert len(hooked(mailbox, name="slow")) == 1


@pytest.mark.parametrize(
    ("method", "path", "order", "named"),
    [
        ("POST", "refusals", {"at": "quit", "answer": "451 no"}, "at"),
        ("POST", "refusals", {"at": "mail", "answer": "250 fine"}, "answer"),
        ("POST", "refusals", {"at": "mail", "answer": "451 no\r\n250 fine"}, "answer"),
        ("PUT", "answers/one", {"status": 42}, "status"),
        ("PUT", "answers/one", {"status": 500, "seconds": -1}, "seconds"),
    ],
)
def test_a_wrong_order_is_refused_and_the_word_named(
    mailbox: Mailbox, method: str, path: str, order: dict[str, Any], named: str
) -> None:
    reply = httpx.request(method, f"{mailbox.control}/{path}", json=order)
    assert (reply.status_code, reply.headers["x-stand-in"]) == (400, "not a mail server, not a customer")
    assert named in reply.json()["error"]


def test_it_has_the_vaults_authority_where_it_shares_its_folder(tmp_path: Path) -> None:
    """Started at the same moment, and then the app needs to trust one authority for both."""
    vault = Vault(tmp_path)
    mailbox = Mailbox("mailbox", tmp_path, stand_in_command("mailbox", "--folder", str(tmp_path / "vault")))
    for part in (vault, mailbox):
        part.launch()
    for part in (vault, mailbox):
        part.wait_ready()
    with smtplib.SMTP("127.0.0.1", int(mailbox.smtp_port), timeout=10) as connection:
        answer = connection.starttls(context=ssl.create_default_context(cafile=vault.ca_file))
    assert answer[0] == 220
    assert (vault.stop(), mailbox.stop()) == (0, 0)
