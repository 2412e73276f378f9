"""Each rule on what surrounds delivery, on real rows; and what all rules have in common."""

import asyncio
import json
from typing import Any

from ocs.alerts import heartbeats, rules
from ocs.alerts.causes import CAUSES, of_tenant
from ocs.alerts.open_close import open_scoped
from ocs.alerts.rules import RULES, evaluate
from ocs.runtime import Runtime
from tests.integration.alerting import a_store, calm_passes, change, opened, said
from tests.integration.pos import sell
from tests.rules.test_functions import FUNCTIONS


async def test_dead_letters_are_an_alert_of_their_tenant_or_of_the_platform(runtime: Runtime) -> None:
    await change(
        runtime,
        "insert into dead_letters (queue, message_id, body, cause, reason, inserted_at)"
        " values ('pos-transactions', 'm1', 'x', 'message', 'not JSON', now())",
        "insert into dead_letters (queue, message_id, tenant_id, body, cause, reason, inserted_at)"
        " select 'pos-transactions', 'm2', tenant_id, 'x', 'message', 'no such store', now() from tenants",
    )
    await evaluate(runtime)
    assert sorted(await opened(runtime)) == [("dead_letters", "platform"), ("dead_letters", "tenant")]
    await change(runtime, "update dead_letters set state = 'redriven' where tenant_id is not null")
    await evaluate(runtime)
    assert await opened(runtime) == [("dead_letters", "platform")]
    assert (await said(runtime)).endswith("wait in the dead letters: 1. The newest: not JSON")
    await change(runtime, "update dead_letters set state = 'redriven'")
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_poison_queue_that_nobody_empties_is_an_alert(runtime: Runtime) -> None:
    await runtime.queues.put("pos-transactions-poison", "x")
    await evaluate(runtime)
    assert await opened(runtime) == [], "its listener may be about to look"
    await change(runtime, "update queue_depths set since = since - interval '6 min'")
    await evaluate(runtime)
    assert await opened(runtime) == [("poison_depth", "platform")]
    assert "pos-transactions-poison (1)" in await said(runtime)
    runtime.queues.messages.clear()  # type: ignore[attr-defined] # the queues in memory
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_timer_that_falls_silent_is_an_alert_and_so_is_one_that_never_ran(runtime: Runtime) -> None:
    await evaluate(runtime)
    await change(
        runtime,
        "update timer_heartbeats set seen_at = seen_at - interval '10 min' where timer <> 'watch'",
        "update timer_heartbeats set since = since - interval '10 min' where timer = 'watch'",
    )
    await evaluate(runtime)
    assert await opened(runtime) == [("no_heartbeat", "platform")]
    assert "sweep (last seen" in await said(runtime)
    assert "make_positions" not in await said(runtime), "it may be silent for longer"
    await heartbeats.tick(runtime, "sweep")
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_after_the_app_was_down_its_timers_are_given_time_to_begin(runtime: Runtime) -> None:
    """Were the silence of a stopped app counted, every start would begin with an alert."""
    await evaluate(runtime)
    await change(
        runtime, "update timer_heartbeats set seen_at = seen_at - interval '9 h', since = since - interval '20 h'"
    )
    assert await evaluate(runtime) == 0


async def test_a_catalogue_that_could_not_be_read_is_an_alert_of_the_platform(runtime: Runtime) -> None:
    await change(
        runtime,
        "insert into catalogue_syncs (environment, state, asked_by, said, finished_at)"
        " values ('uat', 'suspicious', 'timer', 'less than half was there', now())",
    )
    await evaluate(runtime)
    assert await opened(runtime) == [("catalogue_unread", "platform")]
    assert "uat: suspicious, less than half was there" in await said(runtime)
    await change(runtime, "insert into catalogue_syncs (environment, asked_by) values ('uat', 'timer')")
    await evaluate(runtime)
    assert await opened(runtime) == [("catalogue_unread", "platform")], "the next reading only began"
    await change(runtime, "update catalogue_syncs set state = 'done' where state = 'running'")
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_destination_that_takes_nothing_for_an_hour_is_an_alert_of_its_tenant(runtime: Runtime) -> None:
    await change(
        runtime,
        "insert into alert_destinations (tenant_id, kind, target, made_by, failing_since, last_problem)"
        " select tenant_id, 'email', 'a@b.example', 'x', now() - interval '61 min', 'refused' from tenants",
    )
    await evaluate(runtime)
    assert await opened(runtime) == [("alerts_undelivered", "tenant")]
    assert (await said(runtime)).endswith("a@b.example: refused")
    await change(runtime, "update alert_destinations set failing_since = null")
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_wrong_signature_fades_an_hour_after_the_last_one(runtime: Runtime) -> None:
    store = await a_store(runtime)
    async with runtime.pool.transaction() as connection:
        await open_scoped(connection, of_tenant(store.tenant_id), "bad_signature", "One came.", {"messages": 1})
    await change(runtime, "update alerts set last_seen_at = last_seen_at - interval '59 min'")
    await evaluate(runtime)
    assert await opened(runtime) == [("bad_signature", "tenant")]
    async with runtime.pool.transaction() as connection:
        await open_scoped(connection, of_tenant(store.tenant_id), "bad_signature", "Another came.")
    await change(runtime, "update alerts set last_seen_at = last_seen_at - interval '59 min'")
    await evaluate(runtime)
    assert await opened(runtime) == [("bad_signature", "tenant")]
    await change(runtime, "update alerts set last_seen_at = last_seen_at - interval '2 min'")
    assert await evaluate(runtime) == 1
    assert await opened(runtime) == []


