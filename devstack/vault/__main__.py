"""Start the vault stand-in: `python -m devstack.vault --port 0`. Not Azure Key Vault: never put a real secret in."""

import argparse
import asyncio
import json
import os
import secrets
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Route

from devstack.certificate import certificate_files
from devstack.serving import Server, listen, serve_until_told, url_of
from devstack.vault.api import VaultApi
from devstack.vault.control import Control
from devstack.vault.identity import Identity
from devstack.vault.shelf import Shelf

TOKEN_PATH = "/msi/token"  # noqa: S105 - a path


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
    vault = Server(VaultApi(Shelf(state), identity, control).app(), listen(port), certificate)
    side = Server(plain, listen(identity_port))
    print("vault stand-in: NOT Azure Key Vault, put no real secret in", file=sys.stderr, flush=True)
    line = json.dumps(_ready_line(vault, side, authority, identity))
    await serve_until_told([vault, side], lambda: print(line, flush=True))


def _ready_line(vault: Server, side: Server, authority: Path, identity: Identity) -> dict[str, object]:
    beside = url_of(side.listener)
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
