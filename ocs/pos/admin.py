"""The staff's routes to a tenant's POS keys, and to whether its messages must be signed."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ocs import runtime
from ocs.access.caller import TheCaller
from ocs.access.idempotency import SHOWN_ONCE
from ocs.audit.acts import TheAct
from ocs.db.pool import Connection
from ocs.pos.keys import keys_of, make_key, revoke_key, rotate_key
from ocs.pos.signatures import required_from, set_required
from ocs.tenants.reach import tenant_in_reach
from ocs.web.etags import require_match
from ocs.web.paging import Cursor, Limit, decode, page_of
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/tenants/{tenant}", tags=["POS callers"])
LONGEST_OVERLAP_HOURS = 90 * 24


def _future(instant: datetime) -> datetime:
    if instant <= datetime.now(UTC):
        raise ValueError("an instant to come, or null for a key without an end")
    return instant


def _plain(text: str) -> str:
    if "\x00" in text:
        raise ValueError("text without the NUL character")
    return text


class KeyWish(BaseModel):
    """A key that is to be made: what it is for, in the words of those who will look for it, and its end."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    label: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(_plain)
    ] = Field(description="Which system in which stores: `TillPOS, all stores`")
    expires_at: Annotated[AwareDatetime, AfterValidator(_future)] | None = None


class Rotation(BaseModel):
    """How long the old key works beside the new one: until every till has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_HOURS)] = 7 * 24


class ShownKey(BaseModel):
    """What is told of a key: never the key."""

    key_id: str
    label: str
    made_by: str
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="For a call or a signature; to the minute")


class NewKey(ShownKey):
    """A new key with the key itself, which is not shown again."""

    key: str


class RotatedKey(NewKey):
    """A new key, and until when the old one works."""

    replaces: ShownKey


class KeyPage(BaseModel):
    """A page of keys, the oldest first."""

    items: list[ShownKey]
    next: str | None


class SignatureWish(BaseModel):
    """Whether messages on the queues must be signed with a key of the tenant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    required: bool


class Signatures(BaseModel):
    """Whether messages on the queues must be signed: those that are put there from `required_from` on."""

    required: bool
    required_from: datetime | None


@router.post("/pos-keys", status_code=201)
@open_to(Role.TENANT_ADMIN)
async def make_pos_key(tenant: str, wish: KeyWish, act: TheAct, response: Response) -> NewKey:
    """Make a key with which a POS of the tenant posts transactions and signs messages; it is shown this once."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
    key, row = await make_key(own, act, tenant_id, wish.label, wish.expires_at)
    response.headers[SHOWN_ONCE] = "true"
    return NewKey(**row, key=key.text)


@router.get("/pos-keys")
@open_to(Role.TENANT_ADMIN)
async def list_pos_keys(tenant: str, caller: TheCaller, cursor: Cursor = None, limit: Limit = 50) -> KeyPage:
    """List the tenant's keys, the oldest first, those that work no more too."""
    after = decode(cursor, datetime, str)
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, caller, tenant)
        rows = await keys_of(connection, tenant_id, after, limit)
    return KeyPage.model_validate(page_of(rows, limit, "made_at", "key_id"))


@router.post("/pos-keys/{key_id}/rotate", status_code=201)
@open_to(Role.TENANT_ADMIN)
async def rotate_pos_key(tenant: str, key_id: str, rotation: Rotation, act: TheAct, response: Response) -> RotatedKey:
    """Make a key in place of another; the old one works on for the overlap, so that no till stands still."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
    overlap = timedelta(hours=rotation.overlap_hours)
    key, row, old = await rotate_key(own, act, tenant_id, key_id, overlap)
    response.headers[SHOWN_ONCE] = "true"
    return RotatedKey(**row, key=key.text, replaces=ShownKey(**old))


@router.delete("/pos-keys/{key_id}")
@open_to(Role.TENANT_ADMIN)
async def revoke_pos_key(tenant: str, key_id: str, act: TheAct) -> ShownKey:
    """Revoke a key at once; messages that lie on a queue signed with it are refused too. Twice changes nothing."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        row = await revoke_key(connection, act, tenant_id, key_id)
    return ShownKey(**row)


@router.get("/pos-signatures")
@open_to(Role.VIEWER)
async def get_pos_signatures(tenant: str, caller: TheCaller) -> Signatures:
    """Tell whether the tenant's messages on the queues must be signed."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return await _signatures(connection, await tenant_in_reach(connection, caller, tenant))


@router.put("/pos-signatures")
@open_to(Role.TENANT_ADMIN)
async def put_pos_signatures(tenant: str, wish: SignatureWish, act: TheAct, request: Request) -> Signatures:
    """Say whether the tenant's messages on the queues must be signed; the wish holds for those put a minute later."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenant_id = await tenant_in_reach(connection, act.caller, tenant)
        before = await _signatures(connection, tenant_id)
        require_match(request, before)
        since = await set_required(connection, tenant_id, required=wish.required)
        after = Signatures(required=wish.required, required_from=since)
        shown: dict[str, Any] = {"before": before.model_dump(mode="json"), "after": after.model_dump(mode="json")}
        await act.note(connection, "pos_signatures.changed", tenant_id=tenant_id, subject=tenant, **shown)
    return after


async def _signatures(connection: Connection, tenant_id: UUID) -> Signatures:
    since = await required_from(connection, tenant_id)
    return Signatures(required=since is not None, required_from=since)
