"""To a collector, over OTLP with HTTP and protobuf; `OTEL_EXPORTER_OTLP_…` say where it is and how to sign in."""

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from ocs.telemetry.start import Providers


def providers() -> Providers:
    """Make providers that send in the background."""
    resource = Resource.create({"service.name": "ocs"})  # OTEL_SERVICE_NAME comes first, where it is set
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Providers(spans, MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource=resource))
