"""The commands that mend: parked lines, dead letters, a position now, and reading back from UAT."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.casework import again
from ocs.casework.why import RETRIED
from ocs.cli.command import CROL, CRSA, Answer, Call, Command, NotDone, argument, day, instant
from ocs.cli.show import cell, table
from ocs.dead_letters import doors, letters
from ocs.dead_letters.admin import Redriven, redrive_one
from ocs.delivery import outbox
from ocs.delivery.sender import ring
from ocs.errors import QueueUnavailable
from ocs.events.ingest import TRANSACTIONS
from ocs.events.report import EVENTS
from ocs.openings.messages import INVENTORIES
from ocs.positions import admin as positions
from ocs.reconciliation.read_back import describe, read_back_now
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.reach import store_in_reach
from ocs.tenants.read import store_of

log = telemetry.logger("cli")
LETTER = argument("letter", metavar="LETTER", type=UUID, help="its id, as `dead-letters` shows it")

for door in (TRANSACTIONS, INVENTORIES):
    doors.register(door)


async def ring_for(own: Runtime, store_id: UUID) -> None:
    """Ring for a store; where the queue is away the sweeper finds the store within a minute, so nothing is undone."""
    try:
        await ring(own, store_id)
    except QueueUnavailable as error:
        log.warning("the bell was not rung: the sweeper will", said=str(error))


async def _parked(call: Call) -> Answer:
    """Show a retailer's parked lines and positions, each with its reason."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        items = await outbox.parked(connection, call.args.crol)
    names = ("crsa", "kind", "sequence", "parked_cause", "received_at", "item_id", "parked_reason")
    return Answer(
        items, table([name.replace("_", " ") for name in names], [[item[n] for n in names] for item in items])
    )


async def _retry(call: Call) -> Answer:
    """Send a store's parked lines again, in their old places: those named, or all that a retry may mend."""
    given = call.args.line
    if bool(given) == call.args.all:
        raise NotDone("name the lines, or say --all")
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        store = await store_in_reach(connection, call.act.caller, call.args.crsa)
        if call.args.all:
            items = await outbox.parked(connection, store.crol)
            given = [item["sequence"] for item in items if _is_retried(item, store)]
    return await _retried(call, store, given)


def _is_retried(item: dict[str, Any], store: Store) -> bool:
    of_store = item["store_id"] == store.store_id and item["kind"] == EVENTS.name
    return bool(of_store and item["parked_cause"] in RETRIED)


async def _redrive_lines(call: Call) -> Answer:
    """Send a store's parked lines again, in their old places, named by their sequence (`retry` takes line ids too)."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        store = await store_of(connection, call.args.crol, call.args.crsa)
    return await _retried(call, store, call.args.sequence)


async def _retried(call: Call, store: Store, named: Sequence[int | UUID]) -> Answer:
    own = await call.runtime()
    line_ids = [one for one in named if isinstance(one, UUID)]
    sequences = [one for one in named if isinstance(one, int)]
    async with own.pool.transaction() as connection:
        results = await again.retry(connection, call.act, store, line_ids, sequences)
    await ring_for(own, store.store_id)
    due = sum(result["due"] for result in results)
    left = [f"{result['sequence']}  {result['line_id']}  {result['says']}" for result in results if not result["due"]]
    text = "\n".join([f"{due} of {len(results)} lines are due again", *left])
    return Answer(results, text, exit_code=0 if due == len(results) else 1)


async def _letters(call: Call) -> Answer:
    """Show the open dead letters, oldest first, each with its reason; up to 200, whole with --json."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        found = await letters.open_letters(connection)
    names = ("letter_id", "queue", "cause", "tries", "buried_at", "reason")
    return Answer(
        found, table([name.replace("_", " ") for name in names], [[one[name] for name in names] for one in found])
    )


async def _redrive_letter(call: Call) -> Answer:
    """Take one dead letter in again, now that its cause is mended."""
    result = await redrive_one(await call.runtime(), call.act, call.args.letter)
    if result.result != "taken_in":
        raise NotDone(_not_taken_in(result))
    return Answer(result, "taken in")


