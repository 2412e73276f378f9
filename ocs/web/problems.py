"""The one place where errors become replies: problem+json (RFC 9457), each with what to do about it."""

import math
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ocs import telemetry
from ocs.bad_input import BadInput, FieldFault, faults_of
from ocs.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    KeyRefused,
    NotFound,
    NotSignedIn,
    PreconditionFailed,
    QueueUnavailable,
    SchemaBehind,
    TooMany,
    VaultUnavailable,
)
from ocs.web.roles import takes_secrets

log = telemetry.logger("web")
RETRY_SECONDS = "30"
NOT_SHOWN = "something that is not shown"


def problem(status: int, title: str, fix: str, **more: object) -> JSONResponse:
    """Write a problem: what is wrong, what to do, and whatever facts belong to it."""
    body = {"type": "about:blank", "status": status, "title": title, "fix": fix, **more}
    return JSONResponse(body, status, media_type="application/problem+json")


def wrong_fields(faults: Iterable[FieldFault]) -> JSONResponse:
    """Write a 422 that names each wrong field, what was found and what was expected."""
    errors = [{"field": fault.field, "found": fault.found, "expected": fault.expected} for fault in faults]
    return problem(
        422, "Some fields are wrong; nothing was taken in", "Correct the fields and send it again", errors=errors
    )


def _bad_input(_request: Request, error: Exception) -> JSONResponse:
    faults = error.faults if isinstance(error, BadInput) else ()
    return wrong_fields(faults)


def _wrong_request(request: Request, error: Exception) -> JSONResponse:
    details = error.errors() if isinstance(error, RequestValidationError) else []
    # "body" and "query" say where a field stands, not what it is called.
    faults = faults_of([found | {"loc": found["loc"][1:]} for found in details])
    if takes_secrets(request.scope["route"].endpoint):
        # A secret in a mistyped field is still one, and replies are logged on their way.
        faults = [replace(fault, found=NOT_SHOWN) for fault in faults]
    return wrong_fields(faults)


def _not_found(_request: Request, error: Exception) -> JSONResponse:
    return problem(404, f"There is {error}", "Check the name; what belongs to another tenant is not shown")


def _cannot_be_kept(request: Request, error: Exception) -> JSONResponse:
    """Answer for a value that passed every check and that Postgres cannot hold: the character NUL, endless numbers."""
    log.warning("a value could not be kept", error=type(error).__name__)
    asked = {**request.path_params, **request.query_params}
    named = [name for name, value in asked.items() if "\x00" in str(value)] or ["one of the values"]
    expected = "plain text without the character NUL, and usual numbers"
    return wrong_fields(FieldFault(name, "one that cannot be kept", expected) for name in named)


def _not_signed_in(_request: Request, error: Exception) -> JSONResponse:
    reply = problem(401, f"You are not signed in: {error}", "Sign in and send the token as `Authorization: Bearer …`")
    reply.headers["WWW-Authenticate"] = "Bearer"
    return reply


def _key_refused(_request: Request, error: Exception) -> JSONResponse:
    fix = "Send a key of your tenant in the header `Ocs-Key`; an administrator of the retailer makes one"
    reply = problem(401, f"Nothing was taken in: {error}", fix)
    reply.headers["WWW-Authenticate"] = 'Bearer realm="POS keys"'
    return reply


def _forbidden(_request: Request, error: Exception) -> JSONResponse:
    return problem(403, f"You may not do this: {error}", "Ask an administrator of your company for the role")


def _changed_meanwhile(_request: Request, error: Exception) -> JSONResponse:
    return problem(412, f"Nothing was changed: {error}", "Read it again, then send your change with its new ETag")


def _too_many(_request: Request, error: Exception) -> JSONResponse:
    wait = str(math.ceil(error.wait)) if isinstance(error, TooMany) else RETRY_SECONDS
    reply = problem(429, f"Not served: {error}", f"Send it again in {wait} seconds")
    reply.headers["Retry-After"] = wait
    return reply


def _conflict(_request: Request, error: Exception) -> JSONResponse:
    return problem(409, str(error), "See what is there, then decide")


def _not_now(_request: Request, error: Exception) -> JSONResponse:
    log.error("not able to serve", error=type(error).__name__, said=str(error))
    reply = problem(503, "The service cannot do this just now", f"Send it again in {RETRY_SECONDS} seconds")
    reply.headers["Retry-After"] = RETRY_SECONDS
    return reply


def _unforeseen(_request: Request, error: Exception) -> JSONResponse:
    log.error("unforeseen error", exc_info=error)
    return problem(500, "Something went wrong here", "Send it again; if that fails too, tell the operator the time")


def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == HTTPStatus.BAD_REQUEST:  # FastAPI's word for a body that it cannot even begin to read
        return wrong_fields([FieldFault("the whole body", "bytes that cannot be read", "JSON in UTF-8")])
    fixes = {404: "Check the path", 405: "Check the method"}
    return problem(status, HTTPStatus(status).phrase, fixes.get(status, "See the documentation of this path"))


def install(app: FastAPI) -> None:
    """Teach the app all error classes."""
    app.add_exception_handler(BadInput, _bad_input)
    app.add_exception_handler(RequestValidationError, _wrong_request)
    app.add_exception_handler(psycopg.DataError, _cannot_be_kept)
    app.add_exception_handler(NotSignedIn, _not_signed_in)
    app.add_exception_handler(KeyRefused, _key_refused)
    app.add_exception_handler(Forbidden, _forbidden)
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(PreconditionFailed, _changed_meanwhile)
    app.add_exception_handler(TooMany, _too_many)
    app.add_exception_handler(Conflict, _conflict)
    app.add_exception_handler(HTTPException, _http)
    for ours in (psycopg.OperationalError, QueueUnavailable, SchemaBehind, ConfigurationError, VaultUnavailable):
        app.add_exception_handler(ours, _not_now)
    app.add_exception_handler(Exception, _unforeseen)
