"""Start the sign-in stand-in: `python -m devstack.sign_in --port 0`. Not Microsoft Entra ID: anybody may be anybody."""

import argparse
import asyncio
import json
import sys

from devstack.serving import Server, listen, serve_until_told, url_of
from devstack.sign_in.app import create_app, issuer_at
from devstack.sign_in.people import CLIENT_ID

HOUR = 3600.0


def main() -> None:
    """Read the arguments and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m devstack.sign_in", description="A stand-in of Microsoft Entra ID.")
    parser.add_argument("--port", type=int, default=0, help="a port of 127.0.0.1; 0 takes a free one")
    parser.add_argument("--client-id", default=CLIENT_ID, help="the app's id, for which tokens are made out")
    parser.add_argument("--seconds", type=float, default=HOUR, help="how long a token is good (default 3600)")
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.client_id, given.seconds))


async def _serve(port: int, client_id: str, seconds: float) -> None:
    listener = listen(port)
    url = url_of(listener)
    line = {
        "ready": True,
        "url": url,
        "issuer": issuer_at(url),
        "client_id": client_id,
        "control": f"{url}/_control",
        "stand_in": "not Microsoft Entra ID",
    }
    print(f"STAND-IN of Microsoft Entra ID, not the real thing: {url}", file=sys.stderr, flush=True)
    server = Server(create_app(url, client_id, seconds), listener)
    await serve_until_told([server], lambda: print(json.dumps(line), flush=True))


if __name__ == "__main__":
    main()
