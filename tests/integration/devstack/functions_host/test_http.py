"""HTTP triggers: routes, keys, methods, replies, and an ASGI app behind them."""

import socket

import httpx
import pytest

from devstack.host.load import CannotStart, Function, HttpTrigger
from devstack.host.routes import Routes
from tests.integration.devstack.functions_host.sample_host import KEY, SampleHost

WITH_KEY = {"x-functions-key": KEY}


def routes(**by_name: str) -> Routes:
    """Give routes under "api" that take GET."""
    functions = [
        Function(name, lambda: None, HttpTrigger("req", route, frozenset({"GET"}), needs_key=False))
        for name, route in by_name.items()
    ]
    return Routes(functions, "api")


@pytest.mark.parametrize(
    ("path", "name", "values"),
    [
        ("/api/things/special", "literal", {}),
        ("/API/Things/SPECIAL", "literal", {}),
        ("/api/things/Other", "parameter", {"kind": "Other"}),
        ("/api/things/other/7", "parameter", {"kind": "other", "number": "7"}),
        ("/api/things/other/7/more", "rest", {"rest": "things/other/7/more"}),
        ("/api", "rest", {"rest": ""}),
    ],
)
def test_the_most_literal_route_answers(path: str, name: str, values: dict[str, str]) -> None:
    found = routes(rest="{*rest}", parameter="things/{kind}/{number?}", literal="things/special").find("GET", path)
    assert found is not None
    assert (found[0].function.name, found[1]) == (name, values)


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/things"), ("GET", "/things/one"), ("GET", "/api/things/one/two"), ("DELETE", "/api/things/one")],
)
def test_what_no_route_answers_is_not_found(method: str, path: str) -> None:
    """That includes a known path with another method: Azure says 404 there, never 405."""
    assert routes(one="things/{kind}").find(method, path) is None


def test_routes_that_azure_would_give_to_another_function_are_warned_about() -> None:
    """Azure goes by the alphabet of names, so the catch-all must come last in it."""
    [warning] = routes(a_rest="{*rest}", b_literal="things").warnings()
    assert "a_rest (/api/{*rest}) answers /api/things instead of b_literal" in warning
    assert routes(z_rest="{*rest}", b_literal="things").warnings() == []


def test_a_route_with_a_constraint_is_refused() -> None:
    with pytest.raises(CannotStart, match="number:int"):
        routes(one="things/{number:int}")


def test_a_request_arrives_whole_and_the_reply_goes_back_whole(sample: SampleHost) -> None:
    sample.start()
    reply = httpx.post(f"{sample.url}/api/things/a%20b/7?q=1&q=2&empty=", content="é", headers=WITH_KEY)
    said = {"route": {"kind": "a b", "number": "7"}, "query": {"q": "1,2", "empty": ""}, "body": "é"}
    assert (reply.status_code, reply.json()) == (201, said)
    assert (reply.headers["content-type"], reply.headers["x-seen"]) == ("application/json", "yes")


def test_a_key_is_asked_for_unless_the_function_is_anonymous(sample: SampleHost) -> None:
    """As a header or as `?code=`; 401 without it or with another."""
    sample.start()
    address = f"{sample.url}/api/things/one"
    assert httpx.get(address).status_code == 401
    assert httpx.get(address, headers={"x-functions-key": "another"}).status_code == 401
    assert httpx.get(address, headers=WITH_KEY).status_code == 201
    assert httpx.get(f"{address}?code={KEY}").status_code == 201
    assert httpx.get(f"{sample.url}/api/anonymous").status_code == 203


def test_a_text_is_a_reply_and_admin_functions_run_in_threads_too(sample: SampleHost) -> None:
    sample.start()
    assert httpx.get(f"{sample.url}/api/things/special").status_code == 401
    reply = httpx.get(f"{sample.url}/api/things/special", headers=WITH_KEY)
    assert (reply.status_code, reply.text) == (200, "GET, on the loop: False")


def test_a_failed_request_is_a_500_with_its_traceback_in_the_log(sample: SampleHost) -> None:
    sample.start()
    reply = httpx.get(f"{sample.url}/api/things/one?do=fail", headers=WITH_KEY)
    assert (reply.status_code, reply.content) == (500, b"")
    assert "thing failed" in sample.log()
    assert "RuntimeError: told to fail" in sample.log()


def test_nothing_returned_is_a_204_and_its_output_goes_out(sample: SampleHost) -> None:
    sample.start()
    assert httpx.post(f"{sample.url}/api/notes", json={"text": "by HTTP"}).status_code == 204
    sample.noted("keeper", phase="ended", text="by HTTP")


def test_an_asgi_app_sees_the_request_and_is_started_and_stopped(sample: SampleHost) -> None:
    """AsgiFunctionApp gets the whole path; both cookies come back; its lifespan begins and ends."""
    host = sample.start()
    body = b"x" * 5_000_000
    reply = httpx.post(f"{sample.url}/api/any%20where?a=1", content=body, headers={"x-sample": "yes"})
    assert reply.status_code == 203
    assert reply.json() == {"path": "/api/any where", "query": "a=1", "size": len(body), "header": "yes"}
    assert dict(reply.cookies) == {"first": "1", "second": "2"}
    assert host.stop() == 0
    assert [line["phase"] for line in sample.notes("site")] == ["started", "stopped"]


def test_a_body_over_100_mb_is_refused(sample: SampleHost) -> None:
    sample.start()
    url = httpx.URL(sample.url)
    with socket.create_connection((url.host, url.port or 0), timeout=10) as line:
        line.sendall(b"POST /api/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 104857601\r\n\r\n")
        assert line.recv(12) == b"HTTP/1.1 413"


def test_the_status_says_what_runs_and_that_it_is_a_stand_in(sample: SampleHost) -> None:
    sample.start()
    reply = httpx.get(f"{sample.url}/admin/host/status")
    assert "not the Azure Functions host" in reply.json()["version"]
    assert "not the Azure Functions host" in reply.headers["server"]
    functions = {one["name"]: one for one in reply.json()["functions"]}
    assert functions["keeper"]["trigger"] == "queueTrigger"
    assert functions["thing"]["on"] == "GET,POST /api/things/{kind}/{number?}"
    assert any("anything" in warning for warning in reply.json()["warnings"])
