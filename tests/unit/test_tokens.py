"""Which tokens of the sign-in are believed; an issuer in memory publishes its keys and can change them."""

import base64
import json
from typing import Any

import httpx
import jwt
import pytest

from ocs.access import tokens
from ocs.access.tokens import Person, SignIn
from ocs.errors import ConfigurationError, NotSignedIn
from tests.unit.issuer import AUDIENCE, ISSUER, Issuer


@pytest.fixture
def issuer() -> Issuer:
    """Give an issuer with one key."""
    made = Issuer()
    made.add_key("one")
    return made


@pytest.fixture
def sign_in(issuer: Issuer) -> SignIn:
    """Give the app's side."""
    return SignIn(httpx.AsyncClient(transport=httpx.MockTransport(issuer.answer)), ISSUER, AUDIENCE)


async def test_a_good_token_names_the_person_and_the_keys_are_read_once(issuer: Issuer, sign_in: SignIn) -> None:
    assert await sign_in.person(issuer.token()) == Person("oid-1", "Ada")
    assert await sign_in.person(issuer.token(oid=None, name=None, preferred_username="ada@x")) == Person(
        "sub-1", "ada@x"
    )
    assert issuer.reads == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"aud": "another"}, "InvalidAudience"),
        ({"iss": "https://evil.example"}, "InvalidIssuer"),
        ({"exp": 1}, "expired"),
        ({"exp": None}, "MissingRequiredClaim"),
        ({"aud": None}, "MissingRequiredClaim"),
        ({"nbf": 2**33}, "ImmatureSignature"),
        ({"iat": 2**33}, "ImmatureSignature"),
        ({"sub": None}, "MissingRequiredClaim"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else None,
)
async def test_a_wrong_claim_is_refused_in_words(
    issuer: Issuer, sign_in: SignIn, changes: dict[str, Any], said: str
) -> None:
    token = issuer.token(**changes)
    with pytest.raises(NotSignedIn, match=said) as caught:
        await sign_in.person(token)
    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.é.é", "." * 5000])
async def test_what_is_no_jwt_is_refused(sign_in: SignIn, token: str) -> None:
    with pytest.raises(NotSignedIn, match="not a JWT"):
        await sign_in.person(token)


async def test_an_unsigned_token_and_one_signed_with_the_public_key_are_refused(
    issuer: Issuer, sign_in: SignIn
) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').decode().rstrip("=")
    unsigned = f"{header}.{issuer.token().split('.')[1]}."
    with pytest.raises(NotSignedIn):
        await sign_in.person(unsigned)
    with pytest.raises(NotSignedIn):
        await sign_in.person(jwt.encode({"sub": "x"}, "k" * 64, "HS256", {"kid": "one"}))


async def test_a_token_of_another_key_of_the_same_name_is_refused(issuer: Issuer, sign_in: SignIn) -> None:
    await sign_in.person(issuer.token())
    issuer.add_key("one")
    with pytest.raises(NotSignedIn, match="InvalidSignature"):
        await sign_in.person(issuer.token())


async def test_keys_rotate_without_a_restart_and_a_flood_of_unknown_keys_asks_once(
    issuer: Issuer, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in.person(issuer.token())
    issuer.add_key("two")
    token = issuer.token("two")
    for _ in range(5):
        with pytest.raises(NotSignedIn, match="does not publish"):
            await sign_in.person(token)
    assert issuer.reads == 1, "the keys were read a moment ago"
    monkeypatch.setattr(tokens, "LEAST_SECONDS_BETWEEN_READS", 0)
    assert (await sign_in.person(token)).subject == "oid-1"
    assert (await sign_in.person(issuer.token())).subject == "oid-1", "the old key overlaps"


async def test_an_issuer_that_is_away_keeps_nobody_out_who_could_sign_in_before(
    issuer: Issuer, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.down = True
    with pytest.raises(ConfigurationError, match="could not be read"):
        await sign_in.person(issuer.token())
    issuer.down = False
    await sign_in.person(issuer.token())
    issuer.down = True
    monkeypatch.setattr(tokens, "KEYS_LAST_SECONDS", 0)
    assert (await sign_in.person(issuer.token())).name == "Ada"
