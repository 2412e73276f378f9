"""The staff's routes to dead letters: list them, read one whole, drive them again, dismiss one with a reason."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from ocs import runtime, telemetry
from ocs.access.caller import Caller, TheCaller
from ocs.audit.acts import Act, TheAct
from ocs.db.pool import Connection
from ocs.dead_letters import doors, letters, look
from ocs.dead_letters.letters import Cause
from ocs.dead_letters.look import State, Wanted
from ocs.errors import Conflict
from ocs.runtime import Runtime
from ocs.tenants.reach import row_in_reach, store_in_reach, tenant_in_reach
from ocs.web.paging import Cursor, Limit
from ocs.web.roles import Role, open_to

router = APIRouter(prefix="/api/ocs/dead-letters", tags=["dead letters"])
log = telemetry.logger("dead_letters")
AT_ONCE = 50
Reference = Annotated[str | None, Query(min_length=1, max_length=100)]


class LetterShown(BaseModel):
    """A message that could not be taken in, and why; of no known tenant, it is the super admin's. Times in UTC."""

    letter_id: UUID
    queue: str
    message_id: str
    tenant_id: UUID | None
    store_id: UUID | None
    cause: Cause
    reason: str
    state: State
    tries: int
    due_at: AwareDatetime | None
    inserted_at: AwareDatetime
    buried_at: AwareDatetime
    settled_at: AwareDatetime | None
    dismissed_by: str | None
    dismissed_why: str | None


class LetterRow(LetterShown):
    """A letter in a list: the beginning of its content, and how many characters it has."""

    beginning: str
    characters: int


class LetterWhole(LetterShown):
    """A letter with its whole content, and that as JSON where it is JSON."""

    body: str
    parsed: Any


class LettersPage(BaseModel):
    """A page of letters, those buried last first."""

    items: list[LetterRow]
    next: str | None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Redrive(_Body):
    """Which letters are to be taken in again."""

    letter_ids: Annotated[list[UUID], Field(min_length=1, max_length=AT_ONCE)]


class Dismissal(_Body):
    """Why a letter is not wanted."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Redriven(BaseModel):
    """What became of one letter: taken in, still wrong (its newest reason), or not open any more."""

    letter_id: UUID
    result: Literal["taken_in", "still_wrong", "not_open", "not_now"]
    says: str


class RedrivenLetters(BaseModel):
    """What became of each letter, in the order asked."""

    items: list[Redriven]


@router.get("")
@open_to(Role.VIEWER)
async def list_letters(
    caller: TheCaller,
    tenant: Reference = None,
    store: Reference = None,
    state: State = "open",
    cause: Cause | None = None,
    queue: Reference = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> LettersPage:
    """List messages that could not be taken in, those buried last first."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        tenants = caller.tenants if tenant is None else {await tenant_in_reach(connection, caller, tenant)}
        store_id = None if store is None else (await store_in_reach(connection, caller, store)).store_id
        wanted = Wanted(tenants, store_id, state, cause, queue)
        return LettersPage.model_validate(await look.page(connection, wanted, cursor=cursor, limit=limit))


@router.get("/{letter_id}")
@open_to(Role.VIEWER)
async def get_letter(letter_id: UUID, caller: TheCaller) -> LetterWhole:
    """Give one letter with its whole content."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        return LetterWhole.model_validate(await _in_reach(connection, caller, letter_id))


@router.post("/redrive")
@open_to(Role.MANAGER)
async def redrive(asked: Redrive, act: TheAct) -> RedrivenLetters:
    """Take letters in again, as the same messages, now that their cause is mended; gives the result of each.

    404 where one of them is not the caller's; then none is driven.
    """
    own = await runtime.current()
    wanted = list(dict.fromkeys(asked.letter_ids))
    async with own.pool.transaction() as connection:
        for letter_id in wanted:
            await _in_reach(connection, act.caller, letter_id)
    return RedrivenLetters(items=[await redrive_one(own, act, letter_id) for letter_id in wanted])


@router.post("/{letter_id}/dismiss")
@open_to(Role.MANAGER)
async def dismiss(letter_id: UUID, dismissal: Dismissal, act: TheAct) -> LetterWhole:
    """End a letter that is not wanted, with the reason; it is kept, and not tried again."""
    own = await runtime.current()
    async with own.pool.transaction() as connection:
        found = await _in_reach(connection, act.caller, letter_id)
        if not await look.dismiss(connection, letter_id, act.caller.name, dismissal.reason):
            raise Conflict(f"the letter is {found['state']} already")
        after = {"reason": dismissal.reason, "message_id": found["message_id"]}
        await _note(connection, act, "dead_letter.dismissed", found, after)
        return LetterWhole.model_validate(await look.whole(connection, letter_id))


async def redrive_one(own: Runtime, act: Act, letter_id: UUID) -> Redriven:
    """Note that a letter is driven again, then do it; who dies in between leaves the note and an open letter.

    The note comes first, since taking a message in is a transaction of its own: nothing is done that is not noted.
    """
    async with own.pool.transaction() as connection:
        letter = await letters.find(connection, letter_id)
        found = await look.whole(connection, letter_id)
        if letter is None or found is None:
            return Redriven(letter_id=letter_id, result="not_open", says="it was taken in or dismissed already")
        await _note(connection, act, "dead_letter.redriven", found, {"message_id": letter.message_id})
    try:
        taken_in = await doors.redrive(own, doors.door_of(letter.queue), letter, by_hand=True)
    except Conflict as refusal:
        return Redriven(letter_id=letter_id, result="not_now", says=str(refusal))
    except Exception:  # something of ours failed; the other letters must not suffer from it
        log.exception("dead letter not taken in", letter_id=letter_id)
        return Redriven(letter_id=letter_id, result="not_now", says="something failed here; try it again")
    if taken_in:
        return Redriven(letter_id=letter_id, result="taken_in", says="it was taken in")
    async with own.pool.transaction() as connection:
        now = await letters.find(connection, letter_id)
    return Redriven(letter_id=letter_id, result="still_wrong", says=letter.reason if now is None else now.reason)


async def _in_reach(connection: Connection, caller: Caller, letter_id: UUID) -> dict[str, Any]:
    """Give a letter that the caller may see; one of no tenant is the super admin's only."""
    found = await look.whole(connection, letter_id)
    if found is not None and found["tenant_id"] is None and not caller.super_admin:
        found = None
    return row_in_reach(caller, found, f"dead letter {letter_id}")


async def _note(connection: Connection, act: Act, what: str, letter: dict[str, Any], after: dict[str, Any]) -> None:
    tenant_id, store_id = letter["tenant_id"], letter["store_id"]
    subject = str(letter["letter_id"])
    await act.note(connection, what, tenant_id=tenant_id, store_id=store_id, subject=subject, after=after)
