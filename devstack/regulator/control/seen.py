"""What the platform has seen, as the control door shows it."""

from datetime import datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from devstack.regulator.calls import History
from devstack.regulator.contract import shape
from devstack.regulator.ledger import Entry, Ledger


class Seen:
    """The history and the ledger."""

    def __init__(self, ledger: Ledger, history: History) -> None:
        """Show these."""
        self._ledger = ledger
        self._history = history

    async def calls(self, request: Request) -> Response:
        """Show the calls that ended."""
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise HTTPException(400, f"after: found {after}, expected a number")
        return JSONResponse(self._history.listing(int(after), request.query_params.get("crsa")))

    async def in_flight(self, _request: Request) -> Response:
        """Show the calls that are being delayed or held."""
        return JSONResponse(self._history.in_flight())

    async def counts(self, _request: Request) -> Response:
        """Show how much each store has reported."""
        stores = self._ledger.stores()
        return JSONResponse(
            {
                crsa: {
                    "lines": len(store.lines),
                    "times_received": store.lines_received,
                    "positions": len(store.positions),
                }
                for crsa, store in stores.items()
            }
        )

    async def lines(self, request: Request) -> Response:
        """Show a store's lines, in order of first acceptance."""
        entries = self._ledger.store(request.path_params["crsa"]).lines.values()
        lines = []
        for entry in entries:
            content = shape.as_sent(shape.EVENT, entry.content)
            lines.append({"line_id": content["posTransactionLineId"], "content": content} | _history_of(entry))
        return JSONResponse(lines)

    async def positions(self, request: Request) -> Response:
        """Show a store's positions as they stand, in order of first acceptance."""
        positions = []
        for instant, entry in self._ledger.store(request.path_params["crsa"]).positions.items():
            timestamp, *contents = entry.content.split(shape.BETWEEN_LINES)
            lines = [shape.as_sent(shape.POSITION, content) for content in contents]
            positions.append(_position(instant, timestamp, lines) | _history_of(entry))
        return JSONResponse(positions)


def _position(instant: datetime, timestamp: str, lines: list[dict[str, str]]) -> dict[str, Any]:
    return {"instant": instant.isoformat(), "positionTimeStamp": timestamp, "lines": lines}


def _history_of(entry: Entry) -> dict[str, Any]:
    return {
        "times_received": entry.times_received,
        "contents_seen": entry.contents_seen,
        "first_number": entry.first_number,
        "last_number": entry.last_number,
        "posted_at": entry.posting.stamp,
    }
