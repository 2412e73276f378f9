"""What the tests of the stand-ins share."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from devstack.processes import POLL_SECONDS, REPO_ROOT, stand_in_command
from devstack.stack import SignIn

DEADLINE_SECONDS = 30


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a probe is true; fails the test when it is not in time."""

    def wait(probe: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not probe():
            assert time.monotonic() < deadline, f"not so after {DEADLINE_SECONDS} s"
            time.sleep(POLL_SECONDS)

    return wait


@pytest.fixture
def alive() -> Callable[[int], bool]:
    """Tell whether a process lives; one that only waits for its parent to notice its end does not."""

    def look(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return look


@pytest.fixture
def script() -> Callable[..., subprocess.Popen[str]]:
    """Start a Python script that imports the stack, with its arguments; it can be talked to by its pipes."""

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        environment = {**os.environ, "PYTHONPATH": str(REPO_ROOT), "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment, text=True)  # noqa: S603 - fixed code

    return start


@pytest.fixture
def orphan(script: Callable[..., subprocess.Popen[str]], alive: Callable[[int], bool]) -> Callable[..., int]:
    """Run a script that starts a process and prints its id, kill the script, and give the id."""

    def make(code: str, *arguments: str) -> int:
        with script(code, *arguments) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            assert alive(child)
            parent.kill()
        return child

    return make


@pytest.fixture(scope="session")
def sign_in_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SignIn]:
    """Run one sign-in stand-in."""
    sign_in = SignIn("sign_in", tmp_path_factory.mktemp("sign-in"), stand_in_command("sign_in", "--port", "0"))
    sign_in.start()
    yield sign_in
    sign_in.stop()


@pytest.fixture
def sign_in(sign_in_process: SignIn) -> SignIn:
    """Give the sign-in stand-in as it is at its start."""
    httpx.post(f"{sign_in_process.control}/reset").raise_for_status()
    return sign_in_process
