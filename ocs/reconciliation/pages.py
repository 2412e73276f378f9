"""One page of what the platform gives back: read, judged line by line, written with all that it says at once."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.events.report import event_line
from ocs.positions.business_day import ONE_SECOND, stamp
from ocs.reconciliation import readings
from ocs.reconciliation.compare import Judged, SentLine, SentPosition, judge_event, judge_position
from ocs.reconciliation.meanings import added
from ocs.reconciliation.runs import Run
from ocs.regulator import wire
from ocs.regulator.client import Regulator
from ocs.tenants.models import Store
from ocs.tenants.read import as_id

SQL = load(__file__)
MOST_KEPT = 10_000
"""Rows of differences of one read-back; beyond it they are counted only: a wrong store would give millions."""
SECOND_LOOK = 2
NEWS = ((True, None), (True, False), (False, None))
"""A line in its newest revision or an older one, beside what was found of it: what a second look has to add."""


@dataclass(frozen=True)
class Page:
    """A page of either kind of line; the digest tells whether the next one is the same again."""

    events: Sequence[wire.ReportedEvent] = ()
    positions: Sequence[wire.ReportedPosition] = ()
    digest: bytes = b""

    @property
    def is_empty(self) -> bool:
        """Tell whether it ends the list."""
        return not (self.events or self.positions)


@dataclass(frozen=True)
class Missing:
    """How many of our lines were not there, and how many of them were kept as differences."""

    lines: int
    kept: int


async def fetch(regulator: Regulator, store: Store, run: Run) -> Page:
    """Read the run's next page from the platform; raises a RegulatorFault. No database connection is held here."""
    start, end = run.asked_window
    if run.subject == "event":
        events = (await regulator.reported_events(store, start, end, run.page)).inventoryEventList
        return Page(events=events, digest=_digest(events))
    positions = (await regulator.reported_positions(store, start, end, run.page)).inventoryPositionList
    return Page(positions=positions, digest=_digest(positions))


async def write(connection: Connection, store: Store, run: Run, page: Page) -> int:
    """Judge a page's lines and write what they came to; gives how many differences were kept.

    A second look writes only of lines that the first did not find.
    """
    judged = await _judge_events(connection, store, page) + await _judge_positions(connection, store, page)
    words = {"read_back_id": run.read_back_id, "subject": run.subject, "tenant_id": run.tenant_id}
    if run.look == SECOND_LOOK:
        keys = [one.key for one in judged if one.key is not None]
        rows = await (await connection.execute(SQL["found_before"], words | {"keys": keys})).fetchall()
        known = {row["key"]: row["newest"] for row in rows}
        judged = [one for one in judged if one.key is not None and (one.newest, known.get(one.key)) in NEWS]
    keyed = [one for one in judged if one.key is not None]
    found = {"keys": [one.key for one in keyed], "newest": [one.newest for one in keyed]}
    await connection.execute(SQL["note_found"], words | found)
    outcomes = Counter(one.outcome for one in judged)
    counts = {"outcomes": list(outcomes.keys()), "lines": list(outcomes.values())}
    await connection.execute(SQL["count_outcomes"], words | counts)
    for tally in added(one.tally for one in judged if one.tally is not None):
        amounts = {"lines": tally.lines, "sent": tally.sent, "there": tally.there}
        await connection.execute(SQL["count_way"], words | asdict(tally.way) | amounts)
    return await _keep(connection, run, judged)


async def missing(connection: Connection, run: Run, *, is_last_look: bool) -> Missing:
    """Find our lines that should be there and were not; after the last look it is written that they are missing."""
    words = {
        "read_back_id": run.read_back_id,
        "tenant_id": run.tenant_id,
        "subject": run.subject,
        "store_id": run.store_id,
        "window_from": run.window_from,
        "window_to": run.window_to,
        "most": MOST_KEPT - run.kept if is_last_look else 0,
    }
    query = SQL["missing_events"] if run.subject == "event" else SQL["missing_positions"]
    rows = [row for row in await (await connection.execute(query, words)).fetchall() if row["lines"]]
    if is_last_look:
        counts = {"outcomes": [row["outcome"] for row in rows], "lines": [row["lines"] for row in rows]}
        await connection.execute(SQL["count_outcomes"], words | counts)
    return Missing(sum(row["lines"] for row in rows), max((row["kept"] for row in rows), default=0))


async def _judge_events(connection: Connection, store: Store, page: Page) -> list[Judged]:
    if not page.events:
        return []
    by_line = {theirs.posTransactionLineId: as_id(theirs.posTransactionLineId) for theirs in page.events}
    words = {"store_id": store.store_id, "line_ids": [line_id for line_id in by_line.values() if line_id is not None]}
    sent: dict[UUID, list[SentLine]] = {}
    async for row in await connection.execute(SQL["sent_lines"], words):
        line = event_line(store, row)
        ours = SentLine(row["revision"], row["state"], line, row["transaction_type"], row["wire_sign"], row["quantity"])
        sent.setdefault(row["line_id"], []).append(ours)
    judged = []
    for theirs in page.events:
        line_id = by_line[theirs.posTransactionLineId]
        judged.append(judge_event(theirs, sent.get(line_id, []) if line_id else []))
    return judged


async def _judge_positions(connection: Connection, store: Store, page: Page) -> list[Judged]:
    if not page.positions:
        return []
    moments = [readings.position_moment(theirs.inventoryPositionDate) for theirs in page.positions]
    words = {
        "store_id": store.store_id,
        "as_of": list({moment + ONE_SECOND for moment, _ in moments if moment is not None}),
        "dates": list({day for _, day in moments if day is not None}),
        "ocs_skus": list({theirs.ocsSku for theirs in page.positions}),
    }
    sent: dict[str, list[SentPosition]] = {}
    async for row in await connection.execute(SQL["sent_positions"], words):
        line = wire.PositionLine(
            ocsSku=row["ocs_sku"],
            upcAndBarcode=row["upc"],
            inventoryQuantityOnHand=wire.eaches(row["quantity"]),
            inventoryBookValue=wire.money(row["value"]),
        )
        at = stamp(row["as_of"], store.time_zone)
        ours = SentPosition(row["snapshot_id"], row["revision"], row["state"], at, line)
        sent.setdefault(line.ocsSku, []).append(ours)
    return [judge_position(theirs, sent.get(theirs.ocsSku, [])) for theirs in page.positions]


async def _keep(connection: Connection, run: Run, judged: Sequence[Judged]) -> int:
    rows = [(one, difference) for one in judged for difference in one.differences][: MOST_KEPT - run.kept]
    if not rows:
        return 0
    words = {
        "read_back_id": run.read_back_id,
        "tenant_id": run.tenant_id,
        "subject": run.subject,
        "kinds": [difference.kind for _, difference in rows],
        "references": [one.reference for one, _ in rows],
        "ocs_skus": [one.ocs_sku for one, _ in rows],
        "upcs": [one.upc for one, _ in rows],
        "fields": [difference.field for _, difference in rows],
        "ours": [difference.ours for _, difference in rows],
        "theirs": [difference.theirs for _, difference in rows],
    }
    await connection.execute(SQL["note_differences"], words)
    return len(rows)


def _digest(lines: Sequence[wire.ReportedEvent] | Sequence[wire.ReportedPosition]) -> bytes:
    return hashlib.sha256("\n".join(line.model_dump_json() for line in lines).encode()).digest()
