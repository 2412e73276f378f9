"""One look at the page: who looks, and how what goes wrong is told as a page instead of as JSON."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from uuid import UUID

import psycopg
from fastapi import APIRouter, Depends, Form
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ocs import runtime, telemetry
from ocs.access.caller import Caller, TheCaller, signed_in, token_of
from ocs.audit.acts import Act, TheAct
from ocs.bad_input import BadInput, FieldFault, bad_input, faults_of
from ocs.dashboard import forms
from ocs.dashboard.render import HEADERS, render
from ocs.errors import (
    ConfigurationError,
    Conflict,
    Forbidden,
    NotFound,
    NotSignedIn,
    OcsError,
    PreconditionFailed,
    QueueUnavailable,
    SchemaBehind,
    TooMany,
    VaultUnavailable,
)
from ocs.runtime import Runtime
from ocs.tenants import configuration
from ocs.tenants.reach import tenant_in_reach
from ocs.web.problems import RETRY_SECONDS
from ocs.web.roles import Role

log = telemetry.logger("dashboard")

SIGN_IN, SIGN_OUT = "/.auth/login/aad", "/.auth/logout"
"""App Service Authentication's own addresses."""
TRIED = "signed-in"
"""In the query of a page to which a sign-in led back: its token is refused again, so another try would do no good."""
ONCE = frozenset({"done", TRIED})
"""What a page's address says once only."""
LONGEST_WHY = 500
MOST_TENANTS = 200
"""Companies that a page offers to choose from; any other can be named."""
NOT_NOW = (psycopg.OperationalError, QueueUnavailable, VaultUnavailable, SchemaBehind, ConfigurationError)
"""What passes, or what the operator mends: the page says so, and is to be loaded again."""
SAFE = "/%:@!$'()*,;=~-._+"
"""What stays as it is in a path that is written into an address again."""


@dataclass(frozen=True)
class Visit:
    """A request for a page by somebody who may see it."""

    request: Request
    caller: Caller
    runtime: Runtime
    seed: str
    """Of the forms' token."""

    @property
    def form_token(self) -> str:
        """The token that this person's forms carry."""
        return forms.token_of(self.seed, self.caller.subject)

    @property
    def here(self) -> str:
        """This page's address with what was asked for, without what was said once."""
        asked = [(name, value) for name, value in self.request.query_params.multi_items() if name not in ONCE]
        return self.request.url.path + (f"?{urlencode(asked)}" if asked else "")

    def with_query(self, **changes: str) -> str:
        """Give this page's address with some of what was asked for changed."""
        asked = {name: value for name, value in self.request.query_params.items() if name not in ONCE} | changes
        return f"{self.request.url.path}?{urlencode(asked)}"

    @property
    def sees_several(self) -> bool:
        """Whether the caller may see more than one company."""
        return self.caller.super_admin or len(self.caller.grants) > 1

    def holds(self, role: str) -> bool:
        """Tell whether the caller has a role anywhere: for the links."""
        return self.caller.super_admin or any(one.includes(Role(role)) for one in self.caller.grants.values())

    def may(self, tenant_id: UUID | None, role: str) -> bool:
        """Tell whether the caller has a role in a tenant: for the buttons; the routes behind them ask again."""
        return self.caller.super_admin or (tenant_id is not None and self.caller.may(tenant_id, Role(role)))

    def page(self, template: str, /, status: int = HTTPStatus.OK, **words: Any) -> Response:
        """Answer with a page, or with its live part only where the page asks for that again."""
        response = render(self.request, template, status, visit=self, **words)
        if forms.seed_of(self.request) != self.seed:
            forms.keep_seed(self.request, response, self.seed)
        return response


async def the_visit(request: Request, caller: TheCaller) -> Visit:
    """Give this request's visit."""
    visit = Visit(request, caller, await runtime.current(), forms.seed_of(request) or forms.new_seed())
    request.state.visit = visit
    return visit


TheVisit = Annotated[Visit, Depends(the_visit)]


async def tenants_of(visit: Visit, named: str) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Give the companies that a page may be of, and the one that it is of: the one that is named, or the only one.

    Raises NotFound for a name that is none of the caller's, and Forbidden.
    """
    async with visit.runtime.pool.transaction() as connection:
        tenants = await configuration.tenants_page(connection, visit.caller.tenants, most=MOST_TENANTS)
        if not named:
            return tenants, tenants[0] if len(tenants) == 1 else None
        tenant_id = await tenant_in_reach(connection, visit.caller, named)
        (chosen,) = await configuration.tenants_page(connection, [tenant_id])
    return tenants, chosen


@dataclass(frozen=True)
class Deed:
    """A form that was sent from this page by somebody who may, and the act that the audit gets of it."""

    visit: Visit
    act: Act

    @property
    def runtime(self) -> Runtime:
        """The process's runtime."""
        return self.visit.runtime

    def back(self, what: str, otherwise: str) -> Response:
        """Answer a form: back to the page that had it, else to another one, with a word on what was done."""
        path, asked = came_from(self.visit.request) or (forms.PATH + otherwise, [])
        return _see(path, [*((name, value) for name, value in asked if name not in ONCE), ("done", what)])

    def to(self, what: str, where: str, **asked: str) -> Response:
        """Answer a form in the same way, always by one page."""
        return _see(forms.PATH + where, [*asked.items(), ("done", what)])


