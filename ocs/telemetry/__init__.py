"""What the app tells of itself: logs as JSON lines; spans and metrics where an exporter is set, and else nothing."""

from ocs.telemetry.logs import configure, logger
from ocs.telemetry.spans import describe, failed, span, traceparent, tracing, within

__all__ = ["configure", "describe", "failed", "logger", "span", "traceparent", "tracing", "within"]
