"""Every route with every role, with another tenant's ids, and with what people write to break things."""

import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute

import function_app
from ocs.access.caller import Caller
from ocs.runtime import Runtime
from ocs.tenants.onboard import DescribedTenant, onboard
from ocs.web.roles import LADDER, Role, role_of
from tests.integration.conftest import staff_client
from tests.integration.platform import Platform

CROL, STORE = "CROL1234567", "CRSA1111111"
OTHER_CROL = "CROL7654321"
WORD = re.compile(r"\{(\w+)(?::\w+)?\}")
NAMED = {"tenant": CROL, "tenant_id": CROL, "store": STORE, "store_id": STORE}
NOWHERE = "00000000-0000-4000-8000-000000000001"
EVIL = ["'; drop table stores; --", "<script>alert(1)</script>", "a\x00b", "=cmd|' /C calc'!A0", "a\r\nSet-Cookie: x=1"]


def _routes() -> list[tuple[str, APIRoute]]:
    every = [route for router in function_app.ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return [(method, route) for route in every for method in sorted(route.methods or ()) if method != "HEAD"]


STAFFED = [(method, route) for method, route in _routes() if role_of(route.endpoint) in LADDER]


def _path(route: APIRoute, evil: str | None = None) -> str:
    """Fill a path's words: the tenant's and the store's own names and ids that are not there, or evil words."""
    if evil is not None:
        return WORD.sub(quote(evil, safe=""), route.path)
    return WORD.sub(lambda word: NAMED.get(word[1], NOWHERE if "id" in word[1] else "1"), route.path)


async def _ask(
    client: httpx.AsyncClient, method: str, path: str, words: dict[str, str] | None = None
) -> httpx.Response:
    """Ask without a body for a GET, and with an empty one else."""
    return await client.request(method, path, params=words, json=None if method == "GET" else {})


async def _tenant_ids(runtime: Runtime, platform: Platform) -> dict[str, Any]:
    """Give the ids of the platform's tenant and of another one without stores, by CROL."""
    described = platform.tenant() | {"crol": OTHER_CROL, "stores": []}
    async with runtime.pool.transaction() as connection:
        await onboard(connection, DescribedTenant.model_validate(described))
        rows = await (await connection.execute("select crol, tenant_id from tenants")).fetchall()
    return {row["crol"]: row["tenant_id"] for row in rows}


def test_there_are_routes_of_every_role() -> None:
    assert {role_of(route.endpoint) for _, route in STAFFED} == set(LADDER)


@pytest.mark.parametrize("role", LADDER)
async def test_a_route_is_open_to_its_role_and_those_above_only(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    tenants = await _tenant_ids(runtime, platform)
    is_super = role is Role.SUPER_ADMIN
    caller = Caller("one", "One", {} if is_super else {tenants[CROL]: role}, super_admin=is_super)
    wrong = {}
    async with staff_client(runtime, monkeypatch, caller) as client:
        for method, route in STAFFED:
            reply = await _ask(client, method, _path(route))
            needs = role_of(route.endpoint)
            assert needs is not None
            if reply.status_code >= 500 or (reply.status_code != 403) != role.includes(needs):
                wrong[f"{method} {route.path}"] = (needs, reply.status_code, reply.text)
    assert wrong == {}


async def test_another_tenants_rows_are_not_there(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has every right in one tenant finds nothing of another one, and hears no more than that."""
    tenants = await _tenant_ids(runtime, platform)
    caller = Caller("one", "One", {tenants[OTHER_CROL]: Role.TENANT_ADMIN})
    wrong = {}
    async with staff_client(runtime, monkeypatch, caller) as client:
        for method, route in STAFFED:
            reply = await _ask(client, method, _path(route))
            named = NAMED.keys() & set(route.param_convertors)
            found = named and reply.status_code not in (404, 403, 422)
            if reply.status_code >= 500 or found or str(tenants[CROL]) in reply.text:
                wrong[f"{method} {route.path}"] = (reply.status_code, reply.text)
    assert wrong == {}


async def test_a_right_elsewhere_is_none_here(
    runtime: Runtime, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles are by tenant: who administers one and looks into another does no more than look there."""
    tenants = await _tenant_ids(runtime, platform)
    caller = Caller("one", "One", {tenants[OTHER_CROL]: Role.TENANT_ADMIN, tenants[CROL]: Role.VIEWER})
    wrong = {}
    async with staff_client(runtime, monkeypatch, caller) as client:
        for method, route in STAFFED:
            reply = await _ask(client, method, _path(route))
            looks = role_of(route.endpoint) is Role.VIEWER
            done = NAMED.keys() & set(route.param_convertors) and reply.status_code not in (403, 404, 422)
            if (looks and reply.status_code in (401, 403)) or (not looks and done):
                wrong[f"{method} {route.path}"] = (reply.status_code, reply.text)
    assert wrong == {}


@pytest.mark.parametrize("evil", EVIL)
async def test_evil_words_in_paths_and_queries_break_nothing(staff: httpx.AsyncClient, evil: str) -> None:
    wrong = {}
    for method, route in STAFFED:
        words = {field.alias: evil for field in route.dependant.query_params}
        for reply in (await _ask(staff, method, _path(route, evil)), await _ask(staff, method, _path(route), words)):
            is_page = "html" in reply.headers.get("Content-Type", "")
            if (
                reply.status_code >= 500
                or "x=1" in reply.headers.get("Set-Cookie", "")
                or (is_page and "<script>alert" in reply.text)
            ):
                wrong[f"{method} {route.path}"] = (reply.status_code, reply.text)
    assert wrong == {}
    assert (await staff.get(f"/api/ocs/position/history/{STORE}")).status_code == 200


def _body(schema: dict[str, Any], document: dict[str, Any], evil: str) -> Any:
    """Make a body of a schema's shape in which every text is evil; what has a closed set of words keeps one of them."""
    named = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    shape = next(
        (one for one in named.get("anyOf") or named.get("oneOf") or [named] if one.get("type") != "null"), named
    )
    if shape is not named:
        return _body(shape, document, evil)
    if "enum" in named or "const" in named:
        return named.get("const", named.get("enum", [None])[0])
    match named.get("type"):
        case "object":
            return {name: _body(one, document, evil) for name, one in named.get("properties", {}).items()}
        case "array":
            return [_body(named.get("items", {}), document, evil)]
        case "integer" | "number" | "boolean" as kind:
            return 0 if kind == "boolean" else 1
    return {"uuid": NOWHERE, "date": "2026-01-01", "date-time": "2026-01-01T00:00:00Z"}.get(
        named.get("format", ""), evil
    )


@pytest.mark.parametrize("evil", EVIL)
async def test_evil_words_in_every_text_of_a_body_break_nothing(staff: httpx.AsyncClient, evil: str) -> None:
    document = (await staff.get("/api/ocs/openapi.json")).json()
    wrong, sent = {}, 0
    for method, route in STAFFED:
        path = document["paths"].get(route.path_format, {}).get(method.lower(), {})
        schema = path.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            continue
        sent += 1
        reply = await staff.request(method, _path(route), json=_body(schema, document, evil))
        if reply.status_code >= 500 or "x=1" in reply.headers.get("Set-Cookie", ""):
            wrong[f"{method} {route.path}"] = (reply.status_code, reply.text)
    assert wrong == {}
    assert sent > 25
    assert (await staff.get(f"/api/ocs/position/history/{STORE}")).status_code == 200


def test_the_paths_that_front_ends_of_the_plan_of_record_call_are_there() -> None:
    fixed = """
        POST credentials, PUT stores/{store_id}/config, GET position/history/{store_id}, POST position/submit,
        GET events/history/{store_id}, POST events/retry, GET audit, GET status/{tenant_id}, POST config,
        GET config/{store_id}, GET events/pending, POST events/submit, POST asn/fetch, GET asn/{asn_number},
        GET compliance/dashboard
    """
    wanted = {tuple(one.split()) for one in fixed.split(",")}
    assert wanted <= {(method, route.path.removeprefix("/api/ocs/")) for method, route in STAFFED}
