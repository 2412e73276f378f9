"""The local stack as a whole: everything that the app needs from the cloud, started and stopped together.

    with Stack(folder) as stack:
        host = stack.start_host()

None of it is the real thing; each stand-in says in its own module where it differs.
"""

import fcntl
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from devstack.azurite import Azurite
from devstack.postgres import Postgres
from devstack.processes import REPO_ROOT, Child, ChildError, clean_environment, free_port, stand_in_command
from devstack.vault.process import Vault

DEFAULT_FOLDER = REPO_ROOT / ".stack" / "run"
PARTS = ("azurite", "vault", "regulator", "sign_in", "mailbox", "postgres")
"""In the order of starting: the last one prepares its data while the others come up."""
SCHEDULES = {
    "OCS_SWEEP_SCHEDULE": "*/15 * * * * *",
    "OCS_POSITIONS_SCHEDULE": "0 */5 * * * *",
    "OCS_CATALOGUE_SCHEDULE": "0 30 8 * * *",
    "OCS_SHIPPING_SCHEDULE": "0 10 */6 * * *",
    "OCS_ALERTS_SCHEDULE": "*/30 * * * * *",
}
"""NCRONTAB, six fields, UTC; the host reads them from the app's settings."""


class StackInUseError(RuntimeError):
    """The folder belongs to a stack that is running."""


class Part(Protocol):
    """What the stack asks of each of its parts."""

    def launch(self) -> None:
        """Start and return at once."""

    def wait_ready(self) -> object:
        """Wait until it can be used."""

    def stop(self) -> object:
        """Stop cleanly."""


class StandIn(Child):
    """A child process that answers HTTP."""

    @property
    def url(self) -> str:
        """Where it answers; raises ChildError when it never got ready."""
        return self._said("url")

    def _said(self, word: str) -> str:
        if word not in self.ready:
            raise ChildError(f"{self.name} did not say its {word}: it was not started, or is not ready")
        return str(self.ready[word])


class SignIn(StandIn):
    """The issuer of staff's tokens."""

    @property
    def issuer(self) -> str:
        """The issuer's name, under which its addresses are; raises ChildError when it never got ready."""
        return self._said("issuer")

    @property
    def client_id(self) -> str:
        """The app's id there, for which tokens are made out."""
        return self._said("client_id")

    @property
    def control(self) -> str:
        """The address of the control door: see `devstack/sign_in/control.py`."""
        return self._said("control")


class Mailbox(StandIn):
    """The mail server and the receiver of webhooks."""

    @property
    def smtp_port(self) -> str:
        """Where it takes mail, plain or with STARTTLS, on 127.0.0.1."""
        return self._said("smtp_port")

    @property
    def hooks(self) -> str:
        """The address of all webhooks: `<hooks>/<any name>` takes any request."""
        return self._said("hooks")

    @property
    def control(self) -> str:
        """The address of the control door: see `devstack/mailbox/control.py`."""
        return self._said("control")


class Host(StandIn):
    """A functions host that runs the app; stopping it lets running functions finish."""

    @property
    def function_key(self) -> str:
        """What `x-functions-key` must be; raises ChildError when the host never got ready."""
        return self._said("function_key")


