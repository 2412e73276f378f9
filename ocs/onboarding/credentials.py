"""The routes to credentials: keep them, see their state, try them. A kept value is never shown again."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import BadInput, FieldFault, faults_of
from ocs.onboarding.keeping import HIDDEN, keep, try_sign_in
from ocs.onboarding.models import CredentialsBody, CredentialsKept, CredentialsPage, Reference, SignInTry
from ocs.onboarding.state import state_of
from ocs.web.paging import Cursor, Limit
from ocs.web.roles import Role, open_to


class Discreet(APIRoute):
    """A route that quotes nothing of a wrong request: what was found may be a secret in the wrong place."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Give the handler, with what is found left out of its faults."""
        handle = super().get_route_handler()

        async def discreetly(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                found = [details | {"loc": details["loc"][1:]} for details in error.errors()]
                raise BadInput([_hidden(fault) for fault in faults_of(found)]) from None

        return discreetly


router = APIRouter(prefix="/api/ocs/credentials", tags=["credentials"], route_class=Discreet)


@router.post("")
@open_to(Role.TENANT_ADMIN, secret=True)
async def keep_credentials(body: CredentialsBody, act: TheAct) -> CredentialsKept:
    """Keep a connection's client secret, a store's hash key, or both, in Key Vault.

    A client secret is tried at the Data Platform's sign-in first, and nothing is kept where that refuses it. The ones
    before are used too for `overlap_hours`: whichever is let in.
    """
    return await keep(await runtime.current(), act, body)


@router.get("")
@open_to(Role.TENANT_ADMIN)
async def show_credentials(
    tenant: Annotated[Reference, Query(description="The tenant's id or CROL")],
    caller: TheCaller,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> CredentialsPage:
    """Show whether a tenant's credentials are set, who rotated them when, and when they were last let in."""
    return await state_of(await runtime.current(), caller, tenant, cursor=cursor, limit=limit)


@router.post("/{connection}/test")
@open_to(Role.TENANT_ADMIN)
async def ask_sign_in(
    connection: Annotated[Reference, Path(description="The connection's id, or its name with `tenant`")],
    act: TheAct,
    tenant: Annotated[Reference | None, Query(description="The tenant's id or CROL")] = None,
) -> SignInTry:
    """Ask the Data Platform's sign-in for a token now, with the secret that is kept, and say what happened."""
    return await try_sign_in(await runtime.current(), act, connection, tenant)


def _hidden(fault: FieldFault) -> FieldFault:
    return fault if fault.found == "nothing" else FieldFault(fault.field, HIDDEN, fault.expected)
