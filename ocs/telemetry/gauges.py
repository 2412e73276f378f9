"""Metrics: values that are read every minute and handed to the exporter as gauges, where one is set."""

import asyncio
from collections.abc import Mapping

from opentelemetry.metrics import MeterProvider
from opentelemetry.util.types import AttributeValue

from ocs.telemetry.spans import SCOPE

FLUSH_SECONDS = 10


class _Gauges:
    """Who takes the process's metrics; nobody while no exporter is set."""

    provider: MeterProvider | None = None


def record(provider: MeterProvider | None) -> None:
    """Hand metrics to this provider from now on, or to nobody."""
    _Gauges.provider = provider


def measuring() -> bool:
    """Tell whether anybody takes metrics."""
    return _Gauges.provider is not None


def tell(name: str, unit: str, description: str, value: float, attributes: Mapping[str, AttributeValue]) -> None:
    """Set a gauge; the unit is UCUM's, as OpenTelemetry has it: `s`, `1`, `{line}`."""
    if _Gauges.provider is not None:
        # The provider knows the meter and the gauge by their names: the next call gets the same ones.
        gauge = _Gauges.provider.get_meter(SCOPE).create_gauge(name, unit, description)
        gauge.set(value, dict(attributes))


async def flush() -> None:
    """Send what was told now: an instance that nobody needs may be gone before the exporter's own minute is over."""
    send = getattr(_Gauges.provider, "force_flush", None)  # the SDK's providers have it, the API's do not
    if send is not None:
        await asyncio.to_thread(send, FLUSH_SECONDS * 1000)
