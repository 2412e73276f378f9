"""App Service Authentication in front of the host: a browser signs in, and the app is told who it is."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from devstack.processes import ChildError
from devstack.sign_in.people import oid_of
from devstack.stack import SignIn
from tests.integration.devstack.functions_host.sample_host import SampleHost
from tests.integration.devstack.signing_in import pick

LOGIN = "/.auth/login/aad"
FORGED = {
    "X-MS-CLIENT-PRINCIPAL": base64.b64encode(b"{}").decode(),
    "X-MS-CLIENT-PRINCIPAL-ID": "somebody",
    "x-ms-client-principal-name": "somebody",
    "X-Ms-Client-Principal-Idp": "aad",
    "X-MS-TOKEN-AAD-ID-TOKEN": "a.b.c",
    "X-MS-TOKEN-AAD-ACCESS-TOKEN": "a.b.c",
}
ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "javascript:alert(1)",
    "evil.example",
    "/a\r\nSet-Cookie: a=b",
    "/" + "a" * 2000,
)


@pytest.fixture
def url(sample: SampleHost, sign_in: SignIn) -> str:
    """Run a host that signs browsers in; gives its address."""
    sample.start("--auth-issuer", sign_in.issuer, "--auth-client-id", sign_in.client_id)
    return sample.url


@pytest.fixture
def browser(url: str) -> Iterator[httpx.Client]:
    """Give a browser on the host that follows no redirect by itself."""
    with httpx.Client(base_url=url, timeout=10) as client:
        yield client


def signed_in(browser: httpx.Client, person: str, target: str = "/api/who?tab=1") -> httpx.Response:
    """Sign somebody in; gives the callback's answer."""
    begun = browser.get(LOGIN, params={"post_login_redirect_uri": target})
    assert begun.status_code == 302
    page = browser.get(begun.headers["location"])
    return browser.get(pick(browser, page, person).headers["location"])


def seen(browser: httpx.Client, **headers: str) -> dict[str, str]:
    """Ask the app which headers about a person it sees."""
    told: dict[str, str] = browser.get("/api/who", headers=headers).raise_for_status().json()
    return told


def test_the_app_is_told_who_signed_in(browser: httpx.Client) -> None:
    """By the headers of App Service, and the browser is back where it wanted to be."""
    back = signed_in(browser, "manager")
    assert (back.status_code, back.headers["location"]) == (302, "/api/who?tab=1")

    told = seen(browser)
    principal = json.loads(base64.b64decode(told.pop("x-ms-client-principal")))
    token = told.pop("x-ms-token-aad-id-token")
    assert told == {
        "x-ms-client-principal-id": oid_of("manager"),
        "x-ms-client-principal-name": "manager@ocs.example",
        "x-ms-client-principal-idp": "aad",
    }
    claims = {one["typ"]: one["val"] for one in principal["claims"]}
    assert principal["auth_typ"] == "aad"
    assert claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] == oid_of("manager")
    assert jwt.decode(token, options={"verify_signature": False})["oid"] == oid_of("manager")


def test_the_id_token_that_the_app_sees_is_the_issuers_own(browser: httpx.Client, sign_in: SignIn) -> None:
    signed_in(browser, "staff")
    token = seen(browser)["x-ms-token-aad-id-token"]
    keys = jwt.PyJWKSet.from_dict(httpx.get(f"{sign_in.issuer}/keys").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=sign_in.client_id, issuer=sign_in.issuer)
    assert claims["name"] == "Stella Staff"


def test_nobody_outside_can_say_who_is_signed_in(browser: httpx.Client) -> None:
    """Neither a stranger, who passes as a stranger, nor somebody who wants to be somebody else."""
    assert seen(browser, **FORGED) == {}
    signed_in(browser, "viewer")
    told = seen(browser, **FORGED)
    assert told["x-ms-client-principal-id"] == oid_of("viewer")
    assert "x-ms-token-aad-access-token" not in told
    assert "a.b.c" not in told.values()


