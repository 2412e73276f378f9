"""Each exporter sends what the app tells, from a process of its own to a server that only listens."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.rules.tree import ROOT

WORK = """
import asyncio
from ocs import telemetry
from ocs.telemetry import gauges, start
telemetry.configure("INFO")
start.start()
with telemetry.span("work", {"ocs.crsa": "CRSA1111111"}):
    telemetry.logger("events").info("something happened")
gauges.tell("ocs.parked", "{line}", "What waits", 3, {"kind": "events"})
asyncio.run(gauges.flush())
"""
UNSIGNED = "import ocs.azure.monitor as monitor\nmonitor.ManagedIdentityCredential = lambda **_: None\n"
"""The exporter signs in over TLS only, and what listens here has none."""


class Listener(BaseHTTPRequestHandler):
    """Takes whatever is posted."""

    got: list[tuple[str, str]]

    def do_POST(self) -> None:
        """Keep the path and the body."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        text = (gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body).decode("latin-1")
        self.got.append((self.path, text))
        count = text.count('"iKey"')
        answer = json.dumps({"itemsReceived": count, "itemsAccepted": count, "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listening() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give the address of a listener and what it got."""
    got: list[tuple[str, str]] = []
    handler = type("Listening", (Listener,), {"got": got})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def _work(environment: dict[str, str], before: str = "") -> str:
    """Do some work in a new process; gives what it said."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OCS_", "APPL"))}
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", before + WORK],
        cwd=ROOT,
        env=inherited | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stderr


def test_a_collector_gets_spans_and_metrics(listening: tuple[str, list[tuple[str, str]]]) -> None:
    address, got = listening
    _work({"OTEL_EXPORTER_OTLP_ENDPOINT": address})
    told = dict(got)
    assert "work" in told["/v1/traces"]
    assert "CRSA1111111" in told["/v1/traces"]
    assert "ocs.parked" in told["/v1/metrics"]


def test_application_insights_gets_spans_and_metrics_and_no_logs(listening: tuple[str, list[tuple[str, str]]]) -> None:
    address, got = listening
    _work(
        {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey=00000000-0000-0000-0000-000000000001;"
            f"IngestionEndpoint={address}/",
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
            "OTEL_TRACES_SAMPLER": "always_on",
        },
        UNSIGNED,
    )
    everything = [entry for path, text in got if path.endswith("/track") for entry in json.loads(text)]
    told = {entry["data"]["baseType"]: entry["data"]["baseData"] for entry in everything}
    assert told["RemoteDependencyData"]["name"] == "work"
    assert any("ocs.parked" in json.dumps(entry) for entry in everything)
    assert "MessageData" not in told


def test_application_insights_that_is_away_does_not_make_more_to_send() -> None:
    """The exporter's own words about a failure are not the next thing to send; the app goes on."""
    said = _work(
        {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=00000000-0000-0000-0000-000000000001;"
            "IngestionEndpoint=http://127.0.0.1:1/",
            "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
        },
        UNSIGNED,
    )
    assert said.count("Retrying due to server request error") <= 5


def test_the_console_gets_json_lines() -> None:
    lines = [json.loads(line) for line in _work({"OTEL_TRACES_EXPORTER": "console"}).splitlines()]
    assert [line["name"] for line in lines if "context" in line] == ["work"]
    assert any("ocs.parked" in json.dumps(line.get("resource_metrics")) for line in lines)
