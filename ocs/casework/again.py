"""Sends lines again: one recorded transaction now, named lines at once, and what a filter finds as a job."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel

from ocs.audit.acts import Act
from ocs.bad_input import bad_input
from ocs.casework.line import WhyShown, stream_facts
from ocs.casework.lines import EARLIEST, LATEST, LineRow, Status, shown
from ocs.casework.why import RETRIED, Cause, why_it_waits
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.delivery import outbox
from ocs.errors import Conflict, NotFound
from ocs.events.report import EVENTS
from ocs.tenants.models import Store

SQL = load(__file__)
SAMPLE = 10
"""Lines that a dry run shows."""
What = Literal["retry", "replay"]
KEPT_BACK = frozenset(
    {Cause.STORE_OFF, Cause.STORE_PAUSED, Cause.CONNECTION_PAUSED, Cause.TENANT_PAUSED, Cause.FIRST_POSITION}
)
"""Causes that nobody may skip: submitting would change nothing."""


class TransactionLine(BaseModel):
    """One line of a transaction and how its newest revision stands."""

    line_id: UUID
    sequence: int
    revision: int
    status: Status
    parked_reason: str | None


class Submitted(BaseModel):
    """A transaction that is due now: its lines, and what happens next."""

    store_id: UUID
    transaction_id: str
    lines: list[TransactionLine]
    why: WhyShown


class LineAgain(BaseModel):
    """What became of one line that was to be sent again: `due`, or why it stays as it is."""

    line_id: UUID
    sequence: int
    due: bool
    says: str


class Counted(BaseModel):
    """What a filter finds: how many lines in how many stores, and the first few of them."""

    lines: int
    stores: int
    sample: list[LineRow]


@dataclass(frozen=True)
class Found:
    """The lines that a job would send again: those of one tenant, by store."""

    what: What
    cause: Cause | None
    recorded_from: datetime | None
    recorded_to: datetime | None
    stores: Sequence[dict[str, Any]] = ()

    @property
    def lines(self) -> int:
        """How many lines."""
        return sum(store["lines"] for store in self.stores)


async def submit(connection: Connection, act: Act, store: Store, transaction_id: str) -> dict[str, Any]:
    """Make one recorded transaction due now, whatever its store waits for between two tries; ring after the commit.

    A store's lines go in their order, so those before it go too. A wait that the platform asked for is kept. Raises
    NotFound for what is not recorded, and Conflict, in words, for what cannot go.
    """
    words: dict[str, Any] = {"store_id": store.store_id, "transaction_id": transaction_id}
    lines = await (await connection.execute(SQL["lines_of_transaction"], words)).fetchall()
    if not lines:
        raise NotFound(f'no recorded transaction "{transaction_id}" in store {store.crsa}; it may be a dead letter')
    if not any(line["status"] in ("pending", "frozen") for line in lines):
        raise Conflict(_not_waiting(lines))
    stream = await outbox.lock(connection, store, EVENTS.name)
    await outbox.hurry(connection, stream)
    rows = await (await connection.execute(SQL["streams_of_stores"], {"store_ids": [store.store_id]})).fetchall()
    frozen = any(line["status"] == "frozen" for line in lines)
    told = why_it_waits(stream_facts(rows[0]), frozen=frozen, goes_first=frozen)
    if told.cause in KEPT_BACK:
        raise Conflict(f"{told.says} {told.fix.says}")
    after = {"transaction_id": transaction_id, "lines": len(lines)}
    await act.note(
        connection,
        "transaction.submitted",
        tenant_id=store.tenant_id,
        store_id=store.store_id,
        subject=store.crsa,
        after=after,
    )
    return words | {"lines": lines, "why": asdict(told)}


def _not_waiting(lines: Sequence[dict[str, Any]]) -> str:
    """Say why nothing of a transaction can be submitted."""
    reasons = [line["parked_reason"] for line in lines if line["status"] == "parked"]
    if reasons:
        return f"{len(reasons)} of its lines are parked: {reasons[0]} Correct it, or retry it."
    if any(line["status"] == "superseded" for line in lines):
        return "it was corrected before it was sent: submit the transaction that corrected it"
    return "the OCS platform has accepted it already"


async def retry(
    connection: Connection, act: Act, store: Store, line_ids: Sequence[UUID], sequences: Sequence[int]
) -> list[dict[str, Any]]:
    """Make named lines of a store pending again in their old places, if they are parked for what a retry may mend.

    Lines are named by id (their newest revision is meant) or by number. Gives what became of each; ring after the
    commit. Raises NotFound for a line that is not the store's; then none is retried.
    """
    stream = await outbox.lock(connection, store, EVENTS.name)
    named = await _named(connection, store, line_ids, sequences)
    again = set(await outbox.redrive(connection, stream, [row["sequence"] for row in named]))
    results = [_result(row, due=row["sequence"] in again) for row in named]
    after = {"sequences": sorted(again), "left_as_is": len(named) - len(again)}
    await act.note(
        connection, "lines.retried", tenant_id=store.tenant_id, store_id=store.store_id, subject=store.crsa, after=after
    )
    return results


async def _named(
    connection: Connection, store: Store, line_ids: Sequence[UUID], sequences: Sequence[int]
) -> list[dict[str, Any]]:
    words = {"store_id": store.store_id, "line_ids": list(line_ids), "sequences": list(sequences)}
    rows = await (await connection.execute(SQL["named_lines"], words)).fetchall()
    rows += await (await connection.execute(SQL["numbered_lines"], words)).fetchall()
    unknown = [
        *(set(line_ids) - {row["line_id"] for row in rows}),
        *(set(sequences) - {row["sequence"] for row in rows}),
    ]
    if unknown:
        raise NotFound(f"no line {unknown[0]} in store {store.crsa}")
    return list({row["sequence"]: row for row in rows}.values())


def _result(row: dict[str, Any], *, due: bool) -> dict[str, Any]:
    says = {
        "accepted": "the OCS platform has accepted it already",
        "superseded": "a newer revision takes its place",
        "pending": "it waits to be sent already",
        "frozen": "it is being sent already",
        "parked": "its POS SKU is not mapped: map it, and it leaves by itself",
    }[row["state"]]
    return {
        "line_id": row["line_id"],
        "sequence": row["sequence"],
        "due": due,
        "says": "it goes out again in its old place" if due else says,
    }


async def find_parked(
    connection: Connection,
    store_ids: Sequence[UUID],
    cause: Cause | None,
    recorded_from: datetime | None,
    recorded_to: datetime | None,
) -> Found:
    """Count the parked lines of stores that a retry may mend, of one cause or all; raises BadInput for others."""
    if cause is not None and cause not in RETRIED:
        found = ", ".join(sorted(RETRIED))
        raise bad_input("cause", cause.value, f"a cause for which lines can be sent again as they are: {found}")
    words = {
        "store_ids": list(store_ids),
        "causes": causes_of(cause),
        "recorded_from": recorded_from or EARLIEST,
        "recorded_to": recorded_to or LATEST,
    }
    rows = await (await connection.execute(SQL["parked_to_retry"], words)).fetchall()
    return Found("retry", cause, recorded_from, recorded_to, rows)


async def find_accepted(
    connection: Connection, store_ids: Sequence[UUID], recorded_from: datetime, recorded_to: datetime
) -> Found:
    """Count the accepted lines of stores that were recorded in a time; only newest revisions, corrections stay."""
    words = {"store_ids": list(store_ids), "recorded_from": recorded_from, "recorded_to": recorded_to}
    rows = await (await connection.execute(SQL["accepted_to_replay"], words)).fetchall()
    return Found("replay", None, recorded_from, recorded_to, rows)


def causes_of(cause: str | None) -> list[str]:
    """Give the causes that a retry means: the one that was named, or all that it may mend."""
    return [cause] if cause else sorted(RETRIED)


async def sample(connection: Connection, found: Found) -> dict[str, Any]:
    """Give what a dry run tells: the numbers, and the first lines of the first store."""
    keys: list[dict[str, Any]] = []
    for store in found.stores[:1]:
        span = (store["first"] - 1, store["last"])
        keys = [
            {"store_id": store["store_id"], "sequence": sequence}
            for sequence in await next_lines(connection, found, store["store_id"], store["tenant_id"], span, SAMPLE)
        ]
    return {"lines": found.lines, "stores": len(found.stores), "sample": await shown(connection, keys)}


async def next_lines(
    connection: Connection, found: Found, store_id: UUID, tenant_id: UUID, span: tuple[int, int], most: int
) -> list[int]:
    """Give the next lines of a store that are to be sent again: behind the first number, through the second."""
    words = {
        "store_id": store_id,
        "tenant_id": tenant_id,
        "causes": causes_of(found.cause),
        "recorded_from": found.recorded_from or EARLIEST,
        "recorded_to": found.recorded_to or LATEST,
        "after_sequence": span[0],
        "through_sequence": span[1],
        "most": most,
    }
    query = SQL["next_parked"] if found.what == "retry" else SQL["next_accepted"]
    return [row["sequence"] for row in await (await connection.execute(query, words)).fetchall()]
