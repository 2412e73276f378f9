"""The guard before every route: size, other sites' forms, ETags and headers; a plain ASGI app stands behind it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from ocs.web.guard import HEADERS, LARGEST_BODY, Guard


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    size = len(await request.body())
    kinds = {
        "/json": JSONResponse({"method": scope["method"], "size": size}),
        "/page": Response("<p>", headers={"Content-Security-Policy": "default-src 'self'"}, media_type="text/html"),
        "/wrong": JSONResponse({}, 404),
    }
    await kinds[scope["path"]](scope, receive, send)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the guarded app."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Guard(_app)), base_url="https://app") as made:
        yield made


async def test_a_body_of_the_largest_size_passes_and_one_byte_more_is_413(client: httpx.AsyncClient) -> None:
    assert (await client.post("/json", content=b"x" * LARGEST_BODY)).json()["size"] == LARGEST_BODY
    refused = await client.post("/json", content=b"x" * (LARGEST_BODY + 1))
    assert (refused.status_code, refused.headers["Content-Type"]) == (413, "application/problem+json")


async def test_a_body_that_hides_its_size_is_counted(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * (LARGEST_BODY // 4)

    assert (await client.post("/json", content=pieces())).status_code == 413


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil"}]
)
async def test_another_sites_form_is_refused_and_its_link_is_not(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.post("/json", headers=headers)).status_code == 403
    assert (await client.get("/json", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://app"},
        {"Origin": "https://app"},
        {"Origin": "https://front-end", "Sec-Fetch-Site": "cross-site", "Authorization": "Bearer x"},
    ],
    ids=["a script", "the page", "an old browser", "a front end with a token"],
)
async def test_own_pages_and_callers_with_a_token_pass(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.post("/json", headers=headers)).status_code == 200


async def test_json_has_an_etag_and_is_not_sent_twice(client: httpx.AsyncClient) -> None:
    first = await client.get("/json")
    again = await client.get("/json", headers={"If-None-Match": first.headers["ETag"]})
    other = await client.get("/json", headers={"If-None-Match": 'W/"other"'})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert (other.status_code, other.content) == (200, first.content)


async def test_every_answer_has_the_headers_unless_it_says_otherwise(client: httpx.AsyncClient) -> None:
    for reply in (await client.get("/json"), await client.get("/wrong"), await client.post("/json", content=b"")):
        assert {name: reply.headers.get(name) for name in HEADERS} == HEADERS
    page = await client.get("/page")
    assert page.headers["Content-Security-Policy"] == "default-src 'self'"
    assert "ETag" not in page.headers