class Stack:
    """All stand-ins with their data and the logs of the latest run (`<part>.log`) in one folder.

    Stacks in different folders run side by side. Without `keep` every start is from nothing and the data are removed
    at the end; with it the next start goes on with them. When this process is killed, all it started dies too.
    """

    def __init__(self, folder: Path = DEFAULT_FOLDER, *, keep: bool = False, parts: Collection[str] = PARTS) -> None:
        """Choose all ports; nothing runs before `start`. Raises ValueError for an unknown part."""
        if unknown := set(parts) - set(PARTS):
            raise ValueError(f"unknown parts {sorted(unknown)}, known are {', '.join(PARTS)}")
        self.folder = folder.resolve()
        self.postgres = Postgres(self.folder)
        self.azurite = Azurite(self.folder, keep=keep)
        self.vault = Vault(self.folder, keep=keep)
        port, sign_in_port, mailbox_port, smtp_port, smtps_port = (str(free_port()) for _ in range(5))
        self.regulator = StandIn("regulator", self.folder, stand_in_command("regulator", "--port", port))
        self.sign_in = SignIn("sign_in", self.folder, stand_in_command("sign_in", "--port", sign_in_port))
        ports = ["--port", mailbox_port, "--smtp-port", smtp_port, "--smtps-port", smtps_port]
        certificates = ["--folder", str(self.folder / "vault")]  # the vault's own, so that the app trusts one authority
        self.mailbox = Mailbox("mailbox", self.folder, stand_in_command("mailbox", *ports, *certificates))
        self._keep = keep
        self._parts = [part for part in PARTS if part in parts]
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, also when Ctrl-C ended the block."""
        self.stop()

    @property
    def regulator_url(self) -> str:
        """Where the regulator stand-in answers; raises ChildError when it is not part of this stack."""
        return self.regulator.url

    def start(self) -> None:
        """Start all parts and wait until each can be used; what has started is stopped when one cannot.

        Raises StackInUseError when the folder's stack is running, ChildError with the end of a part's log.
        """
        parts: list[Part] = [getattr(self, name) for name in self._parts]
        with ExitStack() as undo:
            undo.enter_context(_owned(self.folder))
            for log in self.folder.glob("*.log"):
                log.unlink()
            if not self._keep:
                self._discard()
                undo.callback(self._discard)
            for part in parts:
                # Before it starts, so that a Ctrl-C in between leaves nothing behind.
                undo.callback(part.stop)
                part.launch()
            for part in parts:
                part.wait_ready()
            self._undo = undo.pop_all()

    def stop(self) -> None:
        """Stop everything in the reverse order of starting; does nothing when nothing runs."""
        self._undo.close()

    def app_env(self) -> dict[str, str]:
        """Give the app's settings for this stack, for the parts that it has."""
        env = dict(SCHEDULES)
        if "postgres" in self._parts:
            env["OCS_DATABASE_URL"] = self.postgres.url()
        if "azurite" in self._parts:
            env["OCS_STORAGE"] = self.azurite.connection_string
        if "vault" in self._parts:
            env["OCS_VAULT_URL"] = self.vault.url
            env["OCS_VAULT_CA_FILE"] = str(self.vault.ca_file)
            env["IDENTITY_ENDPOINT"] = self.vault.identity_endpoint
            env["IDENTITY_HEADER"] = self.vault.identity_header
        if "sign_in" in self._parts:
            env["OCS_SIGN_IN_ISSUER"] = self.sign_in.issuer
            env["OCS_SIGN_IN_AUDIENCE"] = self.sign_in.client_id
        if "mailbox" in self._parts:
            env["OCS_SMTP_HOST"] = "127.0.0.1"
            env["OCS_SMTP_PORT"] = self.mailbox.smtp_port
            env["OCS_SMTP_TLS"] = "none"
            env["OCS_SMTP_FROM"] = "alerts@ocs.example"
        return env

    def start_host(self, env: Mapping[str, str] | None = None, name: str = "host", *more: str) -> Host:
        """Start a functions host on the app, its settings those of the stack and then `env`; raises ChildError.

        Several hosts need different names; `more` are further words of its command line. Browsers are signed in at the
        stack's issuer, where it has one. The stack stops hosts before anything else.
        """
        return self._start_host(free_port(), dict(env or {}), name, *more)

    def restart_host(self, host: Host, env: Mapping[str, str], name: str) -> Host:
        """Stop a host and start one with other settings at the same address, with the same key and a log of its own."""
        port, key = int(host.url.rpartition(":")[2]), host.function_key
        host.stop()
        return self._start_host(port, env, name, f"--function-key={key}")  # one word: a key may begin with a dash

    def _start_host(self, port: int, env: Mapping[str, str], name: str, *more: str) -> Host:
        page = {"OCS_PAGE_URL": f"http://127.0.0.1:{port}"}
        settings = clean_environment() | self.app_env() | page | dict(env)
        words = ["--app", str(REPO_ROOT), "--port", str(port), *more]
        if "sign_in" in self._parts:
            words += ["--auth-issuer", self.sign_in.issuer, "--auth-client-id", self.sign_in.client_id]
        host = Host(name, self.folder, stand_in_command("host", *words), environment=settings)
        self._undo.callback(host.stop)
        host.start()
        return host

    def _discard(self) -> None:
        self.postgres.discard()
        self.azurite.discard()
        self.vault.discard()


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Own the folder while the block runs; the system lets go of it when this process dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StackInUseError(
                f"{folder} belongs to a stack that is running (process {lock.read().strip() or 'unknown'}): "
                "stop that one, or give this one another folder"
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
