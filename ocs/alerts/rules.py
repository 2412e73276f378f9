"""The rules by which alerts open and close by themselves: SQL over views, looked at every half minute.

A rule's query gives the places where its cause holds now. A row that is not bad enough to open an alert (`opens` is
false) keeps one open that is: the distance between the two is what stops a value at the edge from flapping. Beyond
that an alert stays open until its cause was not found for the rule's `calm`. When a cause holds at more than
MOST_STORES stores of one connection, it becomes one alert of the connection.

A missed run is made up for by the next one; a doubled one finds the rule taken, or nothing to change. A death between
two rules leaves the rest to the next run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, LiteralString

from ocs import telemetry
from ocs.alerts import heartbeats
from ocs.alerts.causes import CAUSES, Scope, of_connection
from ocs.alerts.open_close import SQL, Finding, close_each, open_all
from ocs.db.pool import Connection
from ocs.errors import QueueUnavailable
from ocs.runtime import Runtime

log = telemetry.logger("alerts")
MOST_STORES = 5
"""A cause that holds at more stores of one connection than this is the connection's, not theirs."""
LONGEST_QUERY = timedelta(seconds=20)
POISON_QUEUES = ("ocs-deliveries-poison", "pos-inventories-poison", "pos-transactions-poison")
Words = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Rule:
    """A cause, the query that finds it, and the sentences made of the facts that the query gives."""

    cause: str
    sentence: str
    of_many: str | None = None
    """What is said of a connection with `stores` such stores; None: each store's is a matter of its own."""
    calm: timedelta = timedelta(minutes=2)
    words: Words = dict

    @property
    def query(self) -> LiteralString:
        """The query, which is named as the cause."""
        return SQL[self.cause]


def _timers() -> dict[str, Any]:
    silences = heartbeats.LONGEST_SILENCES
    return {"timers": list(silences), "silences": list(silences.values()), "own": "watch"}


RULES = (
    Rule(
        "breaker_open",
        "The OCS platform does not answer on {where}. Stores with something to send: {stores}. "
        "Nothing is lost: all of it is sent when the platform is back.",
    ),
    Rule(
        "oldest_unsent",
        "Something of this store has been waiting to be sent for {minutes} minutes.",
        of_many="At {stores} stores of the connection {connection} something has been waiting to be sent for up to "
        "{minutes} minutes.",
        calm=timedelta(0),
    ),
    Rule(
        "success_rate_low",
        "Of the last hour's {calls} calls to the OCS platform on the connection {connection}, {percent} % were "
        "accepted; 95 % or more is usual.",
    ),
    Rule(
        "latency_high",
        "Of the last {lines} sales on the connection {connection}, one in twenty took {seconds} s or more to be "
        "accepted; 5 s or less is usual.",
    ),
    Rule(
        "lines_refused",
        "Lines of this store that wait for a person to correct them or send them again: {lines}. The newest: {reason}",
        calm=timedelta(0),
    ),
    Rule(
        "dead_letters",
        "Messages from a POS that could not be taken in and wait in the dead letters: {letters}. The newest: {reason}",
        calm=timedelta(0),
    ),
    Rule("poison_depth", "Messages that failed five times are not being looked after: {queues}."),
    Rule("no_heartbeat", "What should run by itself does not: {timers}.", words=_timers),
    Rule(
        "catalogue_unread",
        "The item catalogue could not be read, so new items may be unknown. {readings}",
        calm=timedelta(0),
    ),
    Rule("alerts_undelivered", "Alerts have not got through for over an hour to {targets}", calm=timedelta(0)),
)


@dataclass(frozen=True)
class Held:
    """A row of a rule's query: a finding, the connection that it is part of, and whether it may open an alert."""

    finding: Finding
    connection: Scope | None
    opens: bool


@dataclass(frozen=True)
class OpenAlert:
    """An alert of a cause that is open; of a store's, `connection` is the connection's scope."""

    alert_id: int
    scope: Scope
    connection: Scope | None
    seconds_since_seen: float


@dataclass(frozen=True)
class Changes:
    """What an evaluation does: open or freshen these, close those."""

    found: tuple[Finding, ...]
    over: tuple[int, ...]


async def evaluate(runtime: Runtime) -> int:
    """Look at every rule; gives how many alerts were opened or closed. A rule that fails stops no other."""
    async with runtime.pool.transaction() as connection:
        await heartbeats.expect(connection)
        await heartbeats.beat(connection, "watch")
    await _measure_queues(runtime)
    changed = 0
    for rule in RULES:
        try:
            async with runtime.pool.transaction() as connection:
                changed += await _apply(connection, rule)
        except Exception:  # whatever it is, the other rules and the next run must not suffer from it
            log.exception("a rule could not be looked at", cause=rule.cause)
    return changed + await _close_faded(runtime)


