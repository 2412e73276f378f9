"""Credentials: whether they are set and let in, and a form that takes new ones. It never shows any."""

from typing import Annotated, Any

from fastapi import Form, Query
from pydantic import ValidationError
from starlette.responses import Response

from ocs.bad_input import BadInput, FieldFault, explain
from ocs.dashboard.visit import TheDeed, TheVisit, pages, tenants_of
from ocs.onboarding import credentials
from ocs.onboarding.keeping import HIDDEN
from ocs.onboarding.models import CredentialsBody
from ocs.web.paging import Cursor
from ocs.web.roles import Role, open_to

router = pages()
Asked = Annotated[str, Query(max_length=100)]
# Without a limit: a field that is too long would be quoted, and it may be a secret. The body below checks it unquoted.
Given = Annotated[str, Form()]


@router.get("/credentials")
@open_to(Role.TENANT_ADMIN)
async def show_credentials(visit: TheVisit, tenant: Asked = "", cursor: Cursor = None) -> Response:
    """Show the state of a company's credentials, and the forms that take new ones."""
    tenants, chosen = await tenants_of(visit, tenant)
    page = None
    if chosen is not None:
        page = await credentials.show_credentials(chosen["crol"], visit.caller, cursor=cursor)
    return visit.page("credentials.html", tenants=tenants, chosen=chosen, page=page)


@router.post("/tenants/{tenant}/credentials/{connection}")
@open_to(Role.TENANT_ADMIN)
async def keep_secret(
    tenant: str, connection: str, deed: TheDeed, client_secret: Given = "", client_id: Given = "", overlap: Given = "24"
) -> Response:
    """Check a connection's client secret at the sign-in, then keep it."""
    given = {"connection": connection, "client_secret": client_secret, "client_id": client_id.strip()}
    await credentials.keep_credentials(_body(tenant, overlap, given), deed.act)
    return deed.back("stored", "/credentials")


@router.post("/tenants/{tenant}/hash-keys/{store}")
@open_to(Role.TENANT_ADMIN)
async def keep_hash_key(
    tenant: str, store: str, deed: TheDeed, hash_key: Given = "", overlap: Given = "24"
) -> Response:
    """Keep a store's hash key."""
    body = _body(tenant, overlap, {"store": store, "hash_key": hash_key.strip()})
    await credentials.keep_credentials(body, deed.act)
    return deed.back("kept", "/credentials")


@router.post("/tenants/{tenant}/credentials/{connection}/test")
@open_to(Role.TENANT_ADMIN)
async def try_secret(tenant: str, connection: str, deed: TheDeed) -> Response:
    """Ask the sign-in for a token now."""
    await credentials.ask_sign_in(connection, deed.act, tenant)
    return deed.back("tried", "/credentials")


def _body(tenant: str, overlap: str, given: dict[str, Any]) -> CredentialsBody:
    """Read a form; what was found in it is never quoted."""
    said = {name: value for name, value in given.items() if value}
    try:
        return CredentialsBody.model_validate({"tenant": tenant, "overlap_hours": overlap, **said})
    except ValidationError as error:
        raise BadInput([FieldFault(one.field, HIDDEN, one.expected) for one in explain(error)]) from None
