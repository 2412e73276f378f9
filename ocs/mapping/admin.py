"""The staff's routes to SKU mappings: read, say, take back, upload, and see for which SKUs lines wait."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import Act, TheAct
from ocs.bad_input import bad_input
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.mapping.change import Mapping, Said, remove_mapping
from ocs.mapping.item_master import warnings_about
from ocs.mapping.lookup import MappedSku
from ocs.mapping.suggest import Asked
from ocs.mapping.unmapped import known_for, suggestions_for, unmapped_skus
from ocs.mapping.upload import FindTenant, Options, take_file, take_one
from ocs.tenants.reach import tenant_in_reach
from ocs.web.roles import Role, open_to

SQL = load(__file__)
router = APIRouter(prefix="/api/ocs/tenants/{tenant}/mappings", tags=["mappings"])
CSV_TYPE = "text/csv"
NEWEST = 2**63 - 1
"""Above every change's number."""


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text without the NUL character")
    return text


Text = Annotated[str, StringConstraints(max_length=100), AfterValidator(_no_nul)]
Trimmed = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(_no_nul)]
# A POS SKU may have a slash in it, so it takes the rest of the path; it is kept to the letter, as events bring it.
PosSku = Annotated[str, Path(min_length=1, max_length=100), AfterValidator(_no_nul)]
After = Annotated[Text, Query(description="`next` of the page before")]


class MappingBody(BaseModel):
    """What a POS SKU is at the OCS; the barcode is of the each, and may be empty where the POS sends its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ocs_sku: Annotated[Trimmed, Field(min_length=1)]
    upc: Trimmed = ""
    note: Annotated[str, StringConstraints(max_length=500), AfterValidator(_no_nul)] | None = Field(
        None, description="For people; without one the note that is there stays"
    )


@router.get("")
@open_to(Role.VIEWER)
async def list_mappings(
    tenant: str,
    caller: TheCaller,
    search: Annotated[Text, Query(description="A part of either SKU, of the barcode or of the note")] = "",
    after: After = "",
    limit: Annotated[int, Field(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """List a tenant's mappings by POS SKU, each with what is odd about it in the light of today's item catalogue."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        words = {"tenant_id": tenant_id, "search": search, "after": after, "most": limit}
        rows = await (await connection.execute(SQL["mappings"], words)).fetchall()
        items = [MappedSku(row["ocs_sku"], row["upc"]) for row in rows]
        warned = await warnings_about(connection, tenant_id, items)
    found = [row | {"warnings": warned(item)} for row, item in zip(rows, items, strict=True)]
    return {"mappings": found, "next": rows[-1]["pos_sku"] if len(rows) == limit else None}


@router.get("/changes")
@open_to(Role.VIEWER)
async def list_changes(
    tenant: str,
    caller: TheCaller,
    pos_sku: Annotated[Text | None, Query(description="Of this SKU only")] = None,
    before: Annotated[int, Field(ge=1, le=NEWEST), Query(description="`next` of the page before")] = NEWEST,
    limit: Annotated[int, Field(ge=1, le=500)] = 100,
) -> dict[str, Any]:
    """List what was said of a tenant's SKUs, by whom and when (UTC), the newest first."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        words = {"tenant_id": tenant_id, "pos_sku": pos_sku, "before": before, "most": limit}
        rows = await (await connection.execute(SQL["mapping_changes"], words)).fetchall()
    return {"changes": rows, "next": rows[-1]["change_id"] if len(rows) == limit else None}


@router.get("/unmapped")
@open_to(Role.VIEWER)
async def list_unmapped(
    tenant: str, caller: TheCaller, after: After = "", limit: Annotated[int, Field(ge=1, le=50)] = 20
) -> dict[str, Any]:
    """List the POS SKUs for whose mapping lines wait: how many, since when, and what each may be."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        rows = await unmapped_skus(connection, tenant_id, after, limit)
        asked = [Asked(row["pos_sku"], tuple(row["upcs"])) for row in rows]
        known = await known_for(connection, tenant_id, asked)
    suggested = await suggestions_for(known, asked)
    found = [row | {"suggestions": [asdict(one) for one in some]} for row, some in zip(rows, suggested, strict=True)]
    return {"unmapped": found, "next": rows[-1]["pos_sku"] if len(rows) == limit else None}


@router.get("/{pos_sku:path}/suggestions")
@open_to(Role.VIEWER)
async def list_suggestions(
    tenant: str,
    pos_sku: PosSku,
    caller: TheCaller,
    upc: Annotated[Trimmed, Query(description="The barcode that the POS has, of the each or of the case")] = "",
    name: Annotated[Trimmed, Query(description="What the POS calls it")] = "",
) -> dict[str, Any]:
    """Give at most five items that a POS SKU may be, the surest first; nothing is written."""
    own = await runtime.current()
    asked = [Asked(pos_sku, (upc,) if upc else (), name)]
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        known = await known_for(connection, tenant_id, asked)
    suggested = await suggestions_for(known, asked)
    return {"pos_sku": pos_sku, "suggestions": [asdict(one) for one in suggested[0]]}


@router.post("/csv")
@open_to(Role.MANAGER)
async def post_csv(
    tenant: str,
    request: Request,
    act: TheAct,
    dry_run: Annotated[bool, Query(description="Say what it would do, and write nothing")] = False,
    good_lines_only: Annotated[bool, Query(description="Leave wrong lines out instead of refusing all")] = False,
) -> dict[str, Any]:
    """Say what many SKUs are by a CSV file with the columns pos_sku, ocs_sku and upc; all of it or nothing.

    Answers with what each line comes to, the same in a dry run. 422 names every fault by line and column.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != CSV_TYPE:
        raise bad_input("Content-Type", kind, CSV_TYPE)
    options = Options(dry_run=dry_run, good_lines_only=good_lines_only)
    return await take_file(await runtime.current(), _finding(act, tenant), await request.body(), act, options)


@router.put("/{pos_sku:path}")
@open_to(Role.MANAGER)
async def put_mapping(tenant: str, pos_sku: PosSku, said: MappingBody, act: TheAct) -> dict[str, Any]:
    """Say what a POS SKU is; lines that wait for it leave by themselves. Oddities are warnings beside the mapping."""
    mapping = Mapping(pos_sku, MappedSku(said.ocs_sku, said.upc), said.note)
    return await take_one(await runtime.current(), _finding(act, tenant), mapping, act)


@router.delete("/{pos_sku:path}")
@open_to(Role.MANAGER)
async def delete_mapping(tenant: str, pos_sku: PosSku, act: TheAct) -> dict[str, Any]:
    """Take a mapping back: future lines of the SKU wait again, and those that are recorded stay as they are."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        was = await remove_mapping(connection, tenant_id, pos_sku, Said(act.caller.name, own.now()))
        await act.note(connection, "sku.unmapped", tenant_id=tenant_id, subject=pos_sku, before=asdict(was))
    return {"pos_sku": pos_sku, "change": "removed", "before": asdict(was)}


def _finding(act: Act, tenant: str) -> FindTenant:
    async def find(connection: Connection) -> UUID:
        return await tenant_in_reach(connection, act.caller, tenant)

    return find