async def _redrive(call: Call) -> Answer:
    """Take dead letters in again: those named, or all that are open."""
    wanted = call.args.letters
    if bool(wanted) == call.args.all:
        raise NotDone("name the letters, or say --all")
    own = await call.runtime()
    if call.args.all:
        async with own.pool.transaction() as connection:
            wanted = [letter["letter_id"] for letter in await letters.open_letters(connection)]
    results = [await redrive_one(own, call.act, letter_id) for letter_id in wanted]
    taken_in = sum(result.result == "taken_in" for result in results)
    rows = [(result.letter_id, result.result.replace("_", " "), result.says) for result in results]
    text = f"{taken_in} of {len(results)} letters were taken in\n{table(('letter', 'result', 'says'), rows)}"
    return Answer(results, text, exit_code=0 if taken_in == len(results) else 1)


def _not_taken_in(result: Redriven) -> str:
    begin = {"still_wrong": "it is still wrong", "not_open": "no open dead letter", "not_now": "not now"}
    return f"{begin.get(result.result, result.result)}: {cell(result.says)}"


async def _snapshot(call: Call) -> Answer:
    """Make a store's position from the levels as they are known now, and send it: yesterday's, or that of a date."""
    await call.runtime()
    asked = positions.Submit(store_id=call.args.crsa, business_date=call.args.date)
    made = await positions.submit(asked, call.act)
    text = f"position of {made['business_date']}, revision {made['revision']}, {made['lines']} items: on its way"
    return Answer(made, text)


async def _read_back(call: Call) -> Answer:
    """Read a UAT store's events and positions back, by posting time, and show what differs from what was sent."""
    own = await call.runtime()
    async with own.pool.transaction() as connection:
        store = await store_of(connection, call.args.crol, call.args.crsa)
    result = await read_back_now(own, store, call.args.start, call.args.end)
    return Answer(result, describe(result))


def _line(text: str) -> int | UUID:
    return int(text) if text.isdecimal() else UUID(text)


COMMANDS = (
    Command("parked", _parked, (CROL,), ("parked CROL1000001",)),
    Command(
        "retry",
        _retry,
        (
            CRSA,
            argument(
                "line", metavar="LINE", nargs="*", type=_line, help="a line's id, or its sequence as `parked` shows it"
            ),
            argument(
                "--all", action="store_true", help="all that the platform refused or failed on, or a warning holds"
            ),
        ),
        ("retry CRSA1000001 17 18", "retry CRSA1000001 --all --why 'the OCS has mended its catalogue'"),
        acts=True,
    ),
    Command(
        "redrive-lines",
        _redrive_lines,
        (CROL, CRSA, argument("sequence", type=int, nargs="+", help="as `parked` shows it")),
        ("redrive-lines CROL1000001 CRSA1000001 17 18",),
        acts=True,
    ),
    Command("dead-letters", _letters, examples=("dead-letters", "dead-letters --json")),
    Command("redrive-letter", _redrive_letter, (LETTER,), ("redrive-letter 0b7c…-1f",), acts=True),
    Command(
        "redrive",
        _redrive,
        (
            argument("letters", metavar="LETTER", nargs="*", type=UUID, help="as `dead-letters` shows it"),
            argument("--all", action="store_true", help="all that are open, up to 200"),
        ),
        ("redrive --all --why 'the store is onboarded now'",),
        acts=True,
    ),
    Command(
        "snapshot",
        _snapshot,
        (CRSA, argument("--date", type=day, help="the business date; yesterday's without it")),
        ("snapshot CRSA1000001", "snapshot CRSA1000001 --date 2026-11-19"),
        acts=True,
    ),
    Command(
        "read-back",
        _read_back,
        (
            CROL,
            CRSA,
            argument("start", type=instant, help="with its offset: 2026-11-20T10:00:00-05:00"),
            argument("end", type=instant),
        ),
        ("read-back CROL1000001 CRSA1000001 2026-11-20T09:00:00-05:00 2026-11-20T12:00:00-05:00",),
    ),
)
