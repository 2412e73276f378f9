"""One look at the page: who looks, and how what goes wrong is told as a page instead of as JSON."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from ocs import runtime
from ocs.access.caller import Caller, TheCaller, signed_in, token_of
from ocs.audit.acts import Act, TheAct
from ocs.bad_input import BadInput, FieldFault, bad_input, faults_of
from ocs.dashboard import forms
from ocs.dashboard.render import HEADERS, render
from ocs.errors import Conflict, Forbidden, NotFound, NotSignedIn, OcsError, TooMany
from ocs.runtime import Runtime
from ocs.web.roles import Role

SIGN_IN, SIGN_OUT = "/.auth/login/aad", "/.auth/logout"
"""App Service Authentication's own addresses."""
TRIED = "signed-in"
"""In the query of a page to which a sign-in led back: its token is refused again, so another try would do no good."""
LONGEST_WHY = 500


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
        asked = [(name, value) for name, value in self.request.query_params.multi_items() if name not in ("done", TRIED)]
        return self.request.url.path + (f"?{urlencode(asked)}" if asked else "")

    def may(self, tenant_id: UUID, role: str) -> bool:
        """Tell whether the caller has a role in a tenant: for the buttons; the routes behind them ask again."""
        return self.caller.may(tenant_id, Role(role))

    def page(self, template: str, /, status: int = HTTPStatus.OK, **words: Any) -> Response:
        """Answer with a page, or with its live part only where the page asks for that again."""
        response = render(self.request, template, status, visit=self, **words)
        if forms.seed_of(self.request) != self.seed:
            forms.keep_seed(self.request, response, self.seed)
        return response

    def done(self, where: str, what: str) -> Response:
        """Answer a form: go and see what came of it, with a word on what was done."""
        joined = "&" if "?" in where else "?"
        return RedirectResponse(f"{where}{joined}{urlencode({'done': what})}", HTTPStatus.SEE_OTHER, HEADERS)


async def the_visit(request: Request, caller: TheCaller) -> Visit:
    """Give this request's visit."""
    visit = Visit(request, caller, await runtime.current(), forms.seed_of(request) or forms.new_seed())
    request.state.visit = visit
    return visit


TheVisit = Annotated[Visit, Depends(the_visit)]


@dataclass(frozen=True)
class Deed:
    """A form that was sent from this page by somebody who may, and the act that the audit gets of it."""

    visit: Visit
    act: Act

    @property
    def runtime(self) -> Runtime:
        """The process's runtime."""
        return self.visit.runtime


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
    """A route whose errors are told as pages; what is nobody's fault but ours is told by the app as everywhere."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the route's handler."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except NotSignedIn as error:
                return _to_sign_in(request, error)
            except (RequestValidationError, BadInput, NotFound, Forbidden, Conflict, TooMany) as error:
                return await _told(request, error)

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


def _shown_path(request: Request) -> str:
    """Give the path of the page that asks for its live part, where it is one of ours."""
    path = urlsplit(request.headers.get("HX-Current-URL", "")).path
    return path if path.startswith(forms.PATH) else forms.PATH


async def _told(request: Request, error: Exception) -> Response:
    visit = getattr(request.state, "visit", None)
    back = urlsplit(request.headers.get("Referer", ""))
    words: dict[str, Any] = {
        "visit": visit,
        "faults": _faults(error),
        "said": str(error),
        "back": back.path + (f"?{back.query}" if back.query else "") if back.path.startswith(forms.PATH) else forms.PATH,
    }
    kinds = {NotFound: 404, Forbidden: 403, Conflict: 409, TooMany: 429}
    status = next((number for kind, number in kinds.items() if isinstance(error, kind)), 422)
    if isinstance(error, Forbidden):
        words["person"] = await _person(request, visit)
    return render(request, "refused.html", status, status=status, **words)


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
