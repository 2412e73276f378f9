"""Each rule on real rows: it opens one alert where its cause holds, and closes it when the cause is over."""

import asyncio
import json
from typing import Any, LiteralString

import pytest

import function_app
from ocs.alerts import heartbeats, rules
from ocs.alerts.causes import CAUSES, of_tenant
from ocs.alerts.open_close import open_scoped
from ocs.alerts.rules import RULES, evaluate
from ocs.delivery import sender
from ocs.runtime import Runtime
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, SECOND, THIRD, Platform, status
from tests.integration.pos import SKU, UPC, make_due, rows, sell

BAD = "999999_bad___"


async def _change(runtime: Runtime, *statements: LiteralString, **words: object) -> None:
    """Let time pass, or bring about what the surroundings would."""
    async with runtime.pool.transaction() as connection:
        for statement in statements:
            await connection.execute(statement, words)


async def _open(runtime: Runtime) -> list[tuple[str, str]]:
    """Give the open alerts: cause, and what they belong to."""
    found = await rows(
        runtime,
        "select cause, case when store_id is not null then 'store' when connection_id is not null then 'connection' "
        "when tenant_id is not null then 'tenant' else 'platform' end as scope "
        "from alerts where closed_at is null order by alert_id",
    )
    return [(row["cause"], row["scope"]) for row in found]


async def _words(runtime: Runtime) -> str:
    (found,) = await rows(runtime, "select message from alerts where closed_at is null")
    return str(found["message"])


async def _calm_passes(runtime: Runtime) -> None:
    await _change(runtime, "update alerts set last_seen_at = last_seen_at - interval '3 min'")


