"""Promises of the stack's PostgreSQL server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from devstack.postgres import Postgres

PARENT = """
import sys
from pathlib import Path
from devstack.postgres import Postgres
postgres = Postgres(Path(sys.argv[1]))
postgres.start()
print(postgres.pid)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Give a running server."""
    server = Postgres(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.stop()
    server.discard()


def ask(url: str, question: str) -> object:
    """Give the first column of a query's first row, None when it has no rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(question.encode())
        row = cursor.fetchone() if cursor.description else None
    return row[0] if row else None


def test_the_app_finds_its_database_and_is_no_superuser(postgres: Postgres) -> None:
    """As in Azure, so that nothing works here that would be refused there."""
    assert ask(postgres.url(), "SELECT current_database() || ' ' || current_user") == "ocs ocs"
    assert ask(postgres.url(), "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("fsync", "on"), ("max_connections", "100"), ("TimeZone", "UTC"), ("listen_addresses", "127.0.0.1")],
)
def test_the_server_keeps_what_it_commits_and_speaks_to_this_machine_only(
    postgres: Postgres, setting: str, expected: str
) -> None:
    assert ask(postgres.url(), f"SELECT current_setting('{setting}')") == expected


def test_a_wrong_password_is_refused(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url(), password="guessed")


@pytest.mark.parametrize("kill", [True, False])
def test_committed_rows_are_there_after_a_restart_at_the_same_address(postgres: Postgres, *, kill: bool) -> None:
    """Also after a crash in the middle of another session's transaction, whose rows are gone."""
    url = postgres.create_database(f"restart_{kill}".lower())
    ask(url, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
    open_session = psycopg.connect(url)
    open_session.execute("INSERT INTO kept VALUES (1001)")

    postgres.restart(kill=kill)

    open_session.close()
    assert ask(url, "SELECT count(*) FROM kept") == 1000


def test_a_database_can_be_copied_from_a_template(postgres: Postgres) -> None:
    ask(postgres.create_database("original"), "CREATE TABLE sample AS SELECT 7 AS number")

    copy = postgres.create_database("duplicate", template="original")

    assert ask(copy, "SELECT number FROM sample") == 7


def test_a_database_can_be_dropped_while_somebody_is_connected(postgres: Postgres) -> None:
    url = postgres.create_database("busy")
    connection = psycopg.connect(url)

    postgres.drop_database("busy")

    connection.close()
    with pytest.raises(psycopg.OperationalError, match='database "busy" does not exist'):
        psycopg.connect(url)


def test_data_are_kept_for_the_next_server_on_the_folder(tmp_path: Path) -> None:
    """Until they are discarded."""
    first = Postgres(tmp_path)
    first.start()
    ask(first.url(), "CREATE TABLE kept AS SELECT 1 AS number")
    first.stop()

    second = Postgres(tmp_path)
    second.start()
    kept = ask(second.url(), "SELECT number FROM kept")
    second.stop()
    second.discard()

    third = Postgres(tmp_path)
    third.start()
    after_discard = ask(third.url(), "SELECT to_regclass('kept')")
    third.stop()
    third.discard()

    assert kept == 1
    assert after_discard is None


def test_the_password_is_for_the_owner_alone(tmp_path: Path) -> None:
    Postgres(tmp_path).url()

    assert (tmp_path / "postgres.password").stat().st_mode & 0o777 == 0o600


def test_the_server_runs_in_a_folder_that_is_closed_to_all_others(tmp_path: Path) -> None:
    """Under root the server is another user, who cannot get in: the data move elsewhere and are still discarded."""
    tmp_path.chmod(0o700)
    server = Postgres(tmp_path / "inner")

    server.start()
    data = Path(f"/proc/{server.pid}/cwd").readlink()
    answer = ask(server.url(), "SELECT 7")
    server.stop()
    server.discard()

    assert answer == 7
    assert not data.exists()


def test_the_server_ends_when_its_parent_is_killed(
    tmp_path: Path,
    orphan: Callable[..., int],
    alive: Callable[[int], bool],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    """It starts as root and continues as another user, for which the kernel forgets who the parent was."""
    server = orphan(PARENT, str(tmp_path))

    eventually(lambda: not alive(server))
    Postgres(tmp_path).discard()
