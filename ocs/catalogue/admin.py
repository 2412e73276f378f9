"""The staff's routes to the item catalogue: find items, see what has changed, have it read."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import TheAct
from ocs.bad_input import bad_input
from ocs.catalogue import items
from ocs.catalogue.gtin import LONGEST, SHORTEST, is_barcode
from ocs.catalogue.sync import ask_sync
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.web.roles import Role, open_to


def _no_nul(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text without the NUL character")
    return text


SQL = load(__file__)
router = APIRouter(prefix="/api/ocs/catalogue", tags=["catalogue"])
NEWEST = 2**63 - 1
Environment = Literal["uat", "production"]
Text = Annotated[str, Field(max_length=100), AfterValidator(_no_nul)]
AtOnce = Annotated[int, Field(ge=1, le=500)]
After = Annotated[int, Field(ge=0, le=NEWEST)]


class Asked(BaseModel):
    """Which catalogue to read; `accepts_short` says that one of less than half of the items before is right."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: Environment
    accepts_short: bool = False


@router.get("/items")
@open_to(Role.VIEWER)
async def list_items(
    environment: Environment,
    caller: TheCaller,  # noqa: ARG001 - the item master is OCS's own: whoever is staff may read it
    search: Annotated[Text, Query(description="Words of name, brand, size, SKU or number; the last may be begun")] = "",
    barcode: Annotated[Text, Query(description="Of the each or of the case, with or without leading zeros")] = "",
    after: Annotated[Text, Query(description="`after` of the page before")] = "",
    limit: AtOnce = 100,
) -> dict[str, Any]:
    """List the items that are in the catalogue now by SKU; `after` is null at the end."""
    if barcode and not is_barcode(barcode):
        raise bad_input("barcode", barcode, f"{SHORTEST} to {LONGEST} digits")
    if search and not items.searchable(search):
        raise bad_input("search", search, "at least one letter or digit")
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await items.list_items(
            connection, environment, search=search, barcode=barcode, after=after, limit=limit
        )
    return {"items": found, "after": found[-1]["ocs_sku"] if len(found) == limit else None}


@router.get("/items/{ocs_sku:path}")
@open_to(Role.VIEWER)
async def get_item(ocs_sku: Text, environment: Environment, caller: TheCaller) -> dict[str, Any]:  # noqa: ARG001 - see above
    """Give an item whole, with its barcodes and what each stands on; also one that is gone, with when."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await items.find_item(connection, environment, ocs_sku)
    if found is None:
        raise NotFound(f'no item "{ocs_sku}" in the catalogue of {environment}')
    return found


@router.get("/changes")
@open_to(Role.VIEWER)
async def list_changes(
    environment: Environment,
    caller: TheCaller,  # noqa: ARG001 - see above
    ocs_sku: Text | None = None,
    after: After = 0,
    limit: AtOnce = 100,
) -> dict[str, Any]:
    """List what was added, changed, gone or back, oldest first, with the fields that differ; `after` pages on."""
    words = {"environment": environment, "ocs_sku": ocs_sku, "after": after, "most": limit}
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["changes"], words)).fetchall()
    return {"changes": rows, "after": rows[-1]["change_id"] if len(rows) == limit else None}


@router.get("/syncs")
@open_to(Role.VIEWER)
async def list_syncs(
    environment: Environment,
    caller: TheCaller,  # noqa: ARG001 - see above
    before: Annotated[int, Field(ge=1, le=NEWEST), Query(description="`before` of the page before")] = NEWEST,
    limit: AtOnce = 20,
) -> dict[str, Any]:
    """List the readings of a catalogue, newest first: how far each is, what it found, and what went wrong."""
    words = {"environment": environment, "before": before, "most": limit}
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["syncs"], words)).fetchall()
    return {"syncs": rows, "before": rows[-1]["sync_id"] if len(rows) == limit else None}


@router.post("/sync", status_code=202)
@open_to(Role.MANAGER)
async def start_sync(asked: Asked, act: TheAct) -> dict[str, int]:
    """Have a catalogue read; a timer begins within some 15 s. 409 where no store reports to the environment.

    While it is being read, the answer is the number of that reading, which waits no longer for its next try.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        sync_id = await ask_sync(connection, asked.environment, act.caller.name, accepts_short=asked.accepts_short)
        said = asked.model_dump(mode="json")
        await act.note(connection, "catalogue.asked", tenant_id=None, subject=asked.environment, after=said)
    return {"sync_id": sync_id}
