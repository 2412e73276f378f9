"""Takes an upload of levels: reads it against the store, and writes all of it in one transaction, or says what it does.

A death before the commit leaves nothing behind, and whoever sent it sends it again; after the commit, the same content
at the same instant changes nothing.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ocs import telemetry
from ocs.audit.acts import Act
from ocs.bad_input import BadInput, FieldFault, bad_input, quoted
from ocs.catalogue.preflight import catalogue_facts, catalogue_warnings
from ocs.catalogue.warnings import item_warnings
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.levels.at import levels_at
from ocs.levels.change import Item, Level, lock_levels
from ocs.levels.opening import open_levels
from ocs.mapping.lookup import mapped_skus
from ocs.openings.compare import Effect, Outcome, answer, notices
from ocs.openings.models import EARLIEST, Given
from ocs.openings.plan import Planned, plan
from ocs.runtime import Runtime
from ocs.tenants.models import Store

SQL = load(__file__)
log = telemetry.logger("openings")

FindStore = Callable[[Connection], Awaitable[Store]]
"""Gives the store that the sender means, or raises what the sender should hear."""


@dataclass(frozen=True)
class Sender:
    """Who sent an upload and how; a queue's message has an id and the instant at which it was put there (UTC)."""

    source: Literal["http", "queue"]
    name: str
    message_id: str | None = None
    inserted_at: datetime | None = None
    is_copy: bool = False
    """Made by the host when it gave the message up: `inserted_at` is the copy's, not the sender's."""
    act: Act | None = None
    """Of one of the staff; a POS's message is on record as a message."""


@dataclass(frozen=True)
class Known:
    """What an earlier upload says of an item at the same instant, and when it was sent."""

    level: Level
    inserted_at: datetime


@again_when_the_database_drops
async def take_upload(
    runtime: Runtime, find_store: FindStore, given: Given, sender: Sender, *, dry_run: bool, good_lines_only: bool
) -> dict[str, Any]:
    """Write an upload's levels, or with `dry_run` only say what it would do; gives the answer to its sender.

    Raises BadInput that names every fault, and then nothing is written; with `good_lines_only` the wrong lines are
    left out instead, and named in the answer.
    """
    _refuse_instant(given.as_of, runtime.now())
    async with runtime.pool.transaction() as connection:
        store = await find_store(connection)
        if not dry_run:
            await lock_levels(connection, store)
        lines, faults = await _plan(connection, store, given)
        if faults:
            _refuse(given, lines, faults, good_lines_only=good_lines_only)
        effect = await _effect(connection, store, given, lines, sender)
        upload_id = None
        if not dry_run:
            upload_id = await _write(connection, store, given, sender, effect, lines_left=given.count - len(lines))
            await _note(connection, store, given, sender, upload_id)
        reported = await (await connection.execute(SQL["has_reported"], {"store_id": store.store_id})).fetchone()
        facts = await catalogue_facts(connection, store.environment, [line.item for line in effect.lines])
        said = notices(given, effect, has_reported=reported is not None and reported["reported"])
    log.info("levels uploaded", store_id=store.store_id, upload_id=upload_id, dry_run=dry_run, lines=len(lines))

    def warnings_of(ocs_sku: str, upc: str) -> list[str]:
        return item_warnings(ocs_sku, upc) + catalogue_warnings(facts, ocs_sku, upc)

    return answer(Outcome(store.crsa, dry_run, upload_id, given.as_of, effect, faults, said), warnings_of)


def _refuse_instant(as_of: datetime, now: datetime) -> None:
    if not EARLIEST <= as_of <= now:
        expected = (
            f"an instant that is past, and not before {EARLIEST.date()}: it is {now.isoformat(timespec='seconds')}"
        )
        raise bad_input("as_of", as_of.isoformat(), expected)


async def _plan(connection: Connection, store: Store, given: Given) -> tuple[list[Planned], list[FieldFault]]:
    own_skus = {line.sku for line in given.lines if line.sku and not line.ocs_sku}
    lines, faults = plan(given.lines, await mapped_skus(connection, store.tenant_id, own_skus))
    return lines, sorted([*given.faults, *faults], key=_line_number)


def _line_number(fault: FieldFault) -> int:
    found = re.search(r"\d+", fault.field)
    return int(found[0]) if found else 0


