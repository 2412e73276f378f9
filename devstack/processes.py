"""Child processes of the local stack: started, awaited, stopped, killed; they die with this process."""

import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

LOG = logging.getLogger(__name__)
REPO_ROOT = Path(__file__).resolve().parent.parent
TETHER = Path(__file__).with_name("tether.py")
STACK_PORTS = range(20_000, 30_000)
"""Below the ports that systems hand out by themselves, so that a port is still free when its owner restarts."""
_GIVEN: set[int] = set()
OTHERS_SETTINGS = ("OCS_", "IDENTITY_", "MSI_", "AZURE_", "AZURITE_", "PG")
"""A developer's own settings of the same programs, which must not reach the stack."""
POLL_SECONDS = 0.02
TAIL_LINES = 30

# A child dies with the *thread* that started it (prctl(2)), so all are started by one that lives as long as we do.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="devstack-starter")

Ready = Mapping[str, Any]
Found = TypeVar("Found")


class ChildError(RuntimeError):
    """A child process ended, or did not get ready in time; the message shows the end of its log."""


def free_port() -> int:
    """Give a TCP port of 127.0.0.1 that nobody listens on now, each one once; raises OSError when there is none.

    It is not held: a stack chooses all its ports before it starts, and must not choose one twice.
    """
    for port in random.sample(sorted(set(STACK_PORTS) - _GIVEN), k=100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _GIVEN.add(port)
            return port
    raise OSError(f"no free port found between {STACK_PORTS.start} and {STACK_PORTS.stop}")


def clean_environment() -> dict[str, str]:
    """Give this process' environment without settings that belong to another installation of the same programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OTHERS_SETTINGS)}
    # The ready line must reach the file at once, also from a child that forgot to flush.
    return kept | {"PYTHONUNBUFFERED": "1"}


def stand_in_command(name: str, *arguments: str) -> list[str]:
    """Give the command that starts a stand-in of this package, as in `python -m devstack.vault`."""
    return [sys.executable, "-m", f"devstack.{name}", *arguments]


def json_ready_line(line: str) -> Ready | None:
    """Read the contract's ready line, `{"ready": true, …}`; None for any other line."""
    try:
        said = json.loads(line)
    except ValueError:
        return None
    return said if isinstance(said, dict) and said.get("ready") is True else None


class Child:
    """One child process; stderr goes to `<folder>/<name>.log`, stdout to `<folder>/<name>.stdout`."""

    def __init__(
        self,
        name: str,
        folder: Path,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        account: str = "",
        working_folder: Path = REPO_ROOT,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        ready_line: Callable[[str], Ready | None] = json_ready_line,
    ) -> None:
        """Describe the process; nothing runs before `launch`.

        `account` is the user to run as (only root may say so), `death_signal` what it gets when this process dies,
        `ready_line` turns a line of stdout into what the child says of itself, or None when it is another line.
        """
        self.name = name
        self.log = folder / f"{name}.log"
        self.ready: Ready = {}
        """What the latest ready line said; empty before."""
        self._stdout = folder / f"{name}.stdout"
        self._program = list(command)
        self._environment = dict(environment) if environment is not None else clean_environment()
        self._account = account
        self._working_folder = working_folder
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._ready_line = ready_line
        self._process: subprocess.Popen[bytes] | None = None
        self._log_before = 0

    @property
    def pid(self) -> int:
        """The process id; raises ChildError when it was never launched."""
        if self._process is None:
            raise ChildError(f"{self.name} was not launched")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process and return at once; a running one is left as it is."""
        if not self.running:
            _STARTER.submit(self._launch).result()

    def start(self, seconds: float = 60) -> Ready:
        """Launch and wait for the ready line; raises ChildError."""
        self.launch()
        return self.wait_ready(seconds)

    def wait_ready(self, seconds: float = 60) -> Ready:
        """Wait for the ready line on stdout and give it; raises ChildError."""
        self.ready = self.wait_until(self._said_ready, seconds)
        return self.ready

    def wait_until(self, probe: Callable[[], Found | None], seconds: float) -> Found:
        """Ask the probe until it gives something; raises ChildError when the child ends or is too slow.

        A child that is too slow is killed.
        """
        deadline = time.monotonic() + seconds
        while (found := probe()) is None:
            if not self.running:
                raise self._failure(f"ended with exit code {self.wait(0)} before it was ready")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failure(f"was not ready after {seconds:g} s")
            time.sleep(POLL_SECONDS)
        return found

    def wait(self, seconds: float) -> int | None:
        """Wait for the process to end by itself; gives its exit code, or None when it still runs."""
        if self._process is None:
            return None
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def finish(self, seconds: float) -> None:
        """Wait for a process that is to end by itself with exit code 0; raises ChildError otherwise."""
        try:
            code = self.wait(seconds)
        finally:
            self.kill()
        if code != 0:
            raise self._failure(f"took longer than {seconds:g} s" if code is None else f"ended with exit code {code}")

    def stop(self, seconds: float = 15) -> int | None:
        """Ask the process to end, kill it when it has not after so many seconds; gives its exit code."""
        if self._process is not None and self.running:
            self._process.send_signal(self._stop_signal)
            if self.wait(seconds) is None:
                LOG.warning("%s did not stop within %g s and is killed; its log is %s", self.name, seconds, self.log)
                self.kill()
        return self.wait(0)

    def kill(self) -> None:
        """End the process as a crash would (SIGKILL), with whatever it started itself."""
        if self._process is not None and self.running:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def restart(self, *, kill: bool = False, seconds: float = 60) -> Ready:
        """Stop (or kill) the process, start it again and wait for its ready line; raises ChildError."""
        if kill:
            self.kill()
        else:
            self.stop()
        return self.start(seconds)

    def _launch(self) -> None:
        tether = [sys.executable, "-I", "-S", str(TETHER), str(os.getpid())]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self._stdout.open("wb") as stdout, self.log.open("ab") as stderr:
            self._log_before = stderr.tell()
            self._process = subprocess.Popen(
                [*tether, str(self._death_signal.value), self._account, *self._program],
                cwd=self._working_folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                # Ctrl-C in the terminal must reach the stack alone, which then stops its children in order.
                start_new_session=True,
            )

    def _said_ready(self) -> Ready | None:
        for line in self._stdout.read_text(errors="replace").splitlines(keepends=True):
            if line.endswith("\n") and (said := self._ready_line(line)) is not None:
                return said
        return None

    def _failure(self, what: str) -> ChildError:
        # Some programs complain on stdout.
        written = (self.log.read_bytes()[self._log_before :] + self._stdout.read_bytes()).decode(errors="replace")
        tail = "\n".join(written.splitlines()[-TAIL_LINES:]) or "(nothing)"
        return ChildError(f"{self.name} {what}. The end of its log {self.log}:\n{tail}")
