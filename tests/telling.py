"""What the app tells of itself, caught in memory: OpenTelemetry's own exporters for tests."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from ocs.telemetry import gauges, spans


@dataclass
class Told:
    """Spans and metrics of the block, as an exporter gets them."""

    _spans: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    _metrics: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def spans(self, name: str) -> list[ReadableSpan]:
        """Give the finished spans of a name, in the order of their ends."""
        return [span for span in self._spans.get_finished_spans() if span.name == name]

    def names(self) -> list[str]:
        """Give the names of all finished spans, in the order of their ends."""
        return [span.name for span in self._spans.get_finished_spans()]

    def everything(self) -> str:
        """Give all that was told as one text, to look for what must not be in it."""
        data = self._metrics.get_metrics_data()
        return "\n".join(
            [span.to_json() for span in self._spans.get_finished_spans()] + ([data.to_json()] if data else [])
        )

    def metrics(self) -> dict[tuple[str, ...], Any]:
        """Give each metric's value by its name and the values of its attributes."""
        data = self._metrics.get_metrics_data()
        whole = json.loads(data.to_json()) if data else {"resource_metrics": []}
        return {
            (metric["name"], *point["attributes"].values()): point["value"]
            for resource in whole["resource_metrics"]
            for scope in resource["scope_metrics"]
            for metric in scope["metrics"]
            for point in metric["data"]["data_points"]
        }


@contextmanager
def told() -> Iterator[Told]:
    """Catch what is told within the block."""
    caught = Told()
    tracer = TracerProvider()
    tracer.add_span_processor(SimpleSpanProcessor(caught._spans))  # noqa: SLF001 - made for it
    spans.record(tracer)
    meter = MeterProvider([caught._metrics])  # noqa: SLF001 - made for it
    gauges.record(meter)
    try:
        yield caught
    finally:
        spans.record(None)
        gauges.record(None)
        tracer.shutdown()
        meter.shutdown()
