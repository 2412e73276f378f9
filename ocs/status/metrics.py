"""The metrics: read from the database and the queues once a minute, in a fixed number of indexed queries.

They are of all stores together: a series for each store would cost more than it tells, and the alerts name the stores.
Where no exporter is set nothing is read. What has no value just now, as the latency of a minute without a sale, is not
told. A missed run leaves a gap of a minute; a doubled one tells the same again.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ocs import telemetry
from ocs.db.queries import load
from ocs.errors import QueueUnavailable
from ocs.positions import coverage
from ocs.runtime import Runtime
from ocs.telemetry import gauges

SQL = load(__file__)
log = telemetry.logger("status")
EVERY_SECONDS = 50.0
"""A little under a minute: the timer that looks ticks twice in one."""
QUEUES = ("ocs-deliveries", "pos-inventories", "pos-transactions")
"""Poison queues are measured by the alerts already."""


@dataclass(frozen=True)
class Metric:
    """What a metric is called, its unit (UCUM), and what it says."""

    name: str
    unit: str
    says: str


OLDEST = Metric("ocs.oldest_unsent_seconds", "s", "How long the oldest sale or position has been waiting to be sent")
ACCEPTED = Metric("ocs.accepted_per_minute", "{line}/min", "Event lines that the OCS platform accepted")
SUCCESS = Metric("ocs.success_rate", "1", "Share of the last five minutes' deliveries that were accepted")
LATENCY = Metric("ocs.latency_seconds", "s", "From the sale's message to the acceptance, of the last minute's lines")
PARKED = Metric("ocs.parked", "{line}", "Lines and positions that wait for a person or for a mapping")
LETTERS = Metric("ocs.dead_letters", "{message}", "Messages that could not be taken in")
BREAKER = Metric("ocs.breaker_open", "{connection}", "Connections whose circuit breaker is not closed")
COVERAGE = Metric(
    "ocs.snapshot_coverage", "1", "Share of the reporting stores whose last nightly position was accepted"
)
DEPTH = Metric("ocs.queue_depth", "{message}", "Messages on a storage queue, about")


@dataclass(frozen=True)
class Reading:
    """A metric's value, and what tells it from the same metric's others; None: it has no value now."""

    metric: Metric
    value: float | None
    attribute: tuple[str, str] | None = None


class _Last:
    """When this process measured last, on the monotonic clock."""

    at = float("-inf")


async def measure(runtime: Runtime) -> int:
    """Tell the exporter every metric once a minute; gives how many values, 0 where none is set or it is too soon."""
    if not gauges.measuring() or time.monotonic() - _Last.at < EVERY_SECONDS:
        return 0
    _Last.at = time.monotonic()
    told = 0
    for reading in [*await readings(runtime), *await _queues(runtime)]:
        if reading.value is not None:
            metric, attributes = reading.metric, dict([reading.attribute] if reading.attribute else [])
            gauges.tell(metric.name, metric.unit, metric.says, reading.value, attributes)
            told += 1
    await gauges.flush()
    return told


async def readings(runtime: Runtime) -> list[Reading]:
    """Read what the database knows; positions fall due by the app's clock, all else goes by the database's."""
    async with runtime.pool.transaction() as connection:
        row = await (await connection.execute(SQL["metrics_of_minute"])).fetchone()
        uncovered = await coverage.missing(connection, runtime.now(), coverage.GRACE)
    return list(_of(row, len(uncovered))) if row else []


def _of(row: dict[str, Any], uncovered: int) -> Iterable[Reading]:
    stores = row["stores"]
    yield Reading(OLDEST, row["oldest_unsent"] or 0.0)
    yield Reading(ACCEPTED, row["accepted"])
    yield Reading(SUCCESS, row["success_rate"])
    yield Reading(LATENCY, row["p50"], ("quantile", "0.5"))
    yield Reading(LATENCY, row["p95"], ("quantile", "0.95"))
    yield Reading(PARKED, row["parked_events"], ("kind", "events"))
    yield Reading(PARKED, row["parked_positions"], ("kind", "positions"))
    yield Reading(LETTERS, row["dead_letters"])
    yield Reading(BREAKER, row["breaker_open"])
    # Stores may be switched on between the two queries.
    yield Reading(COVERAGE, max(0.0, 1 - uncovered / stores) if stores else None)


async def _queues(runtime: Runtime) -> list[Reading]:
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["measured_queues"])).fetchall()
    lengths = {row["queue"]: row["length"] for row in rows}
    for queue in QUEUES:  # outside the transaction: no connection is held while Azure is asked
        try:
            lengths[queue] = await runtime.queues.approximate_length(queue)
        except QueueUnavailable as error:
            log.warning("a queue could not be measured", queue=queue, said=str(error))
    return [Reading(DEPTH, length, ("queue", queue)) for queue, length in lengths.items()]