async def test_on_a_good_day_no_rule_holds(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await evaluate(runtime) == 0
    assert await _open(runtime) == []


async def test_an_open_breaker_is_an_alert_of_its_connection(runtime: Runtime, platform: Platform) -> None:
    """Of the connection, and once, however many stores stand behind it; a blip of seconds is none."""
    platform.answers = [status(500)] * 5
    for number in range(5):
        taken = await sell(runtime, f"T{number}")
        await make_due(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    assert await rows(runtime, "select state from connection_pace") == [{"state": "open"}]
    await evaluate(runtime)
    assert await _open(runtime) == [], "it opened only now"
    await _change(runtime, "update connection_pace set opened_at = opened_at - interval '61 s'")
    await evaluate(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == [("breaker_open", "connection")]
    assert "Stores with something to send: 1." in await _words(runtime)
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await _open(runtime) == [("breaker_open", "connection")], "it closes when it was calm for a while"
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_thousand_stores_behind_one_breaker_are_one_alert(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    await _change(
        runtime,
        "insert into stores (tenant_id, connection_id, crsa, name, time_zone, pos_vendor, pos_vendor_version,"
        " hash_key_name, anchored_at)"
        " select tenant_id, connection_id, 'CRSA' || (5000000 + n), 'Store ' || n, 'America/Toronto', 'v', '1',"
        " 'hash-key', now() from stores cross join generate_series(1, 1000) as n where crsa = 'CRSA1111111'",
        "insert into delivery_streams (store_id, kind, tenant_id, connection_id, last_sequence, due_at)"
        " select store_id, 'events', tenant_id, connection_id, 1, now() from stores where crsa like 'CRSA500%'"
        " or crsa like 'CRSA5001%'",
        "insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, received_at)"
        " select store_id, 'events', 1, tenant_id, gen_random_uuid(), 'pending', now() - interval '9 min'"
        " from delivery_streams where last_sequence = 1 and store_id in"
        " (select store_id from stores where name like 'Store %')",
        "insert into connection_pace"
        " (connection_id, tenant_id, cap, allowed, state, times_opened, opened_at, hold_until)"
        " select connection_id, tenant_id, 2, 1, 'open', 3, now(), now() + interval '1 min' from connections"
        " on conflict (connection_id) do update set state = 'open', times_opened = 3,"
        " hold_until = now() + interval '1 min'",
    )
    assert await evaluate(runtime) == 1
    assert await _open(runtime) == [("breaker_open", "connection")]
    assert "Stores with something to send: 1001." in await _words(runtime)


async def _old_lines(runtime: Runtime, crsa: str, minutes: int) -> None:
    """Let a store's unsent lines be some minutes old."""
    await _change(
        runtime,
        "update outbox set received_at = now() - make_interval(mins => %(minutes)s) where state = 'pending'"
        " and store_id = (select store_id from stores where crsa = %(crsa)s)",
        minutes=minutes,
        crsa=crsa,
    )


async def test_something_unsent_for_five_minutes_is_an_alert_of_its_store(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1")
    await sell(runtime, "T1", store=SECOND)
    await _old_lines(runtime, FIRST, 4)
    await evaluate(runtime)
    assert await _open(runtime) == []
    await _old_lines(runtime, FIRST, 7)
    await evaluate(runtime)
    assert await _open(runtime) == [("oldest_unsent", "store")]
    assert await _words(runtime) == "Something of this store has been waiting to be sent for 7 minutes."
    await _old_lines(runtime, FIRST, 3)
    await evaluate(runtime)
    assert await _open(runtime) == [("oldest_unsent", "store")], "at the edge it does not flap"
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_line_that_the_platform_failed_on_counts_though_it_is_frozen(
    runtime: Runtime, platform: Platform
) -> None:
    platform.answers = [status(500)]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await _change(runtime, "update outbox set received_at = now() - interval '6 min'")
    await evaluate(runtime)
    assert await _open(runtime) == [("oldest_unsent", "store")]


async def test_what_waits_at_many_stores_is_one_alert_of_the_connection_until_none_waits(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MOST_STORES", 1)
    await sell(runtime, "T1")
    await _old_lines(runtime, FIRST, 6)
    await evaluate(runtime)
    for crsa in (SECOND, THIRD):
        await sell(runtime, "T1", store=crsa)
        await _old_lines(runtime, crsa, 9)
    await evaluate(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == [("oldest_unsent", "store"), ("oldest_unsent", "connection")], "none for each of two"
    (whole,) = await rows(runtime, "select message from alerts where connection_id is not null")
    assert whole["message"].startswith("At 3 stores of the connection uat something has been waiting to be sent for up")
    await _change(
        runtime, "update outbox set state = 'superseded' where sequence = 1 and received_at < now() - interval '7 min'"
    )
    await evaluate(runtime)
    assert ("oldest_unsent", "connection") in await _open(runtime), "one is left"
    await _change(runtime, "update outbox set state = 'superseded'")
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_store_that_is_switched_off_or_waits_for_its_first_position_is_not_waited_for(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    await sell(runtime, "T1", store=SECOND)
    await _old_lines(runtime, FIRST, 60)
    await _old_lines(runtime, SECOND, 60)
    await _change(
        runtime,
        "update stores set reporting = false where crsa = 'CRSA1111111'",
        "update stores set anchored_at = null where crsa = 'CRSA2222222'",
    )
    assert await evaluate(runtime) == 0


async def _calls(runtime: Runtime, accepted: int, rejected: int) -> None:
    """Let an hour's calls have ended so."""
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await _change(
        runtime,
        "delete from delivery_attempts where attempt_id not in (select min(attempt_id) from delivery_attempts)",
        "insert into delivery_attempts"
        " (batch_id, store_id, tenant_id, connection_id, fence, lines, finished_at, outcome)"
        " select batch_id, store_id, tenant_id, connection_id, 1, 1, now() - interval '10 min',"
        " case when n > %(rejected)s then 'accepted' else 'upstream' end"
        " from delivery_attempts cross join generate_series(2, %(calls)s) as n",
        rejected=rejected + 1,
        calls=accepted + rejected,
    )


@pytest.mark.parametrize(
    ("accepted", "rejected", "opens"), [(94, 6, True), (95, 5, False), (18, 1, False), (18, 2, True)]
)
async def test_the_success_rate_of_an_hour_is_looked_at_from_twenty_calls_on(
    runtime: Runtime, accepted: int, rejected: int, *, opens: bool
) -> None:
    await _calls(runtime, accepted, rejected)
    await evaluate(runtime)
    assert await _open(runtime) == ([("success_rate_low", "connection")] if opens else [])


async def test_a_low_success_rate_is_over_when_97_of_100_are_accepted(runtime: Runtime) -> None:
    await _calls(runtime, 94, 6)
    await evaluate(runtime)
    assert "Of the last hour's 100 calls to the OCS platform on the connection uat, 94.0 %" in await _words(runtime)
    await _change(
        runtime,
        "delete from delivery_attempts where attempt_id in"
        " (select attempt_id from delivery_attempts where outcome = 'upstream' limit 2)",
    )
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == [("success_rate_low", "connection")], "95.9 % would open none, and keeps one"
    await _change(runtime, "delete from delivery_attempts where outcome = 'upstream'")
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_sales_that_take_over_five_seconds_are_an_alert(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1", lines=40)
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await _open(runtime) == []
    await _change(runtime, "update outbox set received_at = settled_at - interval '5.4 s' where sequence > 30")
    await evaluate(runtime)
    assert await _open(runtime) == [("latency_high", "connection")]
    assert "Of the last 40 sales on the connection uat, one in twenty took 5.4 s or more" in await _words(runtime)
    await _change(runtime, "update outbox set received_at = settled_at - interval '4.4 s' where sequence > 30")
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == [("latency_high", "connection")], "at the edge it does not flap"
    await _change(runtime, "update outbox set received_at = settled_at - interval '1 s'")
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_refused_line_is_an_alert_until_it_is_corrected(runtime: Runtime, platform: Platform) -> None:
    platform.refused_skus = {BAD}
    line_id = "6a1e6c5e-8f5e-4a39-9a3b-0d1f7a3c2b11"
    item: dict[str, Any] = {"line_id": line_id, "upc": UPC, "quantity": 1, "unit_price": "5"}
    taken = await sell(runtime, "T1", items=[item | {"ocs_sku": BAD}])
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await _open(runtime) == [("lines_refused", "store")]
    assert "send them again: 1. The newest: The OCS platform refused this line: HTTP 400" in await _words(runtime)
    await sell(runtime, "T1", items=[item | {"ocs_sku": SKU}])
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_dead_letters_are_an_alert_of_their_tenant_or_of_the_platform(runtime: Runtime) -> None:
    await _change(
        runtime,
        "insert into dead_letters (queue, message_id, body, cause, reason, inserted_at)"
        " values ('pos-transactions', 'm1', 'x', 'message', 'not JSON', now())",
        "insert into dead_letters (queue, message_id, tenant_id, body, cause, reason, inserted_at)"
        " select 'pos-transactions', 'm2', tenant_id, 'x', 'message', 'no such store', now() from tenants",
    )
    await evaluate(runtime)
    assert sorted(await _open(runtime)) == [("dead_letters", "platform"), ("dead_letters", "tenant")]
    await _change(runtime, "update dead_letters set state = 'redriven' where tenant_id is not null")
    await evaluate(runtime)
    assert await _open(runtime) == [("dead_letters", "platform")]
    assert (await _words(runtime)).endswith("wait in the dead letters: 1. The newest: not JSON")
    await _change(runtime, "update dead_letters set state = 'redriven'")
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_poison_queue_that_nobody_empties_is_an_alert(runtime: Runtime) -> None:
    await runtime.queues.put("pos-transactions-poison", "x")
    await evaluate(runtime)
    assert await _open(runtime) == [], "its listener may be about to look"
    await _change(runtime, "update queue_depths set since = since - interval '6 min'")
    await evaluate(runtime)
    assert await _open(runtime) == [("poison_depth", "platform")]
    assert "pos-transactions-poison (1)" in await _words(runtime)
    runtime.queues.messages.clear()  # type: ignore[attr-defined] # the queues in memory
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_timer_that_falls_silent_is_an_alert_and_so_is_one_that_never_ran(runtime: Runtime) -> None:
    await evaluate(runtime)
    await _change(
        runtime,
        "update timer_heartbeats set seen_at = seen_at - interval '10 min' where timer <> 'alerts'",
        "update timer_heartbeats set since = since - interval '10 min' where timer = 'alerts'",
    )
    await evaluate(runtime)
    assert await _open(runtime) == [("no_heartbeat", "platform")]
    assert "sweep (last seen" in await _words(runtime)
    assert "make_positions" not in await _words(runtime), "it may be silent for longer"
    await heartbeats.tick(runtime, "sweep")
    await _calm_passes(runtime)
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_after_the_app_was_down_its_timers_are_given_time_to_begin(runtime: Runtime) -> None:
    """Were the silence of a stopped app counted, every start would begin with an alert."""
    await evaluate(runtime)
    await _change(
        runtime, "update timer_heartbeats set seen_at = seen_at - interval '9 h', since = since - interval '20 h'"
    )
    assert await evaluate(runtime) == 0


async def test_a_catalogue_that_could_not_be_read_is_an_alert_of_the_platform(runtime: Runtime) -> None:
    await _change(
        runtime,
        "insert into catalogue_syncs (environment, state, asked_by, said, finished_at)"
        " values ('uat', 'suspicious', 'timer', 'less than half was there', now())",
    )
    await evaluate(runtime)
    assert await _open(runtime) == [("catalogue_unread", "platform")]
    assert "uat: suspicious, less than half was there" in await _words(runtime)
    await _change(runtime, "insert into catalogue_syncs (environment, asked_by) values ('uat', 'timer')")
    await evaluate(runtime)
    assert await _open(runtime) == [("catalogue_unread", "platform")], "the next reading only began"
    await _change(runtime, "update catalogue_syncs set state = 'done' where state = 'running'")
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_destination_that_takes_nothing_for_an_hour_is_an_alert_of_its_tenant(runtime: Runtime) -> None:
    await _change(
        runtime,
        "insert into alert_destinations (tenant_id, kind, target, made_by, failing_since, last_problem)"
        " select tenant_id, 'email', 'a@b.example', 'x', now() - interval '61 min', 'refused' from tenants",
    )
    await evaluate(runtime)
    assert await _open(runtime) == [("alerts_undelivered", "tenant")]
    assert (await _words(runtime)).endswith("a@b.example: refused")
    await _change(runtime, "update alert_destinations set failing_since = null")
    await evaluate(runtime)
    assert await _open(runtime) == []


async def test_a_wrong_signature_fades_an_hour_after_the_last_one(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
        await open_scoped(connection, of_tenant(store.tenant_id), "bad_signature", "One came.", {"messages": 1})
    await _change(runtime, "update alerts set last_seen_at = last_seen_at - interval '59 min'")
    await evaluate(runtime)
    assert await _open(runtime) == [("bad_signature", "tenant")]
    async with runtime.pool.transaction() as connection:
        await open_scoped(connection, of_tenant(store.tenant_id), "bad_signature", "Another came.")
    await _change(runtime, "update alerts set last_seen_at = last_seen_at - interval '59 min'")
    await evaluate(runtime)
    assert await _open(runtime) == [("bad_signature", "tenant")]
    await _change(runtime, "update alerts set last_seen_at = last_seen_at - interval '2 min'")
    assert await evaluate(runtime) == 1
    assert await _open(runtime) == []


async def test_a_rule_that_fails_stops_no_other(runtime: Runtime) -> None:
    await _change(
        runtime,
        "alter table connection_pace rename to connection_pace_of_before",
        "drop view connection_breakers",
        "insert into dead_letters (queue, message_id, body, cause, reason, inserted_at)"
        " values ('pos-transactions', 'm1', 'x', 'message', 'not JSON', now())",
    )
    await evaluate(runtime)
    assert await _open(runtime) == [("dead_letters", "platform")]


async def test_two_evaluations_at_once_open_one_alert(runtime: Runtime) -> None:
    await _change(
        runtime,
        "insert into dead_letters (queue, message_id, body, cause, reason, inserted_at)"
        " values ('pos-transactions', 'm1', 'x', 'message', 'not JSON', now())",
    )
    changed = await asyncio.gather(evaluate(runtime), evaluate(runtime))
    assert sum(changed) == 1
    assert await _open(runtime) == [("dead_letters", "platform")]


def test_every_rule_has_its_cause_and_its_query() -> None:
    assert {rule.cause for rule in RULES} <= CAUSES.keys()
    assert all("opens" in rule.query for rule in RULES)


def test_the_poison_queues_are_those_of_the_app() -> None:
    bindings = [json.loads(one.get_function_json())["bindings"][0] for one in function_app.app.get_functions()]
    poison = {one["queueName"] for one in bindings if str(one.get("queueName")).endswith("-poison")}
    assert set(rules.POISON_QUEUES) == poison
