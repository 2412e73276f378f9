"""`python -m devstack.host --app DIR`: serve a functions app on this machine. NOT the Azure Functions host.

Settings are environment variables. Prints one JSON line on stdout when it can answer; everything else, also what the
app prints, goes to stderr. SIGTERM and SIGINT stop it.

Left out: functionTimeout, retry policies, dynamic concurrency, scaling, identity-based connections, bindings other
than queue, timer and HTTP, route constraints, timers' memory over a restart.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TextIO

import aiohttp
from azure.functions import AsgiFunctionApp
from rich.console import Console
from rich.table import Table

from devstack.host.easy_auth.door import EasyAuth
from devstack.host.easy_auth.issuer import Issuer
from devstack.host.invoke import Invoker
from devstack.host.load import App, CannotStart, Function, HttpTrigger, QueueTrigger, TimerTrigger, load
from devstack.host.queues import QueueListener, poison_name
from devstack.host.routes import Routes
from devstack.host.storage import Storage, StorageFailed
from devstack.host.timers import Timer
from devstack.host.web import STAND_IN, Door, Server

log = logging.getLogger("devstack.host")

HIDDEN_SECONDS = 600
"""The storage extension hides a message for 10 minutes while it runs (QueueListener.cs, _visibilityTimeout)."""


class Host:
    """A loaded app with everything that runs it."""

    def __init__(self, app: App, storages: dict[str, Storage], arguments: argparse.Namespace) -> None:
        """Prepare all listeners; raises CannotStart for what the app asks wrongly."""
        self._key = arguments.function_key or secrets.token_urlsafe(24)
        self._app = app
        self._drain = float(arguments.drain)
        self._issuer = Issuer(arguments.auth_issuer, arguments.auth_client_id) if arguments.auth_issuer else None
        self._invoker = Invoker(app.root, storages, as_base64=app.queues.base64)
        hidden = timedelta(seconds=arguments.hidden)
        self._listeners = [
            _listener(one, one.trigger, storages[one.trigger.connection], app, hidden)
            for one in app.functions
            if isinstance(one.trigger, QueueTrigger)
        ]
        self._timers = [Timer(one, one.trigger) for one in app.functions if isinstance(one.trigger, TimerTrigger)]
        self._ticking = [] if arguments.no_timers else self._timers
        self._routes = Routes(app.functions, app.route_prefix)

    async def serve(self, listening: socket.socket, ready: TextIO, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then stop in order; raises CannotStart when the queues cannot be reached."""
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        try:
            await asyncio.gather(*(listener.prepare() for listener in self._listeners))
        except (StorageFailed, aiohttp.ClientError, TimeoutError) as error:
            raise CannotStart(f"the queues cannot be made or reached: {error}") from error
        door = Door(self._routes, self._invoker, self._key, self._timers, self._status())
        server = Server(door if self._issuer is None else EasyAuth(door, self._issuer, self._key), self._drain)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await server.up.wait()
        feeding = [asyncio.create_task(listener.listen(self._invoker)) for listener in self._listeners]
        ticking = [asyncio.create_task(timer.tick(self._invoker)) for timer in self._ticking]
        self._announce(url, ready)
        parts = [serving, *feeding, *ticking, asyncio.create_task(stop.wait())]
        await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        log.info("stopping: what runs gets up to %g s to finish", self._drain)
        for listener in self._listeners:
            listener.stop()
        for tick in ticking:
            tick.cancel()
        server.should_exit = True
        await asyncio.gather(
            serving,
            *feeding,
            *(listener.drain(self._drain) for listener in self._listeners),
            *(timer.drain(self._drain) for timer in self._timers),
        )
        await self._close_app()
        self._invoker.close()

    @property
    def has_stuck_threads(self) -> bool:
        """Whether a function still holds a thread, which Python would wait for at its end."""
        return self._invoker.holds_threads

    async def _close_app(self) -> None:
        # An AsgiFunctionApp starts its ASGI app at the first request and ends it in __del__, where no loop runs.
        register = self._app.register
        if isinstance(register, AsgiFunctionApp) and register.startup_task_done:
            register.startup_task_done = False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(register.middleware.notify_shutdown(), self._drain)

    def _status(self) -> dict[str, Any]:
        functions = [_description(one, self._routes) for one in self._app.functions]
        return {
            "id": "devstack",
            "state": "Running",
            "version": STAND_IN,
            "functions": functions,
            "warnings": self._routes.warnings(),
        }

    def _announce(self, url: str, ready: TextIO) -> None:
        for warning in self._routes.warnings():
            log.warning("%s", warning)
        _print_table(self._app.functions, self._routes, url)
        names = [one.name for one in self._app.functions]
        line = {"ready": True, "url": url, "functions": names, "function_key": self._key}
        print(json.dumps(line), file=ready, flush=True)


