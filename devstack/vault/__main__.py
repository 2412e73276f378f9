"""Start the vault stand-in: `python -m devstack.vault --port 0`. Not Azure Key Vault: never put a real secret in."""

import argparse
import asyncio
import json
import os
import secrets
import signal
import socket
import sys
import tempfile
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from devstack.vault.api import VaultApi
from devstack.vault.certificate import certificate_files
from devstack.vault.control import Control
from devstack.vault.identity import Identity
from devstack.vault.shelf import Shelf

TOKEN_PATH = "/msi/token"  # noqa: S105 - a path
GRACE_SECONDS = 2


class Server(uvicorn.Server):
    """A uvicorn server that leaves the signals to us, since two of them run side by side, and says when it is ready."""

    def __init__(self, app: Starlette, listener: socket.socket, certificate: Path | None = None) -> None:
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


def main() -> None:
    """Read the arguments and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m devstack.vault", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="of the vault, https; 0 chooses a free one")
    parser.add_argument("--identity-port", type=int, default=0, help="of identity and control, http; 0 as above")
    parser.add_argument("--folder", type=Path, help="for the certificates (default: a temporary one)")
    parser.add_argument("--state", type=Path, help="file to keep the secrets in, mode 0600 (default: memory only)")
    given = parser.parse_args()
    with ExitStack() as cleaned_up:
        folder = given.folder or Path(cleaned_up.enter_context(tempfile.TemporaryDirectory(prefix="devstack-vault-")))
        asyncio.run(_serve(given.port, given.identity_port, folder, given.state))


async def _serve(port: int, identity_port: int, folder: Path, state: Path | None) -> None:
    authority, certificate = certificate_files(folder)
    identity = Identity(os.environ.get("IDENTITY_HEADER") or secrets.token_hex(32))
    control = Control()
    plain = Starlette(routes=[Route(TOKEN_PATH, identity.endpoint, methods=["GET"]), *control.routes()])
    vault = Server(VaultApi(Shelf(state), identity, control).app(), _listen(port), certificate)
    side = Server(plain, _listen(identity_port))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _tell_to_stop, vault, side)
    print("vault stand-in: NOT Azure Key Vault, put no real secret in", file=sys.stderr, flush=True)
    async with asyncio.TaskGroup() as tasks:
        for server in (vault, side):
            tasks.create_task(server.run_until_told())
        await vault.ready.wait()
        await side.ready.wait()
        print(json.dumps(_ready_line(vault, side, authority, identity)), flush=True)


def _tell_to_stop(*servers: Server) -> None:
    for server in servers:
        server.should_exit = True


def _listen(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener


def _ready_line(vault: Server, side: Server, authority: Path, identity: Identity) -> dict[str, object]:
    beside = f"http://127.0.0.1:{side.listener.getsockname()[1]}"
    return {
        "ready": True,
        "url": f"https://localhost:{vault.listener.getsockname()[1]}",
        "ca_file": str(authority.resolve()),
        "identity_endpoint": f"{beside}{TOKEN_PATH}",
        "identity_header": identity.header,
        "control": f"{beside}/_control",
    }


if __name__ == "__main__":
    main()
