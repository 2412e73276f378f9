"""Promises of the sign-in stand-in: OpenID Connect by a client that knows nothing of how it is made."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from devstack.sign_in.people import PEOPLE, oid_of
from devstack.stack import SignIn
from tests.integration.devstack.signing_in import SignInForm, pick

BACK = "http://127.0.0.1:7071/.auth/login/aad/callback"
VERIFIER = "a-verifier-of-enough-characters-0123456789-abcdef"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    """Give a browser that follows no redirect by itself."""
    with httpx.Client(timeout=10) as client:
        yield client


@pytest.fixture
def about(sign_in: SignIn) -> dict[str, Any]:
    """Read what the issuer says of itself."""
    told: dict[str, Any] = httpx.get(f"{sign_in.issuer}/.well-known/openid-configuration").raise_for_status().json()
    return told


def asked(sign_in: SignIn, **changes: str) -> dict[str, str]:
    """Give a good authorization request; an empty change leaves a word out."""
    good = {
        "client_id": sign_in.client_id,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid profile",
        "state": "the state",
        "nonce": "the nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (good | changes).items() if value}


def code_for(browser: httpx.Client, sign_in: SignIn, about: dict[str, Any], person: str) -> str:
    """Sign somebody in; gives the code that the app would get."""
    page = browser.get(about["authorization_endpoint"], params=asked(sign_in))
    target = pick(browser, page, person).headers["location"]
    assert target.startswith(f"{BACK}?")
    words = parse_qs(urlsplit(target).query)
    assert words["state"] == ["the state"]
    return words["code"][0]


def redeem(sign_in: SignIn, about: dict[str, Any], code: str, **changes: str) -> httpx.Response:
    """Ask for the tokens of a code."""
    form = {"grant_type": "authorization_code", "client_id": sign_in.client_id, "redirect_uri": BACK}
    return httpx.post(about["token_endpoint"], data=form | {"code": code, "code_verifier": VERIFIER} | changes)


def claims_of(token: str, sign_in: SignIn, about: dict[str, Any]) -> dict[str, Any]:
    """Check a token as any library does; gives its claims. Raises jwt.InvalidTokenError."""
    keys = jwt.PyJWKSet.from_dict(httpx.get(about["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], audience=sign_in.client_id, issuer=sign_in.issuer
    )
    return claims


def test_the_issuer_says_where_everything_is(sign_in: SignIn, about: dict[str, Any]) -> None:
    """Under its own name, which has a path as Entra's has."""
    assert about["issuer"] == sign_in.issuer
    assert sign_in.issuer.endswith("/v2.0")
    assert all(about[name].startswith(f"{sign_in.issuer}/") for name in about if name.endswith(("_endpoint", "_uri")))
    assert {key["alg"] for key in httpx.get(about["jwks_uri"]).json()["keys"]} == {"RS256"}


def test_a_sign_in_gives_tokens_that_any_library_takes(
    browser: httpx.Client, sign_in: SignIn, about: dict[str, Any]
) -> None:
    reply = redeem(sign_in, about, code_for(browser, sign_in, about, "manager"))
    assert reply.status_code == 200
    of_id = claims_of(reply.json()["id_token"], sign_in, about)
    of_access = claims_of(reply.json()["access_token"], sign_in, about)

    assert (of_id["oid"], of_id["name"], of_id["nonce"]) == (oid_of("manager"), "Max Manager", "the nonce")
    assert (of_id["preferred_username"], of_id["ver"]) == ("manager@ocs.example", "2.0")
    assert of_id["exp"] - of_id["iat"] == reply.json()["expires_in"] == 3600
    assert of_id["sub"] == of_access["sub"] != of_id["oid"]
    assert of_id["tid"] in sign_in.issuer
    assert "nonce" not in of_access


def test_the_page_names_everybody_and_says_loudly_what_it_is(
    browser: httpx.Client, sign_in: SignIn, about: dict[str, Any]
) -> None:
    page = browser.get(about["authorization_endpoint"], params=asked(sign_in))
    form = SignInForm(page.text)
    assert "NOT Microsoft Entra ID" in form.words
    assert form.people == {person.key: person.name + person.user_name for person in PEOPLE}
    assert '<html lang="en">' in page.text
    assert "<script" not in page.text
    assert page.headers["x-stand-in"] == "not Microsoft Entra ID"


def test_what_is_asked_cannot_write_into_the_page(
    browser: httpx.Client, sign_in: SignIn, about: dict[str, Any]
) -> None:
    page = browser.get(about["authorization_endpoint"], params=asked(sign_in, state='"><script>'))
    assert SignInForm(page.text).hidden["state"] == '"><script>'
    assert "<script>" not in page.text


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "another-app"},
        {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
        {"redirect_uri": "https://evil.example/callback"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"scope": "profile"},
    ],
    ids=lambda changes: ",".join(f"{name}={value}" for name, value in changes.items()),
)
def test_a_wrong_request_is_shown_and_sends_the_browser_nowhere(
    browser: httpx.Client, sign_in: SignIn, about: dict[str, Any], changes: dict[str, str]
) -> None:
    """Whether it asks for the page or goes past it."""
    wrong = asked(sign_in, **changes)
    shown = browser.get(about["authorization_endpoint"], params=wrong)
    past = browser.post(about["authorization_endpoint"], data=wrong | {"person": "manager"})
    assert (shown.status_code, past.status_code) == (400, 400)
    assert next(iter(changes)) in SignInForm(shown.text).words


def test_an_unknown_person_gets_no_code(browser: httpx.Client, sign_in: SignIn, about: dict[str, Any]) -> None:
    page = browser.get(about["authorization_endpoint"], params=asked(sign_in))
    words = parse_qs(urlsplit(pick(browser, page, "nobody").headers["location"]).query)
    assert words["error"] == ["access_denied"]
    assert "code" not in words


def test_a_code_is_good_once(browser: httpx.Client, sign_in: SignIn, about: dict[str, Any]) -> None:
    code = code_for(browser, sign_in, about, "staff")
    assert redeem(sign_in, about, code).status_code == 200
    assert redeem(sign_in, about, code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": VERIFIER[:-1]}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": BACK + "/other"}, "invalid_grant"),
        ({"client_id": "another-app"}, "invalid_grant"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
    ],
)
def test_a_code_is_given_up_only_to_who_asked_for_it(
    browser: httpx.Client, sign_in: SignIn, about: dict[str, Any], changes: dict[str, str], error: str
) -> None:
    reply = redeem(sign_in, about, code_for(browser, sign_in, about, "staff"), **changes)
    assert (reply.status_code, reply.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    ("back", "location"),
    [(BACK, BACK), ("https://evil.example/", None), ("http://evil.example@127.0.0.1.evil.example/", None), ("", None)],
)
def test_signing_out_goes_back_to_this_machine_only(
    browser: httpx.Client, about: dict[str, Any], back: str, location: str | None
) -> None:
    reply = browser.get(about["end_session_endpoint"], params={"post_logout_redirect_uri": back})
    assert reply.headers.get("location") == location
    assert reply.status_code == (200 if location is None else 302)
