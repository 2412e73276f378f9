"""Promises of the stack as a whole; the functions host and the regulator have tests of their own."""

import signal
import smtplib
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import jwt
import psycopg
import pytest
from azure.storage.queue import QueueServiceClient

from devstack.processes import ChildError
from devstack.stack import SCHEDULES, Stack, StackInUseError

PARTS = ("postgres", "azurite", "vault")
ALL_BUT_THE_PLATFORM = (*PARTS, "sign_in", "mailbox")
SHARED = {"OCS_SMTP_HOST", "OCS_SMTP_TLS", "OCS_SMTP_FROM", "OCS_SIGN_IN_AUDIENCE", *SCHEDULES}
"""Settings that are the same in every stack."""
WAITING = """
import signal
import sys
from pathlib import Path
from devstack.stack import Stack
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are started deaf to it
with Stack(Path(sys.argv[1]), parts={"postgres", "azurite", "vault"}) as stack:
    print(stack.postgres.pid, stack.azurite.pid, stack.vault.pid)
    sys.stdin.read()
"""


def test_the_stack_gives_the_app_all_its_settings(tmp_path: Path) -> None:
    """And each leads to something that answers."""
    with Stack(tmp_path, parts=ALL_BUT_THE_PLATFORM) as stack:
        env = stack.app_env()
        about = httpx.get(f"{env['OCS_SIGN_IN_ISSUER']}/.well-known/openid-configuration").json()
        token = httpx.get(f"{stack.sign_in.control}/tokens/staff").text
        with smtplib.SMTP(env["OCS_SMTP_HOST"], int(env["OCS_SMTP_PORT"]), timeout=10) as mail:
            mail.sendmail(env["OCS_SMTP_FROM"], ["staff@shop.example"], b"Subject: hello\r\n\r\nwords\r\n")
        mails = httpx.get(f"{stack.mailbox.control}/mails").json()
        with psycopg.connect(env["OCS_DATABASE_URL"]) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        with QueueServiceClient.from_connection_string(env["OCS_STORAGE"]) as storage:
            assert list(storage.list_queues()) == []

    assert {name for name in env if not name.startswith("OCS_")} == {"IDENTITY_ENDPOINT", "IDENTITY_HEADER"}
    assert about["issuer"] == env["OCS_SIGN_IN_ISSUER"]
    assert jwt.decode(token, options={"verify_signature": False})["aud"] == env["OCS_SIGN_IN_AUDIENCE"]
    assert [mail["subject"] for mail in mails] == ["hello"]
    assert Path(env["OCS_VAULT_CA_FILE"]).exists()
    assert env["OCS_VAULT_URL"].startswith("https://localhost:")


def test_a_folder_in_use_is_refused_and_named(tmp_path: Path) -> None:
    """The stack that runs there is not disturbed."""
    with Stack(tmp_path, parts={"vault"}) as running:
        with pytest.raises(StackInUseError, match=f"{tmp_path} belongs to a stack that is running"):
            Stack(tmp_path, parts={"vault"}).start()

        assert running.vault.stop() == 0


def test_two_stacks_run_side_by_side(tmp_path: Path) -> None:
    parts = ALL_BUT_THE_PLATFORM
    with Stack(tmp_path / "one", parts=parts) as one, Stack(tmp_path / "two", parts=parts) as two:
        of_one, of_two = one.app_env(), two.app_env()
        assert {name for name, value in of_one.items() if of_two[name] == value} == SHARED
        with psycopg.connect(one.postgres.url()) as connection:
            connection.execute("CREATE TABLE of_one ()")
        with psycopg.connect(two.postgres.url()) as connection:
            assert connection.execute("SELECT to_regclass('of_one')").fetchone() == (None,)


@pytest.mark.parametrize(("keep", "expected"), [(True, "of_last_time"), (False, None)])
def test_data_are_kept_only_when_asked_for(tmp_path: Path, *, keep: bool, expected: str | None) -> None:
    with Stack(tmp_path, keep=keep, parts={"postgres"}) as stack, psycopg.connect(stack.postgres.url()) as connection:
        connection.execute("CREATE TABLE of_last_time ()")

    with Stack(tmp_path, keep=keep, parts={"postgres"}) as stack, psycopg.connect(stack.postgres.url()) as connection:
        found = connection.execute("SELECT to_regclass('of_last_time')::text").fetchone()
    stack.postgres.discard()

    assert found == (expected,)


def test_the_end_of_the_block_stops_everything(tmp_path: Path, alive: Callable[[int], bool]) -> None:
    with Stack(tmp_path, parts=ALL_BUT_THE_PLATFORM) as stack:
        running = (stack.postgres, stack.azurite, stack.vault, stack.sign_in, stack.mailbox)
        pids = [part.pid for part in running]
        assert all(alive(pid) for pid in pids)

    assert not [pid for pid in pids if alive(pid)]


def test_ctrl_c_stops_everything_cleanly(
    tmp_path: Path, script: Callable[..., subprocess.Popen[str]], alive: Callable[[int], bool]
) -> None:
    """Cleanly: the database is shut down, not left to die with its parent."""
    with script(WAITING, str(tmp_path)) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 3

        parent.send_signal(signal.SIGINT)
        _, said = parent.communicate(timeout=30)

    assert "KeyboardInterrupt" in said
    assert not [pid for pid in pids if alive(pid)]
    assert "database system is shut down" in (tmp_path / "postgres.log").read_text()


def test_a_part_that_does_not_start_takes_the_others_down(tmp_path: Path, alive: Callable[[int], bool]) -> None:
    """And the folder is free again."""
    in_the_way = tmp_path / "vault"
    in_the_way.write_text("a file where the vault wants its folder")
    stack = Stack(tmp_path, parts=("vault", "postgres"))

    with pytest.raises(ChildError, match=r"(?s)vault ended with exit code 1 before it was ready.*File exists"):
        stack.start()

    assert not alive(stack.postgres.pid)
    in_the_way.unlink()
    with Stack(tmp_path, parts={"vault"}) as another:
        assert alive(another.vault.pid)


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"unknown parts \['regulater'\], known are azurite, vault, regulator, sign_in, mailbox, pos"
    ):
        Stack(tmp_path, parts={"regulater"})


def test_a_host_signs_browsers_in_and_knows_its_own_address(tmp_path: Path) -> None:
    """Also when it is started again with other settings: staff's links and sessions still lead to it."""
    with Stack(tmp_path, parts=ALL_BUT_THE_PLATFORM) as stack:
        host = stack.start_host({}, "host", "--function-key=-a-key-may-begin-with-a-dash")
        again = stack.restart_host(host, {"OCS_LOG_LEVEL": "DEBUG"}, "again")
        environment = Path(f"/proc/{again.pid}/environ").read_bytes().decode().split("\0")
        login = httpx.get(f"{again.url}/.auth/login/aad")

        assert (again.url, again.function_key) == (host.url, "-a-key-may-begin-with-a-dash")
        assert {f"OCS_PAGE_URL={again.url}", "OCS_LOG_LEVEL=DEBUG"} <= set(environment)
        assert login.headers["location"].startswith(f"{stack.sign_in.issuer}/authorize?")
