"""Start the mailbox stand-in: `python -m devstack.mailbox`. It delivers nothing: what comes is kept in memory."""

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from pydantic import ValidationError
from starlette.applications import Starlette

from devstack.certificate import certificate_files
from devstack.control_door import SayStandIn, wrong_order
from devstack.mailbox.control import Control
from devstack.mailbox.mails import Post, serve_mail
from devstack.mailbox.webhooks import Receiver
from devstack.serving import Server, listen, serve_until_told, url_of

STAND_IN = "not a mail server, not a customer"


def main() -> None:
    """Read the arguments and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m devstack.mailbox", description="A mail server and a webhook sink.")
    parser.add_argument("--port", type=int, default=0, help="of webhooks and control, http; 0 takes a free one")
    parser.add_argument("--smtp-port", type=int, default=0, help="of SMTP, plain or with STARTTLS; 0 as above")
    parser.add_argument("--smtps-port", type=int, default=0, help="of SMTP under TLS; 0 as above")
    parser.add_argument("--folder", type=Path, help="for the certificates (default: a temporary one)")
    given = parser.parse_args()
    with ExitStack() as cleaned_up:
        folder = given.folder or Path(cleaned_up.enter_context(tempfile.TemporaryDirectory(prefix="devstack-mail-")))
        asyncio.run(_serve(given.port, given.smtp_port, given.smtps_port, folder))


async def _serve(port: int, smtp_port: int, smtps_port: int, folder: Path) -> None:
    authority, certificate = certificate_files(folder)
    post, receiver = Post(), Receiver()
    plain, under_tls = listen(smtp_port), listen(smtps_port)
    await serve_mail(post, plain, under_tls, certificate)
    routes = [*receiver.routes(), *Control(post, receiver).routes()]
    app = Starlette(routes=routes, exception_handlers={ValidationError: wrong_order})
    server = Server(SayStandIn(app, STAND_IN), listen(port))
    url = url_of(server.listener)
    line = {
        "ready": True,
        "url": url,
        "control": f"{url}/_control",
        "hooks": f"{url}/hooks",
        "smtp_port": plain.getsockname()[1],
        "smtps_port": under_tls.getsockname()[1],
        "ca_file": str(authority.resolve()),
        "stand_in": STAND_IN,
    }
    print(f"STAND-IN of a mail server and of a webhook receiver, delivers nothing: {url}", file=sys.stderr, flush=True)
    await serve_until_told([server], lambda: print(json.dumps(line), flush=True))


if __name__ == "__main__":
    main()
