"""How alerts leave the house: rates, waits, addresses, signatures and words, whatever they are given."""

import base64
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given, strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from ocs.alerts.outlets import address, allowance, mail, webhook, words
from ocs.alerts.outlets.mail import Mail

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEWS = words.News(
    event="opened",
    alert_id=7,
    cause="position_missing",
    title="Last night's position is missing",
    severity="critical",
    message="It was refused.",
    opened_at=datetime(2026, 11, 20, 7, 5, tzinfo=UTC),
    closed_at=None,
)


@given(st.integers(0, 10_000), st.integers(0, 500), st.integers(1, 200))
def test_messages_stay_within_the_hours_allowance_and_leave_nothing_out(waiting: int, sent: int, an_hour: int) -> None:
    groups = allowance.groups(waiting, sent, an_hour)
    assert len(groups) <= max(an_hour - sent, 0)
    assert sum(groups) == (waiting if sent < an_hour else 0)
    assert len(groups) == 1 or set(groups) <= {1}


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 400)), min_size=1, max_size=200), st.integers(1, 30))
def test_no_hour_ever_has_more_messages_than_allowed(waves: list[tuple[int, int]], an_hour: int) -> None:
    """`waves`: so many new notifications, after so many seconds."""
    now, waiting, sent = 0, 0, list[int]()
    for fresh, seconds in waves:
        now, waiting = now + seconds, waiting + fresh
        groups = allowance.groups(waiting, sum(at > now - 3600 for at in sent), an_hour)
        waiting -= sum(groups)
        sent += [now] * len(groups)
        assert sum(at > now - 3600 for at in sent) <= an_hour


@given(st.integers(0, 10_000))
def test_waits_grow_up_to_six_hours(tries: int) -> None:
    wait = allowance.wait_after(tries)
    assert timedelta(minutes=1) <= wait <= timedelta(hours=6)
    assert allowance.wait_after(tries + 1) >= wait
    assert 0.9 * wait <= allowance.jittered(wait) <= 1.1 * wait


@given(st.binary(min_size=24, max_size=64), st.text())
def test_every_signature_is_taken_by_the_standards_own_library(key: bytes, text: str) -> None:
    secret = webhook.PREFIX + base64.b64encode(key).decode()
    body = f'{{"text": {text.encode("utf-8", "backslashreplace")!r}}}'.replace("'", '"')
    signed = webhook.headers(uuid4(), body.encode(), secret, int(time.time()))
    assert signed["webhook-signature"] == Webhook(secret).sign(
        signed["webhook-id"], datetime.fromtimestamp(int(signed["webhook-timestamp"]), UTC), body
    )


def test_a_changed_body_or_an_old_one_is_not_ours() -> None:
    body = words.webhook([NEWS], None, datetime.now(UTC)).body
    signed = webhook.headers(uuid4(), body.encode(), SECRET, int(time.time()))
    assert Webhook(SECRET).verify(body, signed)["data"]["alert_id"] == 7
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace("7", "8"), signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, webhook.headers(uuid4(), body.encode(), SECRET, int(time.time()) - 3600))


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_MfKQ9r8GKYqrTwjU", "whsec_not base64!", "whsec_" + "A" * 120])
def test_a_secret_that_is_none_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="random bytes") as caught:
        webhook.key_of(secret)
    assert secret == "" or secret.removeprefix("whsec_") == "" or secret not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://alerts.example.com/",
        "ftp://alerts.example.com/",
        "alerts.example.com",
        "https://",
        "https:///path",
        "https://a b.example/",
        "https://bücher.example/",
        "https://name@alerts.example.com/",
        "https://good.example\\@127.0.0.1/",
        "https://alerts.example.com/#here",
        "https://alerts.example.com:99999/",
        "https://localhost/",
        "https://a.localhost/",
        "https://localhost./",
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://172.16.9.9/",
        "https://169.254.169.254/metadata/instance",
        "https://168.63.129.16/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00::1]/",
        "https://x.example/" + "a" * 3000,
    ],
)
def test_a_webhook_leads_to_the_public_internet_by_https_only(url: str) -> None:
    assert address.fault_of(url, on_local_stack=False) is not None


@pytest.mark.parametrize(
    "url", ["https://alerts.example.com/ocs?to=us", "https://93.184.216.34:8443/x", "https://[2606:4700::1111]/"]
)
def test_a_public_address_is_taken(url: str) -> None:
    assert address.fault_of(url, on_local_stack=False) is None


def test_the_local_stack_may_be_called_by_http() -> None:
    assert address.fault_of("http://127.0.0.1:8080/hook", on_local_stack=True) is None


@given(st.text())
def test_a_subject_carries_no_header_whatever_it_is_made_of(text: str) -> None:
    letter = mail.written(Mail("a@b.example", uuid4(), text.encode("utf-8", "ignore").decode(), "x"), "from@c.example")
    lines = letter.as_bytes().split(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0] for line in lines if not line.startswith((b" ", b"\t"))]
    assert sorted(names) == sorted(
        [
            b"From",
            b"To",
            b"Subject",
            b"Date",
            b"Message-ID",
            b"Auto-Submitted",
            b"Content-Type",
            b"Content-Transfer-Encoding",
            b"MIME-Version",
        ]
    )


@pytest.mark.parametrize(
    "to",
    ["", "a", "a@", "@b", "a@b\r\nBcc: c@d", "Name <a@b.example>", "a@b.example, c@d.example", "a b@c", "é@b.example"],
)
def test_what_is_no_plain_address_gets_no_mail(to: str) -> None:
    assert mail.ADDRESS.fullmatch(to) is None


def test_a_mail_of_the_end_says_what_is_over() -> None:
    closed = words.News(**{**NEWS.__dict__, "event": "closed", "closed_at": datetime(2026, 11, 20, 8, 0, tzinfo=UTC)})
    letter = words.mail([closed], None)
    assert letter.subject == "OCS alert over: Last night's position is missing, the whole platform"
    assert letter.body.startswith("This is over. It said:\nIt was refused.")
    assert "Over: 2026-11-20 08:00 (UTC)" in letter.body