def test_the_session_is_closed_to_scripts_and_other_sites(browser: httpx.Client) -> None:
    cookies = signed_in(browser, "viewer").headers.get_list("set-cookie")
    [session] = [cookie for cookie in cookies if cookie.startswith("AppServiceAuthSession=")]
    words = {word.strip().lower() for word in session.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= words
    assert oid_of("viewer") not in session


def test_a_session_that_was_changed_or_made_up_is_none(browser: httpx.Client) -> None:
    signed_in(browser, "viewer")
    good = browser.cookies["AppServiceAuthSession"]
    for wrong in (good[:-6] + "AAAAA=", "made up", ""):
        browser.cookies.clear()
        browser.cookies.set("AppServiceAuthSession", wrong)
        assert seen(browser) == {}


def test_a_session_outlives_a_host_that_starts_again_with_its_key(
    browser: httpx.Client, sample: SampleHost, sign_in: SignIn
) -> None:
    """As it outlives an instance in Azure; a cookie does not tell ports apart, so the new one may be elsewhere."""
    signed_in(browser, "manager")
    sample.start("--auth-issuer", sign_in.issuer, "--auth-client-id", sign_in.client_id)
    reply = httpx.get(f"{sample.url}/api/who", cookies=dict(browser.cookies))
    assert reply.json()["x-ms-client-principal-id"] == oid_of("manager")


def test_me_tells_the_page_who_is_there(browser: httpx.Client) -> None:
    assert browser.get("/.auth/me").status_code == 401
    signed_in(browser, "manager")
    [about] = browser.get("/.auth/me").json()
    assert (about["provider_name"], about["user_id"]) == ("aad", "manager@ocs.example")
    assert {"typ": "name", "val": "Max Manager"} in about["user_claims"]


def test_signing_out_ends_the_session_here_and_at_the_issuer(browser: httpx.Client, sign_in: SignIn, url: str) -> None:
    signed_in(browser, "manager")
    reply = browser.get("/.auth/logout", params={"post_logout_redirect_uri": "/api/who"})
    assert reply.headers["location"].startswith(f"{sign_in.issuer}/logout?")
    assert seen(browser) == {}
    assert browser.get(reply.headers["location"]).headers["location"] == f"{url}/api/who"


def test_an_issuer_that_is_down_lets_nobody_in_and_everybody_out(browser: httpx.Client, sign_in: SignIn) -> None:
    signed_in(browser, "manager")
    httpx.put(f"{sign_in.control}/down", json={"down": True}).raise_for_status()
    assert seen(browser)["x-ms-client-principal-id"] == oid_of("manager")
    assert browser.get("/.auth/logout").headers["location"] == "/.auth/logout/done"
    assert seen(browser) == {}
    refused = browser.get(LOGIN)
    assert refused.status_code == 401
    assert "the issuer does not answer" in refused.text


@pytest.mark.parametrize(
    ("path", "word"), [(LOGIN, "post_login_redirect_uri"), ("/.auth/logout", "post_logout_redirect_uri")]
)
def test_nobody_is_sent_to_another_site(browser: httpx.Client, path: str, word: str) -> None:
    replies = {target: browser.get(path, params={word: target}) for target in ELSEWHERE}
    assert {target: reply.status_code for target, reply in replies.items()} == dict.fromkeys(ELSEWHERE, 403)
    assert not browser.cookies


def test_an_answer_to_another_sign_in_is_refused(browser: httpx.Client) -> None:
    """Somebody else's code, put into one's browser, signs nobody in."""
    begun = browser.get(LOGIN)
    page = browser.get(begun.headers["location"])
    back = pick(browser, page, "manager").headers["location"]
    code = parse_qs(urlsplit(back).query)["code"][0]
    for params in ({"code": code, "state": "another"}, {"code": code}, {"state": "é"}):
        assert browser.get(f"{LOGIN}/callback", params=params).status_code == 401
    with httpx.Client() as another:
        assert another.get(back).status_code == 401
    assert seen(browser) == {}


def test_a_token_that_was_made_for_another_sign_in_is_refused(browser: httpx.Client, sign_in: SignIn) -> None:
    """The nonce ties the token to the browser: here the issuer is asked with another nonce than the host's."""
    begun = urlsplit(browser.get(LOGIN).headers["location"])
    asked = {name: values[0] for name, values in parse_qs(begun.query).items()} | {"nonce": "another"}
    page = httpx.get(f"{sign_in.issuer}/authorize", params=asked)
    reply = browser.get(pick(browser, page, "manager").headers["location"])
    assert reply.status_code == 401
    assert seen(browser) == {}


def test_who_is_nobody_at_the_issuer_is_told_so(browser: httpx.Client) -> None:
    reply = signed_in(browser, "nobody")
    assert (reply.status_code, "nobody of that name" in reply.text) == (401, True)


@pytest.mark.parametrize(("method", "path"), [("GET", "/.auth/unknown"), ("POST", LOGIN), ("GET", "/.auth")])
def test_what_is_not_served_under_auth_is_not_found(browser: httpx.Client, method: str, path: str) -> None:
    """And never reaches the app."""
    assert browser.request(method, path).status_code == 404


def test_an_issuer_without_an_app_is_refused(sample: SampleHost, sign_in: SignIn) -> None:
    with pytest.raises(ChildError, match="--auth-issuer and --auth-client-id together"):
        sample.start("--auth-issuer", sign_in.issuer)


def test_without_it_the_host_has_no_sign_in(sample: SampleHost) -> None:
    sample.start()
    replies: list[Any] = [httpx.get(f"{sample.url}{path}").status_code for path in (LOGIN, "/.auth/me")]
    assert replies == [404, 404]
