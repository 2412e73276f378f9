"""How the host starts, refuses to start, stops, and what a crash leaves behind."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest

from devstack.host.load import CannotStart, time_span
from devstack.processes import ChildError
from tests.integration.devstack.functions_host.sample_host import KEY, SECONDS, SampleHost, until


def test_stdout_holds_the_ready_line_and_nothing_else(sample: SampleHost) -> None:
    """What the app prints goes to stderr, with the table of functions."""
    sample.start()
    line = json.loads(sample.stdout())
    assert line["ready"] is True
    assert line["url"].startswith("http://127.0.0.1:")
    assert line["function_key"] == KEY
    assert {"anything", "keeper", "beat", "thing"} <= set(line["functions"])
    assert "the sample app is loaded" in sample.log()
    assert "a stand-in, not the Azure Functions host" in sample.log()


@pytest.mark.parametrize(
    ("settings", "queues", "says"),
    [
        ({"SAMPLE_PREFIX": "Not_A_Queue"}, {}, "the queues cannot be made or reached"),
        ({"SAMPLE_STORAGE": "nonsense"}, {}, "SAMPLE_STORAGE must hold a storage connection string"),
        ({"SAMPLE_STORAGE": "a=b"}, {}, "SAMPLE_STORAGE is not a storage connection string"),
        ({"SAMPLE_SCHEDULE": "*/5 * * * *"}, {}, "function beat: schedule '*/5 * * * *' must have six fields"),
        (
            {"SAMPLE_SCHEDULE": None},
            {},
            "function beat: '%SAMPLE_SCHEDULE%' names the setting SAMPLE_SCHEDULE, which is not set",
        ),
        ({}, {"batchSize": 33}, "batchSize is 33, expected 1 to 32"),
        ({}, {"visibilityTimeout": "soon"}, "'soon' is not a time span"),
    ],
)
def test_what_cannot_be_served_is_said_at_start(
    sample: SampleHost, settings: dict[str, str | None], queues: dict[str, object], says: str
) -> None:
    with pytest.raises(ChildError, match="ended with exit code 1"):
        sample.start(queues=queues, **settings)
    assert says in sample.log()
    assert "Traceback" not in sample.log()


def test_a_folder_without_an_app_is_refused(sample: SampleHost, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ChildError):
        sample.start("--app", str(tmp_path / "empty"))
    assert "holds no function_app.py" in sample.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_host_stops_with_exit_code_0(sample: SampleHost, number: signal.Signals) -> None:
    host = sample.start()
    os.kill(host.pid, number)
    assert host.wait(SECONDS) == 0
    assert "Traceback" not in sample.log()


def test_what_runs_may_finish_when_the_host_stops(sample: SampleHost) -> None:
    """No new message is taken, the run ends, its message is deleted."""
    host = sample.start()
    sample.put("in", "hold")
    sample.noted("keeper", phase="began")
    stopping = threading.Thread(target=host.stop)
    stopping.start()
    until(lambda: "stopping" in sample.log(), "the host to begin to stop")
    sample.put("in", "too late")
    sample.open_gate()
    stopping.join()
    assert host.wait(0) == 0
    assert [line["text"] for line in sample.notes("keeper", phase="ended")] == ["hold"]
    assert sample.texts("in", 1) == ["too late"]
    assert sample.waiting("in") == 1


@pytest.mark.parametrize("queue", ["in", "threads"])
def test_what_does_not_finish_in_time_is_given_back(sample: SampleHost, queue: str) -> None:
    """Its message can be seen at once, though it was hidden for 10 minutes; a stuck thread does not keep the host."""
    host = sample.start("--drain", "0.2")
    sample.put(queue, "hold")
    sample.noted("keeper" if queue == "in" else "worker")
    assert host.stop() == 0
    assert sample.texts(queue, 1) == ["hold"]


def test_the_message_of_a_killed_host_comes_again_when_its_time_is_up(sample: SampleHost) -> None:
    """Another host runs it then, with a dequeue count of 2."""
    host = sample.start("--hidden", "2")
    sample.put("in", "hold")
    sample.noted("keeper", phase="began")
    host.kill()
    sample.open_gate()
    sample.start()
    sample.noted("keeper", phase="ended")
    assert [line["dequeue_count"] for line in sample.notes("keeper", phase="began")] == [1, 2]
    sample.emptied("in")


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:00:30", 30), ("00:10:00", 600), ("1.02:00:00", 93_600), ("00:00:00.5", 0.5)]
)
def test_time_spans_are_read_as_dotnet_writes_them(text: str, seconds: float) -> None:
    assert time_span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["30", "00:30", "1:2:3", "-00:00:01", ""])
def test_other_time_spans_are_refused(text: str) -> None:
    with pytest.raises(CannotStart, match="is not a time span"):
        time_span(text)
