"""The staff's routes to read-backs: ask for one, see how it stands, and confirm a mapping that it has proved."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from ocs import runtime, telemetry
from ocs.access.caller import Caller, TheCaller
from ocs.audit.acts import TheAct
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import Conflict, NotFound
from ocs.reconciliation import runs
from ocs.reconciliation.compare import Kind
from ocs.reconciliation.meanings import Verdict
from ocs.reconciliation.read_back import Result, differences, result_of
from ocs.tenants.models import TransactionType
from ocs.tenants.onboard import confirm_mapping
from ocs.tenants.reach import row_in_reach, store_in_reach
from ocs.tenants.read import find_store
from ocs.web.roles import Role, open_to

SQL = load(__file__)
log = telemetry.logger("reconciliation")
router = APIRouter(prefix="/api/ocs", tags=["reconciliation"])
AT_ONCE = Query(100, ge=1, le=1000)
AFTER = Query(0, ge=0, le=2**63 - 1)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Window(_Asked):
    """A window of posting time: when the platform took the lines in, not when they were sold."""

    start: AwareDatetime = Field(alias="from")
    end: AwareDatetime = Field(alias="to", description="Not included")


class Confirmation(_Asked):
    """Which transaction type's mapping to confirm."""

    transaction_type: TransactionType


@router.post("/stores/{store}/read-back", status_code=202)
@open_to(Role.MANAGER)
async def start_read_back(store: str, window: Window, act: TheAct) -> dict[str, str]:
    """Have a UAT store read back and compared with what was sent; ask for the result with the id.

    409 for a production store, and while another one of the store is running.
    """
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await store_in_reach(connection, act.caller, store)
        asked = await runs.ask(connection, found, (window.start, window.end), act.caller.name)
        said = window.model_dump(mode="json")
        await act.note_of(connection, found, "read_back.started", subject=found.crsa, after=said)
    return {"read_back_id": str(asked)}


@router.get("/stores/{store}/read-backs")
@open_to(Role.VIEWER)
async def list_read_backs(
    store: str, caller: TheCaller, after: UUID | None = None, limit: int = AT_ONCE
) -> dict[str, Any]:
    """List a store's read-backs, newest first; `after` is the `after` of the page before."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await store_in_reach(connection, caller, store)
        words = {"store_id": found.store_id, "tenant_id": found.tenant_id, "after": after, "most": limit}
        rows = await (await connection.execute(SQL["read_backs_of_store"], words)).fetchall()
    last = str(rows[-1]["read_back_id"]) if len(rows) == limit else None
    return {"read_backs": [_told(row) for row in rows], "after": last}


@router.get("/read-backs/{read_back_id}")
@open_to(Role.VIEWER)
async def read_back(
    read_back_id: UUID, caller: TheCaller, kind: Kind | None = None, after: int = AFTER, limit: int = AT_ONCE
) -> dict[str, Any]:
    """Give how a read-back stands: numbers of lines, what they say of each type, and a page of the differences."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        result = await _in_reach(connection, caller, read_back_id)
        found = await differences(connection, result.row, after=after, kind=kind, limit=limit)
    return _told(result.row) | {
        "counts": result.counts,
        "meanings": [asdict(verdict) for verdict in result.verdicts],
        "differences": found,
        "after": found[-1]["difference_id"] if len(found) == limit else None,
    }


@router.post("/read-backs/{read_back_id}/confirm")
@open_to(Role.TENANT_ADMIN)
async def confirm(read_back_id: UUID, asked: Confirmation, act: TheAct) -> dict[str, str]:
    """Confirm how the connection tells a type, where all its lines agree and the mapping is still what was sent."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        result = await _in_reach(connection, act.caller, read_back_id)
        verdict = _agreed(result, asked.transaction_type)
        row = result.row
        found = await find_store(connection, row["crol"], row["crsa"], asked.transaction_type)
        mapping = found.mapping if found and found.store.connection_id == row["connection_id"] else None
        if mapping is None or (mapping.ocs_type, mapping.wire_sign) != (verdict.sent_type, verdict.wire_sign):
            raise Conflict(
                f"{asked.transaction_type} is told in another way by now than in this read-back: read back anew"
            )
        await confirm_mapping(connection, row["connection_id"], asked.transaction_type)
        places = {"tenant_id": row["tenant_id"], "store_id": row["store_id"]}
        said = {"transaction_type": asked.transaction_type, "words": verdict.words}
        await act.note(connection, "mapping.confirmed", **places, subject=row["crsa"], after=said)
    log.info("mapping confirmed", crsa=row["crsa"], transaction_type=asked.transaction_type, by=act.caller.name)
    return {"transaction_type": asked.transaction_type, "confirmed": verdict.words}


def _agreed(result: Result, transaction_type: TransactionType) -> Verdict:
    """Give the verdict on a type by which its mapping may be confirmed; raises Conflict where there is none."""
    if result.row["state"] != "done":
        raise Conflict(f"the read-back is {result.row['state']}: only one that is done proves anything")
    verdict = next((one for one in result.verdicts if one.transaction_type == transaction_type), None)
    if verdict is None:
        raise Conflict(f"no {transaction_type} came back in this read-back: send one, then read back anew")
    if not verdict.may_confirm:
        raise Conflict(f"the lines do not agree on {transaction_type}: {verdict.words}")
    return verdict


async def _in_reach(connection: Connection, caller: Caller, read_back_id: UUID) -> Result:
    result = await result_of(connection, read_back_id)
    if result is None:
        raise NotFound(f"no read-back {read_back_id}")
    row_in_reach(caller, result.row, f"read-back {read_back_id}")
    return result


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Name the window as it was asked for."""
    names = {"window_from": "from", "window_to": "to"}
    return {names.get(name, name): str(value) if isinstance(value, UUID) else value for name, value in row.items()}
