"""Mappings: for which of a POS's own SKUs lines wait, what each may be, and what was said of the others."""

from typing import Annotated, Any

from fastapi import Form, Query
from starlette.responses import Response

from ocs.dashboard.visit import TheDeed, TheVisit, pages, tenants_of
from ocs.mapping import admin as mapping
from ocs.web.roles import Role, open_to

router = pages()
Asked = Annotated[str, Query(max_length=100)]
Sku = Annotated[str, Form(min_length=1, max_length=100)]
UNMAPPED_AT_ONCE, MAPPED_AT_ONCE = 10, 50


@router.get("/mappings")
@open_to(Role.VIEWER)
async def show_mappings(
    visit: TheVisit, tenant: Asked = "", sku: Asked = "", search: Asked = "", after: Asked = ""
) -> Response:
    """Show what of a company's SKUs is not mapped, with suggestions, and its mappings."""
    tenants, chosen = await tenants_of(visit, tenant)
    words: dict[str, Any] = {"unmapped": [], "more": None, "page": {"mappings": [], "next": None}, "asked": None}
    if chosen is not None:
        waiting = await mapping.list_unmapped(chosen["crol"], visit.caller, "", UNMAPPED_AT_ONCE)
        words |= {"unmapped": waiting["unmapped"], "more": waiting["next"]}
        words["page"] = await mapping.list_mappings(chosen["crol"], visit.caller, search, after, MAPPED_AT_ONCE)
        if sku and sku not in {row["pos_sku"] for row in waiting["unmapped"]}:
            words["asked"] = await mapping.list_suggestions(chosen["crol"], sku, visit.caller)
    return visit.page("mappings.html", tenants=tenants, chosen=chosen, search=search, sku=sku, **words)


@router.post("/tenants/{tenant}/mappings")
@open_to(Role.MANAGER)
async def say_mapping(
    tenant: str, pos_sku: Sku, ocs_sku: Sku, deed: TheDeed, upc: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Say what a POS's SKU is at the OCS."""
    await mapping.put_mapping(tenant, pos_sku, mapping.MappingBody(ocs_sku=ocs_sku, upc=upc), deed.act)
    return deed.to("mapped", "/mappings", tenant=tenant)


@router.post("/tenants/{tenant}/mappings/remove")
@open_to(Role.MANAGER)
async def take_back(tenant: str, pos_sku: Sku, deed: TheDeed) -> Response:
    """Take a mapping back."""
    await mapping.delete_mapping(tenant, pos_sku, deed.act)
    return deed.to("unmapped", "/mappings", tenant=tenant)