def _refuse(given: Given, lines: list[Planned], faults: list[FieldFault], *, good_lines_only: bool) -> None:
    if not good_lines_only or not lines:
        raise BadInput(faults)
    if given.rest == "zero":
        expected = '"keep" while only the good lines are taken: the items of the wrong lines would be set to zero'
        raise BadInput([FieldFault("rest", quoted("zero"), expected), *faults])


async def _effect(connection: Connection, store: Store, given: Given, lines: list[Planned], sender: Sender) -> Effect:
    before = await levels_at(connection, store.store_id, given.as_of)
    known = await _known(connection, store.store_id, given.as_of)
    overtaken = {line.item for line in lines if _is_overtaken(line, known, sender)}
    named = {line.item for line in lines}
    held = [item for item in sorted(before) if before[item].quantity]
    zeroed = [item for item in held if item not in named and _may_be_zeroed(known.get(item), sender)]
    effect = Effect(
        lines=[line for line in lines if line.item not in overtaken],
        before=before,
        zeroed=zeroed if given.rest == "zero" else [],
        overtaken=[line for line in lines if line.item in overtaken],
    )
    is_new = any(item not in known or known[item].level != level for item, level in effect.levels.items())
    first_at = await _upload(connection, "newest_at", store_id=store.store_id, as_of=given.as_of) is None
    seen = {"store_id": store.store_id, "message_id": sender.message_id}
    again = await _upload(connection, "upload_of_message", **seen) is not None
    return replace(effect, changes=(is_new or first_at) and not again)


async def _known(connection: Connection, store_id: UUID, as_of: datetime) -> dict[Item, Known]:
    rows = await (await connection.execute(SQL["in_effect"], {"store_id": store_id, "as_of": as_of})).fetchall()
    return {
        (row["ocs_sku"], row["upc"]): Known(Level(row["quantity"], row["value"]), row["inserted_at"]) for row in rows
    }


def _is_overtaken(line: Planned, known: dict[Item, Known], sender: Sender) -> bool:
    """Tell whether a message that was sent later has counted the item at the same instant: a queue keeps no order.

    Of a copy it is not known when it was sent. Raises BadInput where that would decide: a person must.
    """
    other = known.get(line.item)
    if other is None or other.level == line.level:
        return False
    if sender.is_copy:
        expected = (
            "what is on record: this is a copy without its time of sending; drive it again by hand if it is newer"
        )
        raise BadInput([FieldFault(str(line.place), "another count", expected)])
    return _sent_later(other, sender)


def _sent_later(other: Known, sender: Sender) -> bool:
    return sender.inserted_at is not None and other.inserted_at > sender.inserted_at


def _may_be_zeroed(other: Known | None, sender: Sender) -> bool:
    return other is None or not (sender.is_copy or _sent_later(other, sender))


async def _note(connection: Connection, store: Store, given: Given, sender: Sender, upload_id: int | None) -> None:
    if sender.act is not None:
        after = {"upload_id": upload_id, "as_of": given.as_of.isoformat(), "rest": given.rest, "lines": given.count}
        await sender.act.note_of(connection, store, "inventory.uploaded", subject=store.crsa, after=after)


async def _upload(connection: Connection, query: str, **words: object) -> int | None:
    row = await (await connection.execute(SQL[query], words)).fetchone()
    return None if row is None else row["upload_id"]


async def _write(
    connection: Connection, store: Store, given: Given, sender: Sender, effect: Effect, *, lines_left: int
) -> int | None:
    """Write an upload under the lock of the levels; gives its number, or that of the one that says the same already."""
    if not effect.changes:
        return await _upload(connection, "newest_at", store_id=store.store_id, as_of=given.as_of)
    await open_levels(connection, store, given.as_of, effect.levels, whole=given.rest == "zero")
    written = sorted(effect.levels.items())
    words = {
        "store_id": store.store_id,
        "tenant_id": store.tenant_id,
        "as_of": given.as_of,
        "rest": given.rest,
        "source": sender.source,
        "uploaded_by": sender.name,
        "message_id": sender.message_id,
        "inserted_at": sender.inserted_at,
        "content_type": given.content_type,
        "content": given.content,
        "lines": given.count,
        "lines_left": lines_left,
        "ocs_skus": [item[0] for item, _ in written],
        "upcs": [item[1] for item, _ in written],
        "quantities": [level.quantity for _, level in written],
        "amounts": [level.value for _, level in written],
    }
    row = await (await connection.execute(SQL["record_upload"], words)).fetchone()
    return None if row is None else row["upload_id"]
