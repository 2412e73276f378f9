"""The audit: what staff did and every call to the regulator, searched."""

from dataclasses import replace
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from ocs.audit.search import Asked, Kind, search
from ocs.dashboard.visit import TheVisit, pages
from ocs.dashboard.words import ONTARIO
from ocs.tenants.reach import store_in_reach
from ocs.web.paging import Cursor
from ocs.web.roles import Role, open_to

router = pages()
Given = Annotated[str, Query(max_length=200)]


@router.get("/audit")
@open_to(Role.TENANT_ADMIN)
async def show_audit(
    visit: TheVisit,
    kind: Kind = "all",
    store: Given = "",
    who: Given = "",
    what: Given = "",
    status: Given = "",
    correlation: Given = "",
    cursor: Cursor = None,
) -> Response:
    """Show what was done and called, newest first; a company's administrator sees the own company's."""
    asked = {"kind": kind, "store": store, "who": who, "what": what, "status": status, "correlation": correlation}
    wanted = Asked(
        kind=kind, who=who or None, what=what or None, status=status or None, correlation_id=correlation or None
    )
    zone = ONTARIO
    async with visit.runtime.pool.transaction() as connection:
        if store:
            found = await store_in_reach(connection, visit.caller, store.strip())
            wanted, zone = replace(wanted, store_id=found.store_id, tenant_id=found.tenant_id), found.time_zone
        page = await search(connection, visit.caller, wanted, cursor=cursor)
    return visit.page("audit.html", page=page, asked=asked, zone=zone)
