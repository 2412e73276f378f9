"""The OpenAPI document as a page: every route with its role, words, body and answers; without any script."""

from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape

from ocs.web.reference.describe import ROLE
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/docs", tags=["reference"], include_in_schema=False)
HERE = Path(__file__).parent
TEMPLATES = Environment(loader=FileSystemLoader(HERE), autoescape=select_autoescape())
POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "public, max-age=300"}


@router.get("")
@open_to(Role.ANYONE)
async def reference(request: Request) -> HTMLResponse:
    """Show every route, by what it is about."""
    document = request.app.openapi()
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            shown = _shown(document, method, path, operation)
            groups.setdefault(operation.get("tags", ["other"])[0], []).append(shown)
    text = TEMPLATES.get_template("page.html").render(document=document, groups=dict(sorted(groups.items())))
    return HTMLResponse(text, headers=HEADERS)


@router.get("/page.css")
@open_to(Role.ANYONE)
async def style() -> Response:
    """Give the page's style."""
    return Response((HERE / "page.css").read_bytes(), headers=HEADERS, media_type="text/css")


def _shown(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    content = operation.get("requestBody", {}).get("content", {})
    return {
        "method": method.upper(),
        "path": path,
        "role": operation[ROLE],
        "words": operation.get("description", ""),
        "parameters": operation.get("parameters", []),
        "bodies": {kind: _fields(document, one.get("schema", {})) for kind, one in content.items()},
        "answers": operation["responses"],
    }


def _fields(document: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Give a body's fields, each with its type in words; of a body that may be of several shapes, all of them."""
    schemas = [_resolved(document, one) for one in schema.get("oneOf") or schema.get("anyOf") or [schema]]
    return [
        {
            "name": name,
            "required": name in one.get("required", ()),
            "kind": _kind(document, field),
            "words": field.get("description", ""),
        }
        for one in schemas
        for name, field in one.get("properties", {}).items()
    ]


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    reference_to = schema.get("$ref", "")
    found: dict[str, Any] = document["components"]["schemas"].get(reference_to.rpartition("/")[2], schema)
    return found


def _kind(document: dict[str, Any], schema: dict[str, Any]) -> str:
    whole = _resolved(document, schema)
    if "enum" in whole:
        return " | ".join(str(one) for one in whole["enum"])
    if "anyOf" in whole:
        return " or ".join(dict.fromkeys(_kind(document, one) for one in whole["anyOf"]))
    if whole.get("type") == "array":
        return f"list of {_kind(document, whole.get('items', {}))}"
    return str(whole.get("format") or whole.get("const") or whole.get("type") or whole.get("title") or "anything")
