"""Batches: frozen before they are sent, sent again as they are, split and parked when they are refused."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ocs import telemetry
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery.kinds import Kind
from ocs.delivery.lease import Lease
from ocs.regulator.faults import Accepted, RegulatorFault
from ocs.settings import Settings
from ocs.telemetry.spans import MOST_LINKS

SQL = load(__file__)

ParkedCause = Literal["platform_rejected", "platform_failed"]
"""Why delivery parks a line: the platform refuses it, or fails on it again and again."""


@dataclass(frozen=True)
class Work:
    """A frozen batch in a worker's hands, with the row of the attempt that is about to be made."""

    lease: Lease
    batch_id: int
    lines: int
    failures: int
    attempt_id: int
    body: Any
    traces: tuple[str, ...] = ()
    """In which its members were put into the outbox, as W3C traceparents; none while nobody records traces."""


async def next_work(connection: Connection, settings: Settings, kind: Kind, lease: Lease) -> Work | None:
    """Give the stream's unsettled batch, or freeze the next one, and note that it is about to be sent.

    A batch takes what has gathered: one line on a quiet day, many under load (group commit by itself).
    """
    words = {
        "store_id": lease.store.store_id,
        "tenant_id": lease.store.tenant_id,
        "connection_id": lease.store.connection_id,
        "kind": lease.kind,
        "fence": lease.fence,
        "most": kind.most_items(settings),
    }
    batch = await (await connection.execute(SQL["next_batch"], words)).fetchone()
    if batch is None:
        return None
    body = await kind.load(connection, lease.store, batch["batch_id"])
    traces = await _traces(connection, batch["batch_id"]) if telemetry.tracing() else ()
    return Work(lease, batch["batch_id"], batch["lines"], batch["failures"], batch["attempt_id"], body, traces)


async def _traces(connection: Connection, batch_id: int) -> tuple[str, ...]:
    words = {"batch_id": batch_id, "most": MOST_LINKS}
    rows = await (await connection.execute(SQL["traces_of_batch"], words)).fetchall()
    return tuple(row["traceparent"] for row in rows)


async def has_work(connection: Connection, lease: Lease) -> bool:
    """Tell whether the stream still has something to send."""
    words = {"store_id": lease.store.store_id, "kind": lease.kind}
    row = await (await connection.execute(SQL["has_work"], words)).fetchone()
    return row is not None and bool(row["more"])


async def finish_attempt(
    connection: Connection, work: Work, outcome: Accepted | RegulatorFault, seconds: float
) -> None:
    """Write down how an attempt ended: status, words, reference id and time; the first word on it stays."""
    words = {
        "attempt_id": work.attempt_id,
        "seconds": round(seconds, 3),
        "outcome": outcome.outcome,
        "http_status": outcome.http_status,
        "reference_id": outcome.reference_id if isinstance(outcome, Accepted) else None,
        "message": None if isinstance(outcome, Accepted) else outcome.message,
        # Postgres keeps no NUL in text; a reply may hold anything.
        "reply": outcome.reply.replace("\x00", "\\0"),
    }
    await connection.execute(SQL["finish_attempt"], words)


async def accept(connection: Connection, work: Work, reference_id: str) -> float | None:
    """Settle an accepted batch; gives the seconds from its oldest sale to now, None when it was settled before."""
    words = {"batch_id": work.batch_id, "reference_id": reference_id}
    row = await (await connection.execute(SQL["accept_batch"], words)).fetchone()
    return None if row is None else float(row["seconds"])


async def split(connection: Connection, work: Work) -> None:
    """Put two halves in a batch's place, so that what is bad in it gets alone."""
    await connection.execute(SQL["split_batch"], {"batch_id": work.batch_id})


async def park(connection: Connection, work: Work, cause: ParkedCause, reason: str) -> list[int]:
    """Park the line that cannot pass by itself; gives its number unless a correction has replaced it meanwhile."""
    words = {"batch_id": work.batch_id, "cause": cause, "reason": reason}
    rows = await (await connection.execute(SQL["park_batch"], words)).fetchall()
    return [row["sequence"] for row in rows if row["state"] == "parked"]


async def count_failure(connection: Connection, work: Work) -> int:
    """Count a failure of the upstream against the batch; gives how many it has now."""
    words = {"batch_id": work.batch_id, "attempt_id": work.attempt_id}
    row = await (await connection.execute(SQL["count_failure"], words)).fetchone()
    return work.failures if row is None else int(row["failures"])


async def retire(connection: Connection, before: datetime, most: int) -> int:
    """Delete batches that were settled before an instant, with attempts and replies; gives how many, 0 at the end.

    A batch stays while one of its items is not delivered, or one of its halves is there. The items themselves stay in
    the outbox for ever: they say that a line was accepted, and when.
    """
    row = await (await connection.execute(SQL["retire_batches"], {"before": before, "most": most})).fetchone()
    return 0 if row is None else int(row["gone"])