def _see(path: str, asked: list[tuple[str, str]]) -> Response:
    return RedirectResponse(f"{quote(path, safe=SAFE)}?{urlencode(asked)}", HTTPStatus.SEE_OTHER, HEADERS)


async def the_deed(
    visit: TheVisit,
    act: TheAct,
    form_token: Annotated[str, Form(max_length=200)] = "",
    why: Annotated[str, Form(max_length=LONGEST_WHY)] = "",
) -> Deed:
    """Give this request's deed; raises BadInput for a form that this page did not make for this person."""
    if not forms.is_own(form_token, forms.seed_of(visit.request), visit.caller.subject):
        expected = "a form that this page made for you in this browser; load the page and try again"
        raise bad_input("the form", "one that is too old, or not ours", expected)
    return Deed(visit, replace(act, why=why or act.why))


TheDeed = Annotated[Deed, Depends(the_deed)]


class PageRoute(APIRoute):
    """A route whose errors are told as pages; what nobody foresaw is told by the app as everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's handler."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedIn as error:
                return _to_sign_in(request, error)
            except (
                RequestValidationError,
                BadInput,
                NotFound,
                Forbidden,
                Conflict,
                PreconditionFailed,
                TooMany,
            ) as error:
                return await _told(request, error)
            except NOT_NOW as error:
                return _not_now(request, error)

        return told


def pages() -> APIRouter:
    """Make the router of a view."""
    return APIRouter(prefix=forms.PATH, route_class=PageRoute, include_in_schema=False)


def _to_sign_in(request: Request, error: NotSignedIn) -> Response:
    back = request.url.path if request.method == "GET" else forms.PATH
    asked = request.url.query if request.method == "GET" else ""
    live = request.headers.get("HX-Request") is not None
    if live:
        back, asked = _shown_path(request), ""
    where = back + (f"?{asked}" if asked else "")
    again = token_of(request) is not None
    if again and TRIED not in request.query_params:
        where += ("&" if asked else "?") + urlencode({TRIED: ""})
    address = f"{SIGN_IN}?{urlencode({'post_login_redirect_uri': where})}"
    if live:
        return Response(status_code=HTTPStatus.UNAUTHORIZED, headers=HEADERS | {"HX-Redirect": address})
    if request.method == "GET" and not (again and TRIED in request.query_params):
        return RedirectResponse(address, HTTPStatus.FOUND, HEADERS)
    return render(request, "signed_out.html", HTTPStatus.UNAUTHORIZED, said=str(error), sign_in=address, visit=None)


def _not_now(request: Request, error: Exception) -> Response:
    log.error("not able to show a page", error=type(error).__name__, said=str(error))
    status, headers = HTTPStatus.SERVICE_UNAVAILABLE, {"Retry-After": RETRY_SECONDS}
    return render(request, "not_now.html", status, headers, visit=None)


def _shown_path(request: Request) -> str:
    """Give the path of the page that asks for its live part, where it is one of ours."""
    path = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return path if _is_ours(path) else forms.PATH


async def _told(request: Request, error: Exception) -> Response:
    visit = getattr(request.state, "visit", None)
    path, asked = came_from(request) or (forms.PATH, [])
    words: dict[str, Any] = {
        "visit": visit,
        "faults": _faults(error),
        "said": str(error),
        "back": path + (f"?{urlencode(asked)}" if asked else ""),
    }
    kinds = {NotFound: 404, Forbidden: 403, Conflict: 409, PreconditionFailed: 412, TooMany: 429}
    status = next((number for kind, number in kinds.items() if isinstance(error, kind)), 422)
    if isinstance(error, Forbidden):
        words["person"] = await _person(request, visit)
    return render(request, "refused.html", status, status=status, **words)


def came_from(request: Request) -> tuple[str, list[tuple[str, str]]] | None:
    """Give the path and the query of the page of ours that a request came from, if it says so."""
    said = urlsplit(request.headers.get("Referer", ""))
    if said.netloc != request.headers.get("Host") or not _is_ours(said.path):
        return None
    return said.path, parse_qsl(said.query)


def _is_ours(path: str) -> bool:
    return path == forms.PATH or path.startswith(forms.PATH + "/")


def _faults(error: Exception) -> tuple[FieldFault, ...]:
    if isinstance(error, RequestValidationError):
        return tuple(faults_of([found | {"loc": found["loc"][1:]} for found in error.errors()]))
    return error.faults if isinstance(error, BadInput) else ()


async def _person(request: Request, visit: Visit | None) -> tuple[str, str] | None:
    """Give the name and the subject of who is signed in, whatever was granted: an administrator needs the subject."""
    if visit is not None:
        return visit.caller.name, visit.caller.subject
    try:
        person = await signed_in(await runtime.current(), request)
    except OcsError:
        return None
    return person.name, person.subject
