"""Starts the stand-in of the OCS Data Platform as a process: `python -m devstack.regulator --port 0`."""

import argparse
import asyncio
import gc
import json
import logging
import math
import socket
import sys
from types import FrameType

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from devstack.regulator.app import TRANSPORT, StandIn

HOST = "127.0.0.1"
BACKLOG = 2048
KEEP_ALIVE_SECONDS = 120
"""Longer than any test pauses: an idle connection that closes by itself would look like a fault."""
STOP_SECONDS = 2


class _Connection(HttpToolsProtocol):
    """A connection that hands its transport on, so that a fault can cut it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class _Server(uvicorn.Server):
    """Says when it can answer, lets held calls go when it stops, and takes a signal for a plain stop (exit 0)."""

    def __init__(self, config: uvicorn.Config, stand_in: StandIn, url: str, reconcile_every: float) -> None:
        super().__init__(config)
        self._stand_in = stand_in
        self._url = url
        self._reconcile_every = reconcile_every
        self._nights: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._reconcile_every:
            self._nights = asyncio.create_task(self._stand_in.platform.reconciliation.every(self._reconcile_every))
        print(json.dumps({"ready": True, "url": self._url, "stand_in": "not the OCS Data Platform"}), flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._nights is not None:
            self._nights.cancel()
        self._stand_in.let_go()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signal's handler
        self.should_exit = True


def _serve(port: int, reconcile_every: float) -> None:
    # The event loop turns Nagle's delay off only for sockets that say TCP themselves; with it each reply waits 40 ms.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
    except OSError as error:
        raise SystemExit(f"cannot listen on {HOST}:{port}: {error.strerror}") from None
    url = f"http://{HOST}:{listening.getsockname()[1]}"
    print(f"STAND-IN of the OCS Data Platform, not the real thing: {url}", file=sys.stderr, flush=True)
    stand_in = StandIn()
    config = uvicorn.Config(
        stand_in,
        http=_Connection,
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        backlog=BACKLOG,
        server_header=False,
        headers=[("X-Stand-In", "not the OCS Data Platform")],
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    _Server(config, stand_in, url, reconcile_every).run(sockets=[listening])


def main() -> None:
    """Read the arguments and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m devstack.regulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="a port of 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--reconcile-every",
        type=float,
        default=0,
        metavar="SECONDS",
        help="how long a night and a day last for the ten checks; 0 (the default) runs them on command only",
    )
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="regulator stand-in: %(message)s")
    # A ledger of a million lines holds no circles: looking for them often would only stop the clock.
    gc.set_threshold(100_000, 50, 100)
    told = parser.parse_args()
    if not 0 <= told.reconcile_every < math.inf:
        parser.error(f"--reconcile-every: found {told.reconcile_every}, expected seconds from 0")
    _serve(told.port, told.reconcile_every)


if __name__ == "__main__":
    main()
