"""To Application Insights through the Azure Monitor distribution; imported only where its connection string is set.

The app does this itself, not the Functions worker: with PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY it would sign in
without the identity and switch every instrumentation on. PYTHON_ENABLE_OPENTELEMETRY must not be set either
(`telemetry.within`). Logs go through the host, which gives each the trace of its run; sent from here as well they would
be paid for twice, and the exporter's own words about a failure would be the next thing to send.
"""

import os

from azure.identity import ManagedIdentityCredential
from azure.monitor.opentelemetry import configure_azure_monitor
from opentelemetry import metrics, trace

from ocs.telemetry.start import Providers

INSTRUMENTATIONS = (
    "azure_sdk", "django", "fastapi", "flask", "httpx", "psycopg2", "requests", "urllib", "urllib3",
)  # fmt: skip
"""All off: the app makes the spans that matter, and each is paid for. Those of HTTP clients would hold whole URLs."""


def providers() -> Providers:
    """Start sending spans and metrics as the managed identity: local auth of Application Insights is off."""
    client_id = os.environ.get("AZURE_CLIENT_ID")
    os.environ["OTEL_LOGS_EXPORTER"] = "none"  # the only way to say it to the distribution
    configure_azure_monitor(
        credential=ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential(),
        instrumentation_options={name: {"enabled": False} for name in INSTRUMENTATIONS},
        enable_live_metrics=False,
        enable_performance_counters=False,
        disable_offline_storage=True,  # what could not be sent is not left on a disk
    )
    return Providers(trace.get_tracer_provider(), metrics.get_meter_provider())
