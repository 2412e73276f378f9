"""The first page: are we compliant now, why not, and each store in a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import Query
from starlette.responses import Response

from ocs.dashboard.visit import TheVisit, pages
from ocs.status.overview import JudgedStore, overview
from ocs.status.verdict import Answer
from ocs.web.roles import Role, open_to

router = pages()
Show = Literal["all", "attention", "paused"]
AT_ONCE = 50
WORST_FIRST = (Answer.NO, Answer.AT_RISK, Answer.YES)


@dataclass(frozen=True)
class Stores:
    """One page of the stores that were asked for, those with something wrong first."""

    rows: Sequence[JudgedStore]
    shown: int
    find: str
    show: Show
    page: int
    pages: int

    @property
    def filtered(self) -> bool:
        """Whether not all stores were asked for."""
        return bool(self.find) or self.show != "all"

    def address(self, page: int) -> str:
        """Give the query of another page of the same stores."""
        return urlencode({"find": self.find, "show": self.show, "page": page})


@router.get("")
@open_to(Role.VIEWER)
async def first_page(
    visit: TheVisit,
    find: Annotated[str, Query(max_length=100)] = "",
    show: Show = "all",
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
) -> Response:
    """Show how everything in reach stands."""
    async with visit.runtime.pool.transaction() as connection:
        whole = await overview(connection, visit.caller, visit.runtime.now())
    return visit.page("overview.html", whole=whole, stores=picked(whole.stores, find, show, page))


def picked(stores: Sequence[JudgedStore], find: str, show: Show, page: int) -> Stores:
    """Pick the page of stores that was asked for; all are known, since the verdict needs them all."""
    wanted = sorted(
        (one for one in stores if _fits(one, find.strip().casefold(), show)),
        key=lambda one: (WORST_FIRST.index(one.verdict.answer), one.figures.crsa),
    )
    pages = max(1, -(-len(wanted) // AT_ONCE))
    page = min(page, pages)
    return Stores(wanted[(page - 1) * AT_ONCE : page * AT_ONCE], len(wanted), find, show, page, pages)


def _fits(store: JudgedStore, find: str, show: Show) -> bool:
    figures = store.figures
    if show == "attention" and store.verdict.answer is Answer.YES:
        return False
    if show == "paused" and figures.switched_on and figures.paused_through is None:
        return False
    return any(find in text.casefold() for text in (figures.name, figures.crsa, figures.crol))
