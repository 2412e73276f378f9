"""Promises of the stack's child processes."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.processes import Child, ChildError, clean_environment

READY_THEN_WAIT = """
import signal
print('{"ready": true, "url": "here"}')
signal.pause()
"""
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + READY_THEN_WAIT
PARENT = f"""
import sys
from pathlib import Path
from devstack.processes import Child
child = Child("grandchild", Path(sys.argv[1]), [sys.executable, "-c", {READY_THEN_WAIT!r}])
child.start()
print(child.pid)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Child]]:
    """Describe a child that runs a piece of Python; killed at the end of the test."""
    children = []

    def describe(code: str) -> Child:
        children.append(Child("child", tmp_path, [sys.executable, "-c", code]))
        return children[-1]

    yield describe
    for child in children:
        child.kill()


def test_a_child_is_ready_when_its_ready_line_says_so(start: Callable[[str], Child]) -> None:
    """Other lines, such as a greeting or JSON that is no ready line, are passed over."""
    ready = start("print('hello'); print('{\"ready\": false}'); " + READY_THEN_WAIT).start()

    assert ready == {"ready": True, "url": "here"}


def test_a_child_that_ends_too_early_is_reported_with_the_end_of_its_log(start: Callable[[str], Child]) -> None:
    child = start("import sys; sys.exit('the disk is full')")

    with pytest.raises(ChildError, match=r"(?s)ended with exit code 1 before it was ready.*the disk is full"):
        child.start()


def test_the_report_of_a_second_start_leaves_out_the_first_ones_log(start: Callable[[str], Child]) -> None:
    child = start("import os, sys; sys.exit(f'this is process {os.getpid()}.')")
    with pytest.raises(ChildError):
        child.start()
    first = child.pid

    with pytest.raises(ChildError) as report:
        child.start()

    assert f"this is process {child.pid}." in str(report.value)
    assert f"this is process {first}." not in str(report.value)


def test_a_child_that_never_gets_ready_is_killed_and_reported(start: Callable[[str], Child]) -> None:
    child = start("import signal; signal.pause()")

    with pytest.raises(ChildError, match="was not ready after"):
        child.start(seconds=0.1)

    assert not child.running


def test_a_child_is_asked_to_stop_by_sigterm(start: Callable[[str], Child]) -> None:
    child = start("import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))" + READY_THEN_WAIT)
    child.start()

    assert child.stop() == 7


def test_a_child_that_does_not_stop_is_killed(start: Callable[[str], Child]) -> None:
    child = start(DEAF)
    child.start()

    assert child.stop(seconds=0.1) == -signal.SIGKILL


def test_a_killed_child_can_be_started_again(start: Callable[[str], Child]) -> None:
    child = start(READY_THEN_WAIT)
    child.start()
    first = child.pid

    child.restart(kill=True)

    assert child.running
    assert child.pid != first


def test_a_child_dies_when_its_parent_is_killed(
    tmp_path: Path,
    orphan: Callable[..., int],
    alive: Callable[[int], bool],
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    """A parent that is killed has no chance to stop anything, and still leaves nothing behind."""
    grandchild = orphan(PARENT, str(tmp_path))

    eventually(lambda: not alive(grandchild))


def test_a_child_outlives_the_thread_that_started_it(
    start: Callable[[str], Child], alive: Callable[[int], bool]
) -> None:
    """The kernel would kill it with that thread, not only with the process."""
    child = start(READY_THEN_WAIT)
    thread = threading.Thread(target=child.start)
    thread.start()
    thread.join()

    assert child.wait(0.2) is None
    assert alive(child.pid)


def test_ctrl_c_in_the_terminal_does_not_reach_a_child(start: Callable[[str], Child]) -> None:
    """It has a session of its own, so that the stack alone decides on the order of stopping."""
    child = start(READY_THEN_WAIT)
    child.start()

    assert os.getsid(child.pid) == child.pid


def test_a_developers_own_settings_do_not_reach_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCS_DATABASE_URL", "postgresql://production")
    monkeypatch.setenv("PGSSLMODE", "require")

    assert not {"OCS_DATABASE_URL", "PGSSLMODE"} & set(clean_environment())
