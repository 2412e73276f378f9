"""The OpenAPI document: what FastAPI tells of the routes, with their roles and every way in which they refuse."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from ocs.web.roles import LADDER, Role, role_of

ROLE = "x-ocs-role"
"""Which role a route takes: an extension of ours."""
PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "What is wrong and what to do about it (RFC 9457).",
    "type": "object",
    "required": ["type", "status", "title", "fix"],
    "properties": {
        "type": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string", "description": "What is wrong, in words"},
        "fix": {"type": "string", "description": "What to do about it"},
        "errors": {
            "type": "array",
            "description": "Each wrong field",
            "items": {
                "type": "object",
                "required": ["field", "found", "expected"],
                "properties": {
                    "field": {"type": "string"},
                    "found": {"type": "string"},
                    "expected": {"type": "string"},
                },
            },
        },
    },
}
EVERYWHERE = {422: "Some fields are wrong; each is named", 503: "Not able to serve just now; Retry-After says when"}
SIGNED_IN = {
    401: "Nobody known calls: no token or key, or not a good one",
    403: "The caller may not do this",
    404: "Not there, or another tenant's",
    429: "More requests than one caller may make; Retry-After says when",
}
CHANGING = {409: "Not possible in the state that things are in", 413: "The body is too large"}
REPLACING = {412: "It was changed since it was read (If-Match)"}


def describe(app: FastAPI, routers: Sequence[APIRouter]) -> Callable[[], dict[str, Any]]:
    """Give the function that makes the app's OpenAPI document, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, routers)
        return app.openapi_schema

    return openapi


def _document(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for route in [one for router in routers for one in router.routes]:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                _complete(document["paths"][route.path_format][method.lower()], method, role_of(route.endpoint))
    return document


def _complete(operation: dict[str, Any], method: str, role: Role | None) -> None:
    """Add a route's role and its refusals, each as problem+json."""
    operation[ROLE] = (role or Role.SUPER_ADMIN).value
    answers = EVERYWHERE | ({} if role is Role.ANYONE else SIGNED_IN)
    if method != "GET":
        answers |= CHANGING
    if method == "PUT":
        answers |= REPLACING
    if method == "GET":
        operation["responses"]["304"] = {"description": "Unchanged since the answer whose ETag If-None-Match names"}
    if method == "POST" and role in LADDER:
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    for status, description in answers.items():
        operation["responses"][str(status)] = _refusal(status, description)


def _refusal(status: int, description: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": f"{HTTPStatus(status).phrase}: {description}", "content": content}


_IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "description": "The same request with the same key is done once, and answered alike for a day",
}
