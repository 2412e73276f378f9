"""The mailbox's control door. All under `/_control`, in JSON; a wrong order is answered with 400 and `{"error": …}`.

GET    mails            ?to=address: what came, the eldest first: "at", "from", "to", "subject", "text", "html",
                        "headers" (pairs), "tls", "signed_in_as"; DELETE forgets all of it
POST   refusals         {"at": "mail" | "rcpt" | "data", "answer": "451 4.3.0 later", "times"?: 1 | null}
                        the mail server answers so; null: until DELETE
GET    webhooks         ?name=: what came, the eldest first: "at", "name", "method", "query", "headers" (names in
                        small letters), "body", "body_base64", "answered"; DELETE forgets all of it
PUT    answers/{name}   {"status": 500, "seconds"?: 0, "headers"?: {"Retry-After": "3"}, "times"?: null | 2}
                        what `/hooks/{name}` answers from now on instead of 204; DELETE ends it
POST   reset            no mails, no webhooks, no refusals, no answers
"""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from devstack.mailbox.mails import Post, Refusal, Step
from devstack.mailbox.webhooks import Answer, Receiver

Times = Annotated[int, Field(ge=1)] | None


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _RefusalOrder(_Order):
    at: Step
    answer: Annotated[str, Field(pattern=r"^[45]\d\d [ -~]+$")]
    times: Times = 1


class _AnswerOrder(_Order):
    status: Annotated[int, Field(ge=200, le=599)]
    seconds: Annotated[float, Field(ge=0, le=600)] = 0
    headers: dict[str, str] = {}
    times: Times = None


class Control:
    """The door's routes."""

    def __init__(self, post: Post, receiver: Receiver) -> None:
        """Order these."""
        self._post = post
        self._receiver = receiver

    def routes(self) -> list[BaseRoute]:
        """Give the routes."""
        return [
            Route("/_control/mails", self._mails, methods=["GET"]),
            Route("/_control/mails", self._forget_mails, methods=["DELETE"]),
            Route("/_control/refusals", self._refuse, methods=["POST"]),
            Route("/_control/refusals", self._refuse_no_more, methods=["DELETE"]),
            Route("/_control/webhooks", self._webhooks, methods=["GET"]),
            Route("/_control/webhooks", self._forget_webhooks, methods=["DELETE"]),
            Route("/_control/answers/{name}", self._answer, methods=["PUT"]),
            Route("/_control/answers/{name}", self._answer_no_more, methods=["DELETE"]),
            Route("/_control/reset", self._reset, methods=["POST"]),
        ]

    async def _mails(self, request: Request) -> Response:
        to = request.query_params.get("to")
        return JSONResponse([mail for mail in self._post.mails if to is None or to in mail["to"]])

    async def _forget_mails(self, _: Request) -> Response:
        self._post.mails.clear()
        return Response(status_code=204)

    async def _refuse(self, request: Request) -> Response:
        order = _RefusalOrder.model_validate_json(await request.body())
        self._post.refusals.append(Refusal(order.at, order.answer, order.times))
        return JSONResponse([asdict(one) for one in self._post.refusals])

    async def _refuse_no_more(self, _: Request) -> Response:
        self._post.refusals.clear()
        return Response(status_code=204)

    async def _webhooks(self, request: Request) -> Response:
        name = request.query_params.get("name")
        return JSONResponse([one for one in self._receiver.requests if name in (None, one["name"])])

    async def _forget_webhooks(self, _: Request) -> Response:
        self._receiver.requests.clear()
        return Response(status_code=204)

    async def _answer(self, request: Request) -> Response:
        order = _AnswerOrder.model_validate_json(await request.body())
        answer = Answer(order.status, order.seconds, order.headers, order.times)
        self._receiver.answers[request.path_params["name"]] = answer
        return JSONResponse(asdict(answer))

    async def _answer_no_more(self, request: Request) -> Response:
        self._receiver.answers.pop(request.path_params["name"], None)
        return Response(status_code=204)

    async def _reset(self, _: Request) -> Response:
        cleared: list[Any] = [self._post.mails, self._post.refusals, self._receiver.requests, self._receiver.answers]
        for one in cleared:
            one.clear()
        return Response(status_code=204)
