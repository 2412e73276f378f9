"""To Application Insights through the Azure Monitor distribution; imported only where its connection string is set.

The app does this itself, and not the Functions worker (`PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY`), which signs in
without the identity and switches every instrumentation on. `PYTHON_ENABLE_OPENTELEMETRY=true` and host.json's
`"telemetryMode": "OpenTelemetry"` let the worker hand over the trace of each invocation and leave the sending of its
logs to us (github.com/Azure/azure-functions-python-worker, `otel.py`).
"""

import logging
import os

from azure.identity import ManagedIdentityCredential
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import metrics, trace

from ocs.telemetry.start import Providers

INSTRUMENTATIONS = (
    "azure_sdk", "django", "fastapi", "flask", "httpx", "psycopg2", "requests", "urllib", "urllib3",
)  # fmt: skip
"""All off: the app makes the spans that matter, and each is paid for. Those of HTTP clients would hold whole URLs."""

OWN_LOGGERS = ("azure.core", "azure.identity", "azure.monitor", "opentelemetry")


def providers() -> Providers:
    """Start sending logs, spans and metrics as the managed identity: local auth of Application Insights is off."""
    client_id = os.environ.get("AZURE_CLIENT_ID")
    root = logging.getLogger()
    before = set(root.handlers)
    configure_azure_monitor(
        credential=ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential(),
        instrumentation_options={name: {"enabled": False} for name in INSTRUMENTATIONS},
        enable_live_metrics=False,
        enable_performance_counters=False,
        disable_offline_storage=True,  # what could not be sent is not left on a disk
    )
    for handler in set(root.handlers) - before:
        handler.addFilter(_is_not_the_exporters)
    return Providers(trace.get_tracer_provider(), metrics.get_meter_provider())


def _is_not_the_exporters(record: logging.LogRecord) -> bool:
    """Keep what the exporter says of itself from being exported: each failure would make the next thing to send."""
    return not record.name.startswith(OWN_LOGGERS)