def _listening(port: int) -> socket.socket:
    """Open the port; a socket that says TCP itself has Nagle's delay turned off by the loop: 40 ms a reply else."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    return listening


def main() -> int:
    """Serve until a signal; gives the exit code."""
    arguments = _arguments()
    ready = _take_stdout()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    log.warning("this is the %s", STAND_IN)
    try:
        stuck = asyncio.run(_run(arguments, ready))
    except CannotStart as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 1
    if stuck:
        log.warning("a function in a thread did not finish and is cut off")
        sys.stderr.flush()
        os._exit(0)
    return 0


async def _run(arguments: argparse.Namespace, ready: TextIO) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    app = load(arguments.app)
    async with contextlib.AsyncExitStack() as opened:
        storages = {
            name: await opened.enter_async_context(_storage(name, text)) for name, text in app.connections().items()
        }
        host = Host(app, storages, arguments)
        with _listening(arguments.port) as listening:
            await host.serve(listening, ready, stop)
    return host.has_stuck_threads


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack.host", description=STAND_IN)
    parser.add_argument("--app", type=Path, required=True, help="folder with function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071, help="TCP port on 127.0.0.1, 0 for a free one")
    parser.add_argument("--no-timers", action="store_true", help="run timers only by POST /admin/functions/NAME")
    parser.add_argument("--function-key", default="", help="key that HTTP functions ask for (default: a random one)")
    parser.add_argument("--drain", type=float, default=10, help="seconds that running functions get at the end")
    parser.add_argument(
        "--hidden",
        type=float,
        default=HIDDEN_SECONDS,
        help="seconds a message is hidden while it runs, renewed at half",
    )
    parser.add_argument("--auth-issuer", default="", help="sign browsers in there, as App Service Authentication does")
    parser.add_argument("--auth-client-id", default="", help="the app's id at that issuer")
    arguments = parser.parse_args()
    if bool(arguments.auth_issuer) != bool(arguments.auth_client_id):
        parser.error("--auth-issuer and --auth-client-id together, or neither")
    return arguments


def _take_stdout() -> TextIO:
    """Keep stdout for the ready line: what the app prints goes to stderr, where somebody reads on."""
    kept = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return kept


def _storage(name: str, connection_string: str) -> Storage:
    try:
        return Storage(connection_string)
    except ValueError as error:
        raise CannotStart(f"the setting {name} is not a storage connection string: {error}") from error


def _listener(
    function: Function, trigger: QueueTrigger, storage: Storage, app: App, hidden: timedelta
) -> QueueListener:
    poison = poison_name(trigger.queue)
    return QueueListener(
        function, storage.queue(trigger.queue), storage.queue(poison) if poison else None, app.queues, hidden
    )


def _description(function: Function, routes: Routes) -> dict[str, str]:
    match function.trigger:
        case QueueTrigger(queue=queue):
            return {"name": function.name, "trigger": "queueTrigger", "on": queue}
        case TimerTrigger(schedule=schedule):
            return {"name": function.name, "trigger": "timerTrigger", "on": schedule}
        case HttpTrigger(methods=methods):
            template = next(route.template for route in routes.all if route.function is function)
            return {
                "name": function.name,
                "trigger": "httpTrigger",
                "on": f"{','.join(sorted(methods)) or 'any'} {template}",
            }


def _print_table(functions: Sequence[Function], routes: Routes, url: str) -> None:
    table = Table("function", "trigger", "on", title=f"{STAND_IN} on {url}")
    for function in functions:
        table.add_row(*_description(function, routes).values())
    Console(stderr=True).print(table)


if __name__ == "__main__":
    sys.exit(main())
