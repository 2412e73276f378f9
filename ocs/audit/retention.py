"""Lets go of what is old: calls after 90 days, acts and settled submissions after three years, unless set otherwise.

A chain is cut from its oldest end only, and a checkpoint keeps the place and the hash of the last row that is gone, so
that what is left can still be checked. What the other rooms let go of, they say themselves (`Retire`): each deletes its
own rows, and none that is not delivered. A retailer's records are to be kept three years.

Kept for ever, on purpose: event lines with their place in the outbox, and the messages they came with. A line id that
is sent again after years must be known again, a correction must undo what the line did, and the level of any day is
reckoned from the changes. They are the books, not a submission.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ocs import telemetry
from ocs.access.caller import Caller
from ocs.audit.acts import Act
from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.runtime import Runtime

SQL = load(__file__)
log = telemetry.logger("audit")

ROWS_AT_ONCE = 2000
RUN_SECONDS = 10.0
"""How long one run goes on: other sweeps share its timer. The next tick goes on with the rest."""
CLAIM = timedelta(minutes=5)
"""For how long a run has the work to itself: one that died is taken over then."""
EVERY = timedelta(hours=24)
ITSELF = Caller("ocs", "ocs", super_admin=True)


@dataclass(frozen=True)
class Retire:
    """What one room lets go of: its name, and what deletes at most so many settled rows of before an instant.

    It gives how many it deleted; 0 says that nothing is left to do.
    """

    name: str
    retire: Callable[[Connection, datetime, int], Awaitable[int]]


async def retire(runtime: Runtime, submissions: Sequence[Retire] = ()) -> int:
    """Let go of what is old, once a day; gives how many rows are gone.

    A slow sweep: a missed, doubled or overlapping tick is harmless, and a death leaves what it has done, batch by
    batch. Instants are of the business clock (UTC).
    """
    if not await _claim(runtime, CLAIM):
        return 0
    settings, now = runtime.settings, runtime.now()
    of_calls = now - timedelta(days=settings.audit_calls_days)
    of_acts = now - timedelta(days=settings.audit_acts_days)
    work = [
        (Retire("calls", cut_calls), of_calls),
        (Retire("acts", cut_acts), of_acts),
        *((one, of_acts) for one in submissions),
    ]
    until = time.monotonic() + RUN_SECONDS
    gone = {one.name: await _let_go(runtime, one, before, until) for one, before in work}
    await _tell(runtime, {name: rows for name, rows in gone.items() if rows})
    await _due_again(runtime, EVERY if time.monotonic() < until else timedelta(0))
    return sum(gone.values())


async def cut_calls(connection: Connection, before: datetime, most: int) -> int:
    """Cut the chain of calls behind those that are older."""
    return await _cut(connection, "calls", before, most)


async def cut_acts(connection: Connection, before: datetime, most: int) -> int:
    """Cut the chain of acts behind those that are older."""
    return await _cut(connection, "acts", before, most)


CUT = {"calls": SQL["cut_calls"], "acts": SQL["cut_acts"]}


async def _cut(connection: Connection, chain: str, before: datetime, most: int) -> int:
    await connection.execute(SQL["open_the_trigger"])
    row = await (await connection.execute(CUT[chain], {"before": before, "most": most})).fetchone()
    return 0 if row is None else int(row["gone"])


async def _let_go(runtime: Runtime, one: Retire, before: datetime, until: float) -> int:
    """Run one room's batches, each in a transaction of its own, until nothing is left or the time is over."""
    gone = 0
    while time.monotonic() < until:
        async with runtime.pool.transaction() as connection:
            rows = await one.retire(connection, before, ROWS_AT_ONCE)
        gone += rows
        if rows == 0:
            break
    return gone


async def _tell(runtime: Runtime, gone: dict[str, int]) -> None:
    """Log the chains' ends, which are then known elsewhere too, and note what is gone as an act of the app itself."""
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["ends_of_chains"])).fetchall()
        ends = {row["chain"]: {"place": row["place"], "hash": bytes(row["hash"]).hex()} for row in rows}
        if gone:
            act = Act(ITSELF, "the retention's timer", "older than the settings keep it")
            await act.note(
                connection, "audit.retired", tenant_id=None, subject="old rows", after={"gone": gone, **ends}
            )
    log.info("the audit's chains end here", gone=gone, **ends)


async def _claim(runtime: Runtime, lease: timedelta) -> bool:
    async with runtime.pool.transaction() as connection:
        return await (await connection.execute(SQL["claim_timer"], {"lease": lease})).fetchone() is not None


async def _due_again(runtime: Runtime, wait: timedelta) -> None:
    async with runtime.pool.transaction() as connection:
        await connection.execute(SQL["timer_due_again"], {"wait": wait})
