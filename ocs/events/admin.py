"""The HTTP side of events: a POS without storage queues posts its transactions; staff say which warnings hold lines."""

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.audit.acts import TheAct
from ocs.azure.queues import LARGEST_MESSAGE
from ocs.bad_input import FieldFault, bad_input, explain, quoted
from ocs.catalogue.warnings import WARNINGS
from ocs.events.ingest import TRANSACTIONS
from ocs.events.models import Transaction, field_faults
from ocs.pos.caller import ThePos
from ocs.pos.keys import PosCaller
from ocs.pos.seal import seal_for
from ocs.pos.signed_text import HEAD_BYTES, read_signed
from ocs.runtime import Runtime
from ocs.tenants.onboard import parking_warnings, set_parking_warnings
from ocs.tenants.reach import tenant_in_reach
from ocs.tenants.read import known_stores
from ocs.web.problems import problem, wrong_fields
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs", tags=["transactions"])
staff_router = APIRouter(prefix="/api/ocs/tenants", tags=["warnings"])
LARGEST_BODY = 1024 * 1024


@router.post(
    "/transactions",
    status_code=202,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "oneOf": [
                            {"$ref": "#/components/schemas/Transaction"},
                            {"type": "array", "items": {"$ref": "#/components/schemas/Transaction"}},
                        ]
                    }
                }
            },
        }
    },
)
@open_to(Role.POS)
async def post_transactions(request: Request, pos: ThePos) -> JSONResponse:
    """Check one transaction or an array of the key's tenant, and put each on the queue; 202 gives the messages' ids.

    422 names each wrong field of each line, and then nothing is queued. Sending the same again is harmless.
    """
    body = await request.body()
    if len(body) > LARGEST_BODY:
        return problem(
            413, f"The body has {len(body)} bytes, at most {LARGEST_BODY} are taken", "Send it in several parts"
        )
    given = _as_list(body)
    faults: list[FieldFault] = []
    transactions: list[Transaction] = []
    for at, raw in given:
        faults += _check(pos, at, raw, transactions)
    own = await runtime.current()
    faults += await _unknown_stores(own, [at for at, _ in given], transactions) if not faults else []
    if faults:
        return wrong_fields(faults)
    seal = await seal_for(own, pos.tenant_id)
    texts = [seal(transaction.model_dump_json(exclude_unset=True)) for transaction in transactions]
    ids = await own.queues.put_all(TRANSACTIONS.queue, texts)
    queued = [
        {"transaction_id": transaction.transaction_id, "message_id": _number(text, message_id)}
        for transaction, text, message_id in zip(transactions, texts, ids, strict=True)
    ]
    return JSONResponse({"queued": queued}, 202)


class ParkingWarnings(BaseModel):
    """The warnings for which a tenant's lines wait for a person instead of going out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    codes: list[str]

    @field_validator("codes")
    @classmethod
    def _known(cls, codes: list[str]) -> list[str]:
        unknown = sorted(set(codes) - WARNINGS.keys())
        if unknown:
            raise ValueError(f"known codes only; not {', '.join(unknown)}. There are {', '.join(sorted(WARNINGS))}")
        return sorted(set(codes))


@staff_router.get("/{tenant}/parking-warnings")
@open_to(Role.VIEWER)
async def get_parking_warnings(tenant: str, caller: TheCaller) -> dict[str, Any]:
    """Give the warnings for which the tenant's lines wait, and all there are, each with what it says."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        codes = await parking_warnings(connection, await tenant_in_reach(connection, caller, tenant))
    return {"codes": codes, "warnings": WARNINGS}


@staff_router.put("/{tenant}/parking-warnings")
@open_to(Role.MANAGER)
async def put_parking_warnings(tenant: str, chosen: ParkingWarnings, act: TheAct) -> dict[str, Any]:
    """Say for which warnings the tenant's lines wait from now on; those that wait already go on waiting."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        before = {"codes": await parking_warnings(connection, tenant_id)}
        await set_parking_warnings(connection, tenant_id, chosen.codes)
        after = {"codes": chosen.codes}
        what = "parking_warnings.changed"
        await act.note(connection, what, tenant_id=tenant_id, subject=tenant, before=before, after=after)
    return {"codes": chosen.codes}


def _as_list(body: bytes) -> list[tuple[str, object]]:
    """Give each transaction's raw JSON with how its fields are named; raises BadInput for what is not JSON."""
    try:
        raw = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad_input("the whole body", body[:40].decode(errors="replace"), f"JSON ({error})") from None
    if not isinstance(raw, list):
        return [("", raw)]
    if not raw:
        raise bad_input("the whole body", "an empty array", "one transaction or more")
    return [(f"[{number}].", one) for number, one in enumerate(raw)]


def _check(pos: PosCaller, at: str, raw: object, transactions: list[Transaction]) -> list[FieldFault]:
    text = json.dumps(raw)
    try:
        transaction = Transaction.model_validate_json(text)
    except ValidationError as error:
        return explain(error, at)
    transactions.append(transaction)
    faults = list(field_faults(transaction, at))
    if not pos.is_named(transaction.tenant_id):
        # Of a tenant that there is and of one that there is not the words are the same.
        expected = "the tenant that the key belongs to"
        faults.append(FieldFault(f"{at}tenant_id", quoted(transaction.tenant_id), expected))
    size = len(transaction.model_dump_json(exclude_unset=True).encode()) + HEAD_BYTES
    if size > LARGEST_MESSAGE:
        expected = f"at most {LARGEST_MESSAGE} bytes in one transaction: split it"
        faults.append(FieldFault(f"{at}items", f"a transaction of {size} bytes", expected))
    return faults


def _number(text: str, message_id: str) -> str:
    """Give the number under which a message is on record: its signature's where it is signed, else the queue's."""
    signed = read_signed(text)
    return message_id if signed is None else signed.message_id


async def _unknown_stores(own: Runtime, places: list[str], transactions: list[Transaction]) -> list[FieldFault]:
    references = {(transaction.tenant_id, transaction.store_id) for transaction in transactions}
    async with own.pool.transaction() as connection:
        known = await known_stores(connection, references)
    return [
        FieldFault(
            f"{at}store_id",
            quoted(transaction.store_id),
            f"the id or CRSA of a store of tenant {quoted(transaction.tenant_id)}",
        )
        for at, transaction in zip(places, transactions, strict=True)
        if (transaction.tenant_id, transaction.store_id) not in known
    ]
