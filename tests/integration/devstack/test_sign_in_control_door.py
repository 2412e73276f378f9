"""Promises of the sign-in's control door: people, tokens right and wrong, keys, and going down."""

import hmac
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode

from devstack.sign_in.people import PEOPLE, oid_of
from devstack.stack import SignIn


def made(sign_in: SignIn, **order: Any) -> str:
    """Order a token."""
    reply = httpx.post(f"{sign_in.control}/tokens", json={"person": "viewer"} | order).raise_for_status()
    return str(reply.json()["token"])


def claims_of(token: str, sign_in: SignIn) -> dict[str, Any]:
    """Check a token with the published keys; raises jwt.InvalidTokenError, or KeyError for a key that is not there."""
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{sign_in.issuer}/keys").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], audience=sign_in.client_id, issuer=sign_in.issuer
    )
    return claims


@pytest.mark.parametrize("person", [person.key for person in PEOPLE])
def test_a_good_token_of_each_known_person_comes_as_plain_text(sign_in: SignIn, person: str) -> None:
    """So that a shell can put it into a header as it is."""
    reply = httpx.get(f"{sign_in.control}/tokens/{person}")
    assert claims_of(reply.text, sign_in)["oid"] == oid_of(person)
    assert reply.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("order", "refused"),
    [
        ({"claims": {"aud": "another-app"}}, jwt.InvalidAudienceError),
        ({"claims": {"aud": None}}, jwt.MissingRequiredClaimError),
        ({"claims": {"iss": "https://login.evil.example/v2.0"}}, jwt.InvalidIssuerError),
        ({"seconds": -1}, jwt.ExpiredSignatureError),
        ({"signed": "wrong-key"}, jwt.InvalidSignatureError),
        ({"signed": "not-at-all"}, jwt.InvalidAlgorithmError),
        ({"signed": "public-key-as-secret"}, jwt.InvalidAlgorithmError),
        ({"signed": "unknown-key"}, KeyError),
    ],
    ids=str,
)
def test_a_token_can_be_ordered_that_nobody_may_accept(
    sign_in: SignIn, order: dict[str, Any], refused: type[Exception]
) -> None:
    """Each is refused by a library that checks, and for the reason that was ordered: the rest of it is good."""
    with pytest.raises(refused):
        claims_of(made(sign_in, **order), sign_in)


def test_the_traps_would_catch_a_careless_reader(sign_in: SignIn) -> None:
    """Who lets the token choose its algorithm takes the public key for a secret, or `none` for a signature."""
    public = jwt.PyJWKSet.from_dict(httpx.get(f"{sign_in.issuer}/keys").json()).keys[0].key
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    begun, _, signature = made(sign_in, signed="public-key-as-secret").rpartition(".")
    assert hmac.digest(pem, begun.encode(), "sha256") == base64url_decode(signature)

    unsigned = made(sign_in, signed="not-at-all")
    assert jwt.get_unverified_header(unsigned)["alg"] == "none"
    assert unsigned.endswith(".")


def test_claims_can_be_written_over_and_taken_out(sign_in: SignIn) -> None:
    claims = claims_of(made(sign_in, use="id", claims={"name": "Another", "nonce": "n", "oid": None}), sign_in)
    assert (claims["name"], claims["nonce"]) == ("Another", "n")
    assert "oid" not in claims


def test_the_key_before_stays_good_until_it_is_retired(sign_in: SignIn) -> None:
    before = made(sign_in)
    rotated = httpx.post(f"{sign_in.control}/keys/rotate").json()
    assert len(rotated["published"]) == 2
    assert jwt.get_unverified_header(made(sign_in))["kid"] == rotated["current"]
    assert claims_of(before, sign_in)["oid"] == oid_of("viewer")

    assert httpx.post(f"{sign_in.control}/keys/retire").json()["published"] == [rotated["current"]]
    with pytest.raises(KeyError):
        claims_of(before, sign_in)
    assert claims_of(made(sign_in), sign_in)["oid"] == oid_of("viewer")


def test_an_issuer_that_is_down_answers_nothing_but_its_door(sign_in: SignIn) -> None:
    httpx.put(f"{sign_in.control}/down", json={"down": True}).raise_for_status()
    addresses = ("/keys", "/authorize", "/.well-known/openid-configuration", "/logout")
    assert {httpx.get(sign_in.issuer + address).status_code for address in addresses} == {503}
    assert httpx.post(f"{sign_in.issuer}/token").status_code == 503

    httpx.put(f"{sign_in.control}/down", json={"down": False}).raise_for_status()
    assert httpx.get(f"{sign_in.issuer}/keys").status_code == 200


def test_people_can_be_named_changed_and_taken_away(sign_in: SignIn) -> None:
    """A change keeps what it does not name."""
    door = f"{sign_in.control}/people/zoe"
    oid = "11111111-2222-4333-8444-555555555555"
    assert httpx.put(door, json={"name": "Zoë <Z>"}).json()["oid"] == oid_of("zoe")
    httpx.put(door, json={"oid": oid}).raise_for_status()
    claims = claims_of(made(sign_in, person="zoe"), sign_in)
    assert (claims["oid"], claims["name"]) == (oid, "Zoë <Z>")
    assert "zoe" in [person["key"] for person in httpx.get(f"{sign_in.control}/people").json()]

    assert httpx.delete(door).status_code == 204
    assert httpx.delete(door).status_code == 404
    assert httpx.get(f"{sign_in.control}/tokens/zoe").status_code == 404
    assert httpx.post(f"{sign_in.control}/tokens", json={"person": "zoe"}).status_code == 404


def test_the_issuer_counts_what_it_is_asked(sign_in: SignIn) -> None:
    """So that a test sees whether keys are kept."""
    for _ in range(2):
        httpx.get(f"{sign_in.issuer}/keys").raise_for_status()
    assert httpx.get(f"{sign_in.control}/calls").json() == {"keys": 2}


@pytest.mark.parametrize(
    ("method", "path", "order", "named"),
    [
        ("POST", "tokens", {"person": "viewer", "sgined": "well"}, "sgined"),
        ("POST", "tokens", {"person": "viewer", "signed": "badly"}, "signed"),
        ("PUT", "people/zoe", {"oid": "not a uuid"}, "oid"),
        ("PUT", "down", {}, "down"),
    ],
)
def test_a_wrong_order_is_refused_and_the_word_named(
    sign_in: SignIn, method: str, path: str, order: dict[str, Any], named: str
) -> None:
    reply = httpx.request(method, f"{sign_in.control}/{path}", json=order)
    assert reply.status_code == 400
    assert named in reply.json()["error"]
