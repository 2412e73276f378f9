"""A tiny functions app that writes down what the host gives it, one JSON line per run, in the file SAMPLE_JOURNAL.

A message or request says what to do: "fail" raises, "hold" waits until the file SAMPLE_GATE holds a number
above the run's own (the held runs are counted from 0).
"""

import asyncio
import itertools
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import azure.functions as func
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

STORAGE = "SAMPLE_STORAGE"
JOURNAL = Path(os.environ["SAMPLE_JOURNAL"])
GATE = Path(os.environ["SAMPLE_GATE"])
TURNS = itertools.count()

print("the sample app is loaded")  # noqa: T201 - it must not get in the way of the host's ready line


def in_main_thread() -> bool:
    """Whether this runs where the event loop runs."""
    return threading.current_thread() is threading.main_thread()


def note(function: str, **what: object) -> None:
    """Add a line to the journal."""
    line = {"function": function, "on_loop": in_main_thread(), "when": time.time()} | what
    with JOURNAL.open("a") as journal:
        journal.write(json.dumps(line) + "\n")


def held(turn: int) -> bool:
    """Whether the gate is still closed for this turn."""
    return not GATE.exists() or turn >= int(GATE.read_text())


async def obey(what: str) -> None:
    """Do what the message says."""
    if what.startswith("fail"):
        raise RuntimeError("told to fail")
    if what.startswith("hold"):
        turn = next(TURNS)
        waiting = held(turn)
        while waiting:
            await asyncio.sleep(0.01)
            waiting = held(turn)


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    """Note the site's start and end."""
    note("site", phase="started")
    yield
    note("site", phase="stopped")


async def page(request: Request) -> Response:
    """Say what was asked, with two cookies."""
    seen = {"path": request.url.path, "query": request.url.query, "size": len(await request.body())}
    reply = JSONResponse(seen | {"header": request.headers.get("x-sample")}, status_code=203)
    reply.set_cookie("first", "1")
    reply.set_cookie("second", "2")
    return reply


site = Starlette(routes=[Route("/{rest:path}", page, methods=["GET", "POST"])], lifespan=lifespan)
# Its name comes first in the alphabet and its route takes everything: Azure would let it answer for all others.
app = func.AsgiFunctionApp(app=site, http_auth_level=func.AuthLevel.ANONYMOUS, function_name="anything")
rooms = func.Blueprint()


@rooms.queue_trigger(arg_name="msg", queue_name="%SAMPLE_PREFIX%-in", connection=STORAGE)
async def keeper(msg: func.QueueMessage, context: func.Context) -> None:
    """Note the message with all that came with it, then obey."""
    text = msg.get_body().decode()
    note(
        "keeper",
        phase="began",
        text=text,
        type=f"{type(msg).__module__}.{type(msg).__name__}",
        id=msg.id,
        dequeue_count=msg.dequeue_count,
        inserted=msg.insertion_time.isoformat(),
        expires=msg.expiration_time.isoformat(),
        next_visible=msg.time_next_visible.isoformat(),
        has_receipt=bool(msg.pop_receipt),
        said_function=context.function_name,
        invocation=context.invocation_id,
    )
    await obey(text)
    note("keeper", phase="ended", text=text)


@rooms.queue_trigger(arg_name="msg", queue_name="%SAMPLE_PREFIX%-in-poison", connection=STORAGE)
async def undertaker(msg: func.QueueMessage) -> None:
    """Note a poison message; fail for those that no one can bury."""
    text = msg.get_body().decode()
    note("undertaker", text=text, dequeue_count=msg.dequeue_count)
    if text == "undead":
        raise RuntimeError("told to fail")


@rooms.queue_trigger(arg_name="msg", queue_name="%SAMPLE_PREFIX%-relay", connection=STORAGE)
@rooms.queue_output(arg_name="copies", queue_name="%SAMPLE_PREFIX%-copies", connection=STORAGE)
@rooms.queue_output(arg_name="$return", queue_name="%SAMPLE_PREFIX%-returned", connection=STORAGE)
async def relay(msg: func.QueueMessage, copies: func.Out[list[str]]) -> str:
    """Put two copies on one queue and what it returns on another."""
    text = msg.get_body().decode()
    copies.set([f"{text} <1> & \r\n", f"{text} 2"])
    await obey(text)
    return f"relayed {text}"


@rooms.queue_trigger(arg_name="msg", queue_name="%SAMPLE_PREFIX%-threads", connection=STORAGE)
def worker(msg: func.QueueMessage) -> None:
    """Note the message from a thread."""
    text = msg.get_body().decode()
    note("worker", text=text)
    if text == "hold":
        turn = next(TURNS)
        while held(turn):
            time.sleep(0.01)


@rooms.timer_trigger(
    arg_name="timer", schedule="%SAMPLE_SCHEDULE%", run_on_startup=os.environ.get("SAMPLE_RUN_ON_STARTUP") == "1"
)
async def beat(timer: func.TimerRequest) -> None:
    """Note the tick, then obey SAMPLE_BEAT."""
    note("beat", phase="began", past_due=timer.past_due, following=timer.schedule_status["Next"])
    await obey(os.environ.get("SAMPLE_BEAT", ""))
    note("beat", phase="ended")


@rooms.route(route="things/{kind}/{number?}", methods=["GET", "POST"], auth_level=func.AuthLevel.FUNCTION)
async def thing(req: func.HttpRequest) -> func.HttpResponse:
    """Say what came, as JSON."""
    await obey(req.params.get("do", ""))
    said = {"route": dict(req.route_params), "query": dict(req.params), "body": req.get_body().decode()}
    return func.HttpResponse(json.dumps(said), status_code=201, mimetype="application/json", headers={"x-seen": "yes"})


@rooms.route(route="things/special", methods=["GET"], auth_level=func.AuthLevel.ADMIN)
def thing_special(req: func.HttpRequest) -> str:
    """Answer from a thread, with a plain text."""
    return f"{req.method}, on the loop: {in_main_thread()}"


@rooms.route(route="who", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def who(req: func.HttpRequest) -> func.HttpResponse:
    """Say which headers came that tell who is signed in, as JSON."""
    told = {name: value for name, value in req.headers.items() if name.startswith("x-ms-")}
    return func.HttpResponse(json.dumps(told), mimetype="application/json")


@rooms.route(route="notes", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
@rooms.queue_output(arg_name="out", queue_name="%SAMPLE_PREFIX%-in", connection=STORAGE)
async def write_note(req: func.HttpRequest, out: func.Out[str]) -> None:
    """Put the request's text on the keeper's queue; answer nothing."""
    out.set(req.get_json()["text"])


app.register_functions(rooms)