async def _apply(connection: Connection, rule: Rule) -> int:
    words = {"cause": rule.cause, "milliseconds": str(int(LONGEST_QUERY.total_seconds() * 1000))}
    row = await (await connection.execute(SQL["one_at_a_time"], words)).fetchone()
    if row is None or not row["taken"]:
        return 0
    rows = await (await connection.execute(rule.query, rule.words())).fetchall()
    opened = await (await connection.execute(SQL["open_of_cause"], {"cause": rule.cause})).fetchall()
    changes = decide(rule, [_held(rule, one) for one in rows], [_open(one) for one in opened])
    count = await open_all(connection, rule.cause, changes.found) if changes.found else 0
    return count + (await close_each(connection, changes.over) if changes.over else 0)


def decide(rule: Rule, held: Sequence[Held], opened: Sequence[OpenAlert]) -> Changes:
    """Give what must change: pure, so that it can be tried on everything."""
    known = {alert.scope for alert in opened}
    many = _of_many(rule, held, known)
    folded = {finding.scope for finding in many}
    found = [one.finding for one in held if one.finding.scope in known or (one.opens and one.connection not in folded)]
    found += many
    still = {finding.scope for finding in found}
    over = [
        alert.alert_id
        for alert in opened
        if alert.scope not in still and alert.seconds_since_seen >= rule.calm.total_seconds()
    ]
    return Changes(tuple(found), tuple(over))


def _of_many(rule: Rule, held: Sequence[Held], known: set[Scope]) -> list[Finding]:
    """Give the connections' own findings: new ones for many stores, and those that are open while any store is left."""
    if rule.of_many is None:
        return []
    by_connection: dict[Scope, list[Held]] = {}
    for one in held:
        if one.connection is not None and one.finding.scope.store_id is not None:
            by_connection.setdefault(one.connection, []).append(one)
    findings = []
    for scope, stores in by_connection.items():
        fresh = [one for one in stores if one.opens and one.finding.scope not in known]
        if scope in known or (fresh and len([one for one in stores if one.opens]) > MOST_STORES):
            worst = max((one.finding.facts for one in stores), key=lambda facts: float(facts.get("minutes", 0)))
            facts = {**worst, "stores": len(stores)}
            findings.append(Finding(scope, rule.of_many.format(**facts), facts))
    return findings


def _held(rule: Rule, row: Mapping[str, Any]) -> Held:
    facts = row["facts"]
    of_whole = row["connection_id"] and of_connection(row["tenant_id"], row["connection_id"])
    store = row["store_id"] and Scope(tenant_id=row["tenant_id"], store_id=row["store_id"])
    scope = store or of_whole or Scope(tenant_id=row["tenant_id"])
    return Held(Finding(scope, rule.sentence.format(**facts), facts), of_whole or None, row["opens"])


def _open(row: Mapping[str, Any]) -> OpenAlert:
    of_whole = of_connection(row["tenant_id"], row["connection_id"]) if row["connection_id"] else None
    store = Scope(tenant_id=row["tenant_id"], store_id=row["store_id"]) if row["store_id"] else None
    scope = store or of_whole or Scope(tenant_id=row["tenant_id"])
    return OpenAlert(row["alert_id"], scope, of_whole, row["seconds_since_seen"])


async def _measure_queues(runtime: Runtime) -> None:
    """Keep how long the poison queues are; what cannot be asked stays as it was."""
    lengths: dict[str, int] = {}
    for queue in POISON_QUEUES:
        try:
            lengths[queue] = await runtime.queues.approximate_length(queue)
        except QueueUnavailable as error:
            log.warning("a queue could not be measured", queue=queue, said=str(error))
    if lengths:
        words = {"queues": list(lengths), "lengths": list(lengths.values())}
        async with runtime.pool.transaction() as connection:
            await connection.execute(SQL["save_depths"], words)


async def _close_faded(runtime: Runtime) -> int:
    fading = {name: cause.fades for name, cause in CAUSES.items() if cause.fades is not None}
    words = {"causes": list(fading), "waits": list(fading.values())}
    async with runtime.pool.transaction() as connection:
        rows = await (await connection.execute(SQL["faded_alerts"], words)).fetchall()
        return await close_each(connection, [row["alert_id"] for row in rows]) if rows else 0
