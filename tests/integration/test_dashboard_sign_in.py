"""Who is not signed in is sent to the sign-in and back, never around in a circle, and sees nothing."""

from collections.abc import AsyncIterator
from typing import NoReturn
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

import function_app
from ocs import runtime as process
from ocs.access.caller import TOKEN_OF_THE_PAGE, who_calls
from ocs.errors import NotSignedIn
from ocs.runtime import Runtime
from ocs.web.app import create_app, guarded
from tests.integration.platform import FIRST

PAGE = "/api/dashboard"
VIEWS = ("", f"/stores/{FIRST}", "/lines", "/letters", "/mappings", "/alerts", "/credentials", "/audit")
LIVE = {"HX-Request": "true", "HX-Current-URL": f"http://app{PAGE}/alerts?state=all"}


def _refuse() -> NoReturn:
    raise NotSignedIn("the token has expired")


@pytest.fixture
async def nobody(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a browser whose session is over, whatever it sends."""
    monkeypatch.setattr(process._Process, "runtime", runtime)  # noqa: SLF001 - one process has one, a test its own
    monkeypatch.setattr(process._Process, "checked", True)  # noqa: SLF001 - the same
    app = create_app(function_app.ROUTERS)
    app.dependency_overrides[who_calls] = _refuse
    transport = httpx.ASGITransport(guarded(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        yield client


def _led_back_to(address: str) -> str:
    path = urlsplit(address)
    assert path.path == "/.auth/login/aad"
    return parse_qs(path.query)["post_login_redirect_uri"][0]


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_leads_to_the_sign_in_and_back(nobody: httpx.AsyncClient, view: str) -> None:
    reply = await nobody.get(f"{PAGE}{view}?find=a%26b")
    assert reply.status_code == 302
    assert _led_back_to(reply.headers["Location"]) == f"{PAGE}{view}?find=a%26b"
    assert reply.text == ""


@pytest.mark.parametrize("view", VIEWS)
async def test_no_live_part_is_sent_and_the_browser_goes_to_the_sign_in(nobody: httpx.AsyncClient, view: str) -> None:
    reply = await nobody.get(PAGE + view, headers=LIVE)
    assert (reply.status_code, reply.text) == (401, "")
    assert _led_back_to(reply.headers["HX-Redirect"]) == f"{PAGE}/alerts"


async def test_it_leads_back_to_no_other_site(nobody: httpx.AsyncClient) -> None:
    reply = await nobody.get(PAGE, headers=LIVE | {"HX-Current-URL": "https://evil.example/api/dashboardx"})
    assert _led_back_to(reply.headers["HX-Redirect"]) == PAGE


async def test_a_sign_in_whose_token_is_refused_again_ends_there(nobody: httpx.AsyncClient) -> None:
    """Else the browser would go to and fro for ever, with nobody told why."""
    with_token = {TOKEN_OF_THE_PAGE: "a token"}
    first = await nobody.get(PAGE, headers=with_token)
    again = await nobody.get(_led_back_to(first.headers["Location"]), headers=with_token)
    assert (first.status_code, again.status_code) == (302, 401)
    assert "The token has expired" in again.text


async def test_a_form_that_comes_too_late_changes_nothing_and_says_so(nobody: httpx.AsyncClient) -> None:
    """A redirect would drop what was filled in, and the browser would not follow one out of a form."""
    reply = await nobody.post(f"{PAGE}/stores/{FIRST}/pause", data={"why": "stocktaking"})
    assert reply.status_code == 401
    assert "Nothing was changed" in reply.text
    assert "form-action 'self'" in reply.headers["Content-Security-Policy"]


async def test_the_files_of_the_page_need_no_sign_in(nobody: httpx.AsyncClient) -> None:
    assert (await nobody.get(f"{PAGE}/static/any/style.css")).status_code == 200