async def test_a_rule_that_fails_stops_no_other(runtime: Runtime) -> None:
    await change(
        runtime,
        "alter table connection_pace rename to connection_pace_of_before",
        "drop view connection_breakers",
        "insert into dead_letters (queue, message_id, body, cause, reason, inserted_at)"
        " values ('pos-transactions', 'm1', 'x', 'message', 'not JSON', now())",
    )
    await evaluate(runtime)
    assert await opened(runtime) == [("dead_letters", "platform")]


async def test_two_evaluations_at_once_open_one_alert(runtime: Runtime) -> None:
    await change(
        runtime,
        "insert into dead_letters (queue, message_id, body, cause, reason, inserted_at)"
        " values ('pos-transactions', 'm1', 'x', 'message', 'not JSON', now())",
    )
    changed = await asyncio.gather(evaluate(runtime), evaluate(runtime))
    assert sum(changed) == 1
    assert await opened(runtime) == [("dead_letters", "platform")]


def test_every_timer_of_the_app_is_listened_for() -> None:
    bindings = {one.get_function_name(): json.loads(one.get_function_json())["bindings"][0] for one in FUNCTIONS}
    timers = {name for name, binding in bindings.items() if binding["type"] == "timerTrigger"}
    assert set(heartbeats.LONGEST_SILENCES) == timers


def test_every_rule_has_its_cause_and_its_query() -> None:
    assert {rule.cause for rule in RULES} <= CAUSES.keys()
    assert all("opens" in rule.query for rule in RULES)


def test_the_poison_queues_are_those_of_the_app() -> None:
    bindings = [json.loads(one.get_function_json())["bindings"][0] for one in FUNCTIONS]
    poison = {one["queueName"] for one in bindings if str(one.get("queueName")).endswith("-poison")}
    assert set(rules.POISON_QUEUES) == poison


BIG = frozenset({"outbox", "delivery_attempts", "delivery_batches", "event_lines"})


def _read_whole(plan: dict[str, Any]) -> set[str]:
    """Give the big tables that a plan reads from one end to the other."""
    own = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return (own & BIG).union(*(_read_whole(part) for part in plan.get("Plans", [])))


async def test_no_rule_reads_the_whole_history(runtime: Runtime) -> None:
    """However many lines lie behind: every rule finds what it needs by an index."""
    await sell(runtime, "T1")
    await change(
        runtime,
        "insert into delivery_batches"
        " (store_id, kind, tenant_id, first_sequence, last_sequence, lines, state, settled_at)"
        " select store_id, kind, tenant_id, n, n, 10, 'accepted', now() - n * interval '1 min'"
        " from delivery_streams cross join generate_series(2, 3000) as n",
        "insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, batch_id, received_at, settled_at)"
        " select store_id, kind, 10 * first_sequence + n, tenant_id, gen_random_uuid(), 'accepted', batch_id,"
        " settled_at, settled_at from delivery_batches cross join generate_series(1, 10) as n where state = 'accepted'",
        "insert into delivery_attempts"
        " (batch_id, store_id, tenant_id, connection_id, fence, lines, finished_at, outcome)"
        " select b.batch_id, store_id, tenant_id, s.connection_id, 1, 10, b.settled_at, 'accepted'"
        " from delivery_batches b join stores s using (store_id, tenant_id) where state = 'accepted'",
    )
    found: dict[str, set[str]] = {}
    async with runtime.pool.transaction() as connection:
        await connection.execute("analyze outbox, delivery_batches, delivery_attempts")
        for rule in RULES:
            asked = await connection.execute(f"explain (format json) {rule.query}", rule.words())
            (row,) = await asked.fetchall()
            found[rule.cause] = _read_whole(row["QUERY PLAN"][0]["Plan"])
    assert {cause: tables for cause, tables in found.items() if tables} == {}
