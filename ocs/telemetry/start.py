"""Chooses where spans and metrics go, by the variables that OpenTelemetry and Azure have names for.

- `APPLICATIONINSIGHTS_CONNECTION_STRING`: Application Insights, signed in as the managed identity;
- `OTEL_EXPORTER_OTLP_ENDPOINT`: a collector, over OTLP with HTTP and protobuf;
- `OTEL_TRACES_EXPORTER=console`: the error stream, to look at on the local stack;
- none of them, or `OTEL_SDK_DISABLED=true`: nowhere, and no library of an exporter is imported.

They are no settings of ours (`OCS_…`): the Functions host and OpenTelemetry's own libraries read the same ones.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import TracerProvider

from ocs.telemetry import gauges, spans
from ocs.telemetry.logs import logger

AZURE, OTLP, CONSOLE = "ocs.azure.monitor", "ocs.telemetry.exporters.otlp", "ocs.telemetry.exporters.console"
log = logger("telemetry")


@dataclass(frozen=True)
class Providers:
    """Who makes spans and who takes metrics."""

    spans: TracerProvider
    metrics: MeterProvider


class Exporter(Protocol):
    """A module that knows how to send spans and metrics to one place."""

    def providers(self) -> Providers:
        """Make the providers; called once in a process."""


def chosen(environment: Mapping[str, str]) -> str | None:
    """Give the module of the exporter that is asked for; None for nobody."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING"):
        return AZURE
    if environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        return OTLP
    return CONSOLE if environment.get("OTEL_TRACES_EXPORTER") == "console" else None


def start() -> None:
    """Send spans and metrics where the environment says; nowhere, with a line in the log, if that cannot start."""
    module = chosen(os.environ)
    if module is None:
        return
    try:
        # By name, so that the two hundred modules of an exporter are loaded where one is set, and nowhere else.
        made = cast("Exporter", import_module(module)).providers()
    except Exception as error:  # noqa: BLE001 - without telemetry the app reports sales all the same
        # Its class only: the text may quote the connection string.
        log.error("telemetry could not be started: none is sent", exporter=module, error=type(error).__name__)  # noqa: TRY400
        return
    spans.record(made.spans)
    gauges.record(made.metrics)
