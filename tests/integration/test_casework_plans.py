"""Pages of casework stay quick with years of lines behind them: every query goes by an index, and each page has few."""

import json
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from psycopg import Rollback

from ocs.access.caller import Caller
from ocs.audit.acts import Act
from ocs.casework import again, jobs
from ocs.casework.line import find_line, line
from ocs.casework.lines import Status, Wanted, history, stores_of
from ocs.casework.pending import pending
from ocs.casework.why import Cause
from ocs.db.pool import Connection
from ocs.db.wall import behind_the_wall
from ocs.delivery import outbox
from ocs.runtime import Runtime
from ocs.tenants.models import Store, TransactionType
from ocs.tenants.read import store_by_id
from tests.integration.many_stores import fill
from tests.integration.pos import rows

LARGE = {"event_lines", "outbox", "delivery_batches", "delivery_attempts", "event_messages"}
MOST_QUERIES = 6
STATES: tuple[Status, ...] = ("pending", "frozen", "parked", "accepted", "superseded")
MIX = """
update event_lines set pos_sku = 'OUR-' || sequence % 50 where sequence % 20 = 0;
update outbox set state = 'parked', parked_cause = 'platform_rejected', parked_reason = 'refused', batch_id = null
 where kind = 'events' and sequence % 500 = 7;
update outbox set state = 'superseded' where kind = 'events' and sequence % 500 = 8;
update outbox set state = 'pending', batch_id = null where kind = 'events' and sequence > 3190;
insert into event_messages (store_id, message_id, tenant_id, transaction_id, transaction_type, inserted_at)
select store_id, message_id, tenant_id, transaction_id, transaction_type, inserted_at from event_lines;
update delivery_streams set due_at = now() where kind = 'events';
analyze
"""


class Explaining:
    """A connection that asks Postgres for the plan of each statement before it runs it."""

    def __init__(self, connection: Connection) -> None:
        """Wrap a connection."""
        self._connection = connection
        self.read_whole: dict[str, set[str]] = {}
        self.queries = 0

    async def execute(self, query: str, words: dict[str, Any] | None = None) -> Any:
        """Run a statement and note which large tables its plan reads from end to end."""
        explained = cast("Any", f"explain (format json) {query}")
        row = await (await self._connection.execute(explained, words)).fetchone()
        assert row is not None
        plan = row["QUERY PLAN"]
        whole = _read_whole(json.loads(plan) if isinstance(plan, str) else plan)
        if whole & LARGE:
            self.read_whole[query] = whole & LARGE
        self.queries += 1
        return await self._connection.execute(cast("Any", query), words)


def _read_whole(node: Any) -> set[str]:
    """Give the tables that a plan reads from end to end."""
    if isinstance(node, list):
        return {name for one in node for name in _read_whole(one)}
    if not isinstance(node, dict):
        return set()
    here = {node["Relation Name"]} if node.get("Node Type") == "Seq Scan" else set()
    return here | {name for value in node.values() for name in _read_whole(value)}


async def test_no_page_reads_a_large_table_from_end_to_end(runtime: Runtime) -> None:
    await fill(runtime, stores=60, days=20)
    async with runtime.pool.transaction() as connection:
        await connection.execute(MIX)
    lines = await rows(runtime, "select count(*) as n from event_lines")
    assert lines[0]["n"] > 200_000
    one = (await rows(runtime, "select * from event_lines where sequence = 1000 limit 1"))[0]
    for tenants in (None, [one["tenant_id"]]):
        with behind_the_wall(tenants):
            async with runtime.pool.transaction() as connection:
                await _try_all(connection, one)
                raise Rollback  # the next turn finds all as it was


async def _try_all(connection: Connection, one: dict[str, Any]) -> None:
    store = await store_by_id(connection, one["store_id"])
    every = await stores_of(connection, None)
    day = timedelta(days=1)
    around = Wanted(recorded_from=one["recorded_at"] - day, recorded_to=one["recorded_at"] + day)
    wanted = [
        Wanted(sku=one["ocs_sku"]),
        Wanted(sku="OUR-0"),
        Wanted(sku="nowhere"),
        Wanted(transaction_id=one["transaction_id"]),
        Wanted(line_id=one["line_id"]),
        Wanted(reference_id="nowhere"),
        Wanted(sku=one["ocs_sku"], status="parked", type=TransactionType.SALE),
        around,
    ]
    in_one_store = [*wanted, Wanted(), *(Wanted(status=status) for status in STATES), Wanted(type=TransactionType.SALE)]
    for of_stores, some in (([one["store_id"]], in_one_store), (every, wanted)):
        for each in some:
            explaining = Explaining(connection)
            page = await history(cast("Connection", explaining), of_stores, each, limit=5)
            _is_well(explaining, each)
            if page["next"]:
                await history(cast("Connection", explaining), of_stores, each, cursor=page["next"], limit=5)
                _is_well(explaining, each)
    await _try_others(connection, store, every, one)


async def _try_others(connection: Connection, store: Store, every: list[UUID], one: dict[str, Any]) -> None:
    explaining = Explaining(connection)
    watched = cast("Connection", explaining)
    act = Act(Caller("ann", "Ann", super_admin=True), "a test")
    assert await find_line(watched, every, one["line_id"]) == store.store_id
    assert len((await line(watched, store, one["line_id"]))["revisions"]) == 1
    _is_well(explaining, "a line")
    for cause in (None, Cause.PLATFORM_REJECTED, Cause.QUEUED):
        explaining.queries = 0
        page = await pending(watched, every, cause, limit=5)
        assert len(page["items"]) == 5
        _is_well(explaining, cause)
    explaining.queries = 0
    parked = await again.find_parked(watched, every, None, None, None)
    accepted = await again.find_accepted(watched, every, one["recorded_at"], one["recorded_at"] + timedelta(hours=1))
    assert (parked.lines > 100, accepted.lines > 100) == (True, True)
    for found in (parked, accepted):
        assert len((await again.sample(watched, found))["sample"]) > 0
    _is_well(explaining, "dry runs")
    explaining.queries = 0
    last = (await rows_of(connection, "select max(sequence) as n from event_lines"))[0]["n"]
    assert (await again.submit(watched, act, store, f"t{last}"))["why"]["cause"] == Cause.QUEUED
    assert len(await again.retry(watched, act, store, [], [7, 507])) == 2
    stream = await outbox.lock(connection, store, "events")
    assert await outbox.replay(watched, stream, [1, 2]) == [1, 2]
    assert (await jobs.job(watched, await jobs.ask(watched, act, parked))) is not None
    assert explaining.read_whole == {}


async def rows_of(connection: Connection, query: str) -> list[dict[str, Any]]:
    """Read as an observer in the open transaction."""
    return await (await connection.execute(cast("Any", query))).fetchall()


def _is_well(explaining: Explaining, what: object) -> None:
    assert explaining.read_whole == {}, what
    assert explaining.queries <= MOST_QUERIES, what
