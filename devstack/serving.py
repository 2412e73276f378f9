"""Serves Starlette apps on given sockets, several in one process, until a signal."""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 2


class Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to us, since several may run side by side, and says when it is ready."""

    def __init__(self, app: ASGIApp, listener: socket.socket, certificate: Path | None = None) -> None:
        """Take the app, the bound socket, and the certificate with its key for https."""
        config = uvicorn.Config(
            app,
            ssl_certfile=certificate,
            log_level="warning",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        super().__init__(config)
        self.listener = listener
        self.ready = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Take no signals."""
        return nullcontext()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut all connections and stop: a quiet TLS client is never done closing its side."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)

    async def run_until_told(self) -> None:
        """Serve until `should_exit` is set."""
        await self.serve(sockets=[self.listener])

    def stop(self) -> None:
        """Tell it to end."""
        self.should_exit = True


async def serve_until_told(servers: Sequence[Server], say_ready: Callable[[], None]) -> None:
    """Serve side by side until SIGTERM or SIGINT; `say_ready` is called once, when all of them answer."""
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _stop, servers)
    async with asyncio.TaskGroup() as tasks:
        for server in servers:
            tasks.create_task(server.run_until_told())
        for server in servers:
            await server.ready.wait()
        say_ready()


def listen(port: int) -> socket.socket:
    """Bind a TCP port of 127.0.0.1, 0 for a free one."""
    # The event loop turns Nagle's delay off only for sockets that say TCP themselves; with it each reply waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def url_of(listener: socket.socket) -> str:
    """Give the http address of a bound socket."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def _stop(servers: Sequence[Server]) -> None:
    for server in servers:
        server.stop()
