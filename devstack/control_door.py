"""What the control doors of the stand-ins share: how a wrong order is answered, and how a stand-in says what it is."""

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send


async def wrong_order(_: Request, error: Exception) -> Response:
    """Answer an order that cannot be read with 400 and what is wrong with it; raises what is no ValidationError."""
    if not isinstance(error, ValidationError):
        raise error
    faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    return JSONResponse({"error": "; ".join(faults)}, status_code=400)


class SayStandIn:
    """Puts a header on every reply, so that nobody takes the stand-in for the real thing."""

    def __init__(self, app: ASGIApp, words: str) -> None:
        """Wrap the app; `words` is what the header says."""
        self._app = app
        self._words = words.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, the header added."""

        async def say(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stand-in", self._words)]
            await send(message)

        await self._app(scope, receive, say)
