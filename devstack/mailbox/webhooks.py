"""The receiver of webhooks: keeps each request whole and answers 204, or what it was told to answer."""

import asyncio
import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass
class Answer:
    """What a receiver answers, after `seconds`, to `times` more requests (None: until it is changed)."""

    status: int
    seconds: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    times: int | None = None


class Receiver:
    """All webhooks of all names."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.requests: list[dict[str, Any]] = []
        """What came, the eldest first."""
        self.answers: dict[str, Answer] = {}
        """What to answer, by name, where it is not 204."""

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        return [Route("/hooks/{name}", self._take, methods=METHODS)]

    async def _take(self, request: Request) -> Response:
        name, body = request.path_params["name"], await request.body()
        answer = self._answer(name)
        self.requests.append(
            {
                "at": datetime.now(UTC).isoformat(),
                "name": name,
                "method": request.method,
                "query": request.url.query,
                "headers": dict(request.headers),
                "body": body.decode("utf-8", "replace"),
                "body_base64": base64.b64encode(body).decode(),
                "answered": answer.status,
            }
        )
        await asyncio.sleep(answer.seconds)
        return Response(status_code=answer.status, headers=answer.headers)

    def _answer(self, name: str) -> Answer:
        found = self.answers.get(name)
        if found is None:
            return Answer(204)
        if found.times is not None:
            found.times -= 1
            if found.times < 1:
                del self.answers[name]
        return found
