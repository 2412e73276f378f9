"""How a POS's key is written, and how a message is signed with it."""

import base64
import hashlib
import hmac
import string

import pytest
from hypothesis import given, strategies as st

from ocs.message_text import decode
from ocs.pos.key_text import is_same, new_key, read_key
from ocs.pos.signed_text import HEAD_BYTES, is_marked, read_signed, sign, signature_of
from ocs.web.rate import RateLimit

BODIES = st.text(st.characters(codec="utf-8"), min_size=1).map(lambda text: "{" + text + "}")
KEY = "ocs_3f9c0a1b2c4d_" + "5" * 64 + "00000000"


def test_a_new_key_is_read_as_it_was_written() -> None:
    key = new_key()
    assert read_key(key.text) == key
    assert key.text.startswith(f"ocs_{key.key_id}_")
    assert key.secret_name == f"key-of-pos-{key.key_id}"


def test_no_two_keys_are_alike() -> None:
    assert len({new_key().text for _ in range(200)}) == 200


def test_a_key_does_not_show_itself_in_logs() -> None:
    key = new_key()
    assert key.text not in repr(key)


@given(st.data())
def test_a_mistyped_key_is_told_from_a_wrong_one(data: st.DataObject) -> None:
    """Any one character changed is found without asking anybody: CRC-32 finds every change of up to 32 bits."""
    text = new_key().text
    at = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(string.hexdigits + "_-").filter(lambda letter: letter != text[at]))
    assert read_key(text[:at] + other + text[at + 1 :]) is None


@given(st.text(max_size=120))
def test_what_is_no_key_is_none(text: str) -> None:
    assert read_key(text) is None


def test_a_key_is_the_same_as_its_own_hash_only() -> None:
    key = new_key()
    assert is_same(key, key.hash)
    assert not is_same(key, new_key().hash)
    assert not is_same(key, None)


@given(BODIES)
def test_a_signed_message_is_opened_to_what_was_signed(body: str) -> None:
    text = sign("3f9c0a1b2c4d", KEY, body)
    signed = read_signed(text)
    assert signed is not None
    assert signed.message_id != (read_signed(sign("3f9c0a1b2c4d", KEY, body)) or signed).message_id
    assert (signed.key_id, signed.body) == ("3f9c0a1b2c4d", body)
    assert signed.is_signed_with(KEY)
    assert len(text.encode()) == len(body.encode()) + HEAD_BYTES


@given(BODIES, st.data())
def test_one_changed_character_of_the_body_breaks_the_signature(body: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda letter: letter != body[at]))
    head = sign("3f9c0a1b2c4d", KEY, body).partition("\n")[0]
    signed = read_signed(f"{head}\n{body[:at]}{other}{body[at + 1 :]}")
    assert signed is not None
    assert not signed.is_signed_with(KEY)


@given(BODIES)
def test_another_key_makes_another_signature(body: str) -> None:
    signed = read_signed(sign("3f9c0a1b2c4d", KEY, body))
    assert signed is not None
    assert not signed.is_signed_with(new_key().text)


@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    read_signed(text)
    marked = f"ocs-signed {text}"
    assert is_marked(marked)
    signed = read_signed(marked)
    assert signed is None or marked.endswith(signed.body)


def test_the_signature_is_the_one_of_the_documents() -> None:
    """Reckoned by the standard library alone, as docs/pos-developers.md tells a POS to."""
    body, stamp = '{"tenant_id": "CROL1000001"}', "2026-11-20T19:31:30.123Z"
    expected = hmac.new(KEY.encode(), f"{stamp}\n{body}".encode(), hashlib.sha256).hexdigest()
    assert signature_of(KEY, stamp, body) == expected


def test_another_stamp_makes_another_signature() -> None:
    signed = read_signed(sign("3f9c0a1b2c4d", KEY, "{}", "one"))
    other = read_signed(sign("3f9c0a1b2c4d", KEY, "{}", "one").replace(" one ", " two "))
    assert signed is not None
    assert other is not None
    assert (signed.is_signed_with(KEY), other.is_signed_with(KEY)) == (True, False)


def test_capital_letters_and_a_windows_line_end_are_read_too() -> None:
    body = '{"n": 1}'
    signed = read_signed(f"ocs-signed v1 3f9c0a1b2c4d one {signature_of(KEY, 'one', body).upper()}\r\n{body}")
    assert signed is not None
    assert signed.is_signed_with(KEY)


@pytest.mark.parametrize("head", ["ocs-signed ", "ocs-signed v2 3f9c0a1b2c4d x " + "0" * 64, "ocs-signed v1 3f9c x 00"])
def test_a_head_that_is_not_whole_is_none(head: str) -> None:
    assert read_signed(head + '\n{"n": 1}') is None


@given(BODIES)
def test_a_signed_message_comes_through_plain_and_in_base64(body: str) -> None:
    """A queue client of one language sends plain text, another base64 (docs/pos-developers.md)."""
    text = sign("3f9c0a1b2c4d", KEY, body)
    assert decode(text.encode()) == decode(base64.b64encode(text.encode())) == text.strip()


def test_each_caller_has_a_limit_of_its_own() -> None:
    limit = RateLimit(2)
    assert [limit.check("one"), limit.check("one"), limit.check("other")] == [None, None, None]
    wait = limit.check("one")
    assert wait is not None
    assert 0 < wait <= 60
