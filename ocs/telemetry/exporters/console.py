"""To the error stream, one JSON object a line, to look at on the local stack."""

import sys

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter

from ocs.telemetry.start import Providers


def providers() -> Providers:
    """Make providers that print in the background."""
    spans = TracerProvider()
    spans.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter(out=sys.stderr, formatter=_span)))
    metrics = ConsoleMetricExporter(out=sys.stderr, formatter=_metrics)
    return Providers(spans, MeterProvider([PeriodicExportingMetricReader(metrics)]))


def _span(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"


def _metrics(data: MetricsData) -> str:
    return f"{data.to_json(indent=None)}\n"
