"""Where telemetry goes, what it costs where it goes nowhere, and what a line of the log and a span hold."""

import json
import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from ocs import telemetry
from ocs.telemetry import gauges, spans, start
from ocs.telemetry.logs import add_trace
from ocs.telemetry.requests import Traced
from tests.rules.tree import ROOT
from tests.telling import told

HEAVY = ("opentelemetry.sdk", "opentelemetry.exporter", "azure.monitor", "alembic", "sqlalchemy")


@pytest.mark.parametrize(
    ("environment", "module"),
    [
        ({}, None),
        ({"OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_TRACES_EXPORTER": "console"}, start.CONSOLE),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, start.OTLP),
        (
            {"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=0", "OTEL_TRACES_EXPORTER": "console"},
            start.AZURE,
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_the_environment_says_where_telemetry_goes(environment: dict[str, str], module: str | None) -> None:
    assert start.chosen(environment) == module


def test_an_exporter_that_cannot_start_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong is logged by its class: a connection string may be quoted in the error's text."""
    monkeypatch.setenv("APPLICATIONINSIGHTS_CONNECTION_STRING", "not-a-connection-string")
    start.start()
    assert not telemetry.tracing()
    # On the screen, or by the standard library where an earlier test has configured the process's logs.
    assert "telemetry could not be started" in capsys.readouterr().out + caplog.text


@pytest.mark.parametrize("module", [start.CONSOLE, start.OTLP, start.AZURE])
def test_each_exporters_libraries_are_there(module: str) -> None:
    """In a process of its own: Azure's sets up the whole process, for good."""
    found = _python(f"import {module} as exporter; print(callable(exporter.providers))")
    assert found == "True"


def test_the_app_imports_no_exporter() -> None:
    """A cold start pays for what it needs only; `bench/cold_start.py` measures it."""
    loaded = _python("import sys, json, function_app; print(json.dumps(sorted(sys.modules)))")
    assert [name for name in json.loads(loaded) if name.startswith(HEAVY)] == []


def test_a_line_of_the_log_names_its_trace_and_span() -> None:
    with told(), telemetry.span("work", {}) as span:
        line = add_trace(None, "info", {"event": "done"})
        here = span.get_span_context()
    assert line == {"event": "done", "trace_id": f"{here.trace_id:032x}", "span_id": f"{here.span_id:016x}"}
    assert add_trace(None, "info", {"event": "done"}) == {"event": "done"}


def test_a_span_holds_the_class_of_an_error_and_not_its_words() -> None:
    with told() as caught:
        with pytest.raises(ValueError, match="the secret"), telemetry.span("work", {"store": None, "lines": 2}):
            raise ValueError("the secret")
        [span] = caught.spans("work")
        assert span.attributes == {"lines": 2, "error.type": "ValueError"}
        assert span.status.status_code is StatusCode.ERROR
        assert "the secret" not in caught.everything()


def test_a_kept_trace_is_gone_on_with_later() -> None:
    with told() as caught:
        with telemetry.span("first", {}):
            kept = telemetry.traceparent()
        assert kept is not None
        with telemetry.span("second", {}, causes=[kept]):
            pass
        [first], [second] = caught.spans("first"), caught.spans("second")
        assert second.context.trace_id == first.context.trace_id
        assert second.parent is not None
        assert second.parent.span_id == first.context.span_id
    assert telemetry.traceparent() is None


def test_a_trace_that_is_not_sampled_is_not_kept() -> None:
    with told():
        spans.record(TracerProvider(sampler=ALWAYS_OFF))
        with telemetry.span("first", {}):
            assert telemetry.traceparent() is None


async def test_a_request_that_fails_keeps_its_route_and_says_so() -> None:
    app = FastAPI()

    @app.get("/stores/{store}")
    async def fail(store: str) -> None:
        raise ValueError(store)

    transport = httpx.ASGITransport(Traced(app), raise_app_exceptions=False)
    with told() as caught:
        async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            await client.get("/stores/CRSA1111111")
        [span] = caught.spans("GET /stores/{store}")
        assert span.attributes is not None
        assert span.attributes["http.response.status_code"] == 500
        assert span.status.status_code is StatusCode.ERROR
        assert "CRSA1111111" not in caught.everything()


def test_a_gauge_tells_its_newest_value() -> None:
    with told() as caught:
        for value in (1.0, 2.0):
            gauges.tell("ocs.parked", "{line}", "What waits", value, {"kind": "events"})
        assert caught.metrics() == {("ocs.parked", "events"): 2.0}


def test_a_run_goes_on_with_the_hosts_trace() -> None:
    """Of a run without one, as on the local stack, the trace begins here."""
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    host = SimpleNamespace(trace_context=SimpleNamespace(trace_parent=f"00-{trace_id}-00f067aa0ba902b7-01"))
    with told() as caught:
        with telemetry.within(host):
            line = add_trace(None, "info", {})
            with telemetry.span("work", {}):
                pass
        with telemetry.within(SimpleNamespace(trace_context=None)), telemetry.span("alone", {}):
            pass
        [work], [alone] = caught.spans("work"), caught.spans("alone")
    assert line["trace_id"] == trace_id
    assert work.context.trace_id == int(trace_id, 16)
    assert alone.parent is None


def test_a_trace_that_cannot_be_read_is_no_cause() -> None:
    """Whatever stands in the column, the batch is delivered."""
    with told() as caught:
        with telemetry.span("second", {}, causes=["not a traceparent"]):
            pass
        assert caught.spans("second")[0].links == ()


def _python(code: str) -> str:
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603 - ours
    return ran.stdout.strip()
