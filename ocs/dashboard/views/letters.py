"""Dead letters: messages of a POS that could not be taken in, whole, with the reason and what can be done."""

from typing import Annotated
from uuid import UUID

from fastapi import Form, Query
from starlette.responses import Response

from ocs.dashboard.visit import TheDeed, TheVisit, pages
from ocs.dead_letters import admin as letters
from ocs.dead_letters.look import State
from ocs.errors import Conflict
from ocs.web.paging import Cursor
from ocs.web.roles import Role, open_to

router = pages()
Asked = Annotated[str, Query(max_length=100)]


@router.get("/letters")
@open_to(Role.VIEWER)
async def list_letters(visit: TheVisit, store: Asked = "", state: State = "open", cursor: Cursor = None) -> Response:
    """List the letters of a state, those buried last first."""
    page = await letters.list_letters(visit.caller, store=store.strip() or None, state=state, cursor=cursor)
    return visit.page("letters.html", page=page, store=store, state=state)


@router.get("/letters/{letter_id}")
@open_to(Role.VIEWER)
async def show_letter(letter_id: UUID, visit: TheVisit) -> Response:
    """Show one letter whole."""
    return visit.page("letter.html", letter=await letters.get_letter(letter_id, visit.caller))


@router.post("/letters/{letter_id}/redrive")
@open_to(Role.MANAGER)
async def redrive(letter_id: UUID, deed: TheDeed) -> Response:
    """Take a letter in again, now that its cause is mended."""
    answer = await letters.redrive(letters.Redrive(letter_ids=[letter_id]), deed.act)
    if answer.items[0].result != "taken_in":
        raise Conflict(f"The message was not taken in: {answer.items[0].says}")
    return deed.back("redriven", f"/letters/{letter_id}")


@router.post("/letters/{letter_id}/dismiss")
@open_to(Role.MANAGER)
async def dismiss(letter_id: UUID, why: Annotated[str, Form(min_length=1, max_length=500)], deed: TheDeed) -> Response:
    """End a letter that is not wanted; it is kept with the reason."""
    await letters.dismiss(letter_id, letters.Dismissal(reason=why), deed.act)
    return deed.back("dismissed", f"/letters/{letter_id}")
