"""Each rule on delivery, on real rows: it opens one alert where its cause holds, and closes it when that is over."""

from typing import Any

import pytest

from ocs.alerts import rules
from ocs.alerts.rules import evaluate
from ocs.delivery import sender
from ocs.runtime import Runtime
from tests.integration.alerting import calm_passes, change, opened, said
from tests.integration.platform import FIRST, SECOND, THIRD, Platform, status
from tests.integration.pos import SKU, UPC, make_due, rows, sell

BAD = "999999_bad___"


async def test_on_a_good_day_no_rule_holds(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    assert await evaluate(runtime) == 0
    assert await opened(runtime) == []


async def test_an_open_breaker_is_an_alert_of_its_connection(runtime: Runtime, platform: Platform) -> None:
    """Of the connection, and once, however many stores stand behind it; a blip of seconds is none."""
    platform.answers = [status(500)] * 5
    for number in range(5):
        taken = await sell(runtime, f"T{number}")
        await make_due(runtime)
        await sender.answer_bell(runtime, taken.store_id)
    assert await rows(runtime, "select state from connection_pace") == [{"state": "open"}]
    await evaluate(runtime)
    assert await opened(runtime) == [], "it opened only now"
    await change(runtime, "update connection_pace set opened_at = opened_at - interval '61 s'")
    await evaluate(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == [("breaker_open", "connection")]
    assert "Stores with something to send: 1." in await said(runtime)
    await make_due(runtime)
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await opened(runtime) == [("breaker_open", "connection")], "it closes when it was calm for a while"
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_thousand_stores_behind_one_breaker_are_one_alert(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    await change(
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
    assert await opened(runtime) == [("breaker_open", "connection")]
    assert "Stores with something to send: 1001." in await said(runtime)


async def test_when_most_connections_are_not_answered_the_operator_is_told_once(runtime: Runtime) -> None:
    """Each tenant is told of its own connection; the operator of all of them, in one alert."""
    await change(
        runtime,
        "insert into connections"
        " (tenant_id, name, environment, base_url, token_url, scope, client_id, client_secret_name)"
        " select tenant_id, 'c' || n, environment, base_url, token_url, scope, client_id, client_secret_name"
        " from connections cross join generate_series(1, 3) as n",
        "insert into connection_pace (connection_id, tenant_id, cap, allowed, state, times_opened)"
        " select connection_id, tenant_id, 2, 1, case when name in ('c1', 'c2') then 'open' else 'closed' end, 2"
        " from connections",
    )
    await evaluate(runtime)
    assert await opened(runtime) == [("breaker_open", "connection")] * 2, "two are not most"
    await change(
        runtime,
        "update connection_pace set state = 'open' where connection_id in"
        " (select connection_id from connections where name = 'c3')",
    )
    await evaluate(runtime)
    assert sorted(await opened(runtime)) == [("breaker_open", "connection")] * 3 + [("breaker_open", "platform")]
    (whole,) = await rows(runtime, "select message from alerts where tenant_id is null")
    assert whole["message"].startswith("The OCS platform does not answer on 3 of 4 connections.")


async def _old_lines(runtime: Runtime, crsa: str, minutes: int) -> None:
    """Let a store's unsent lines be some minutes old."""
    await change(
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
    assert await opened(runtime) == []
    await _old_lines(runtime, FIRST, 7)
    await evaluate(runtime)
    assert await opened(runtime) == [("oldest_unsent", "store")]
    assert await said(runtime) == "Something of this store has been waiting to be sent for 7 minutes."
    await _old_lines(runtime, FIRST, 3)
    await evaluate(runtime)
    assert await opened(runtime) == [("oldest_unsent", "store")], "at the edge it does not flap"
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_line_that_the_platform_failed_on_counts_though_it_is_frozen(
    runtime: Runtime, platform: Platform
) -> None:
    platform.answers = [status(500)]
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await change(runtime, "update outbox set received_at = now() - interval '6 min'")
    await evaluate(runtime)
    assert await opened(runtime) == [("oldest_unsent", "store")]


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
    assert await opened(runtime) == [("oldest_unsent", "store"), ("oldest_unsent", "connection")], (
        "none for each of two"
    )
    (whole,) = await rows(runtime, "select message from alerts where connection_id is not null")
    assert whole["message"].startswith("At 3 stores of the connection uat something has been waiting to be sent for up")
    await change(
        runtime, "update outbox set state = 'superseded' where sequence = 1 and received_at < now() - interval '7 min'"
    )
    await evaluate(runtime)
    assert ("oldest_unsent", "connection") in await opened(runtime), "one is left"
    await change(runtime, "update outbox set state = 'superseded'")
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_store_that_is_switched_off_or_waits_for_its_first_position_is_not_waited_for(runtime: Runtime) -> None:
    await sell(runtime, "T1")
    await sell(runtime, "T1", store=SECOND)
    await _old_lines(runtime, FIRST, 60)
    await _old_lines(runtime, SECOND, 60)
    await change(
        runtime,
        "update stores set reporting = false where crsa = 'CRSA1111111'",
        "update stores set anchored_at = null where crsa = 'CRSA2222222'",
    )
    assert await evaluate(runtime) == 0


async def _calls(runtime: Runtime, accepted: int, rejected: int) -> None:
    """Let an hour's calls have ended so."""
    taken = await sell(runtime, "T1")
    await sender.answer_bell(runtime, taken.store_id)
    await change(
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
    assert await opened(runtime) == ([("success_rate_low", "connection")] if opens else [])


async def test_a_low_success_rate_is_over_when_97_of_100_are_accepted(runtime: Runtime) -> None:
    await _calls(runtime, 94, 6)
    await evaluate(runtime)
    assert "Of the last hour's 100 calls to the OCS platform on the connection uat, 94.0 %" in await said(runtime)
    await change(
        runtime,
        "delete from delivery_attempts where attempt_id in"
        " (select attempt_id from delivery_attempts where outcome = 'upstream' limit 2)",
    )
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == [("success_rate_low", "connection")], "95.9 % would open none, and keeps one"
    await change(runtime, "delete from delivery_attempts where outcome = 'upstream'")
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_sales_that_take_over_five_seconds_are_an_alert(runtime: Runtime) -> None:
    taken = await sell(runtime, "T1", lines=40)
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await opened(runtime) == []
    await change(runtime, "update outbox set received_at = settled_at - interval '5.4 s' where sequence > 30")
    await evaluate(runtime)
    assert await opened(runtime) == [("latency_high", "connection")]
    assert "Of the last 40 sales on the connection uat, one in twenty took 5.4 s or more" in await said(runtime)
    await change(runtime, "update outbox set received_at = settled_at - interval '4.4 s' where sequence > 30")
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == [("latency_high", "connection")], "at the edge it does not flap"
    await change(runtime, "update outbox set received_at = settled_at - interval '1 s'")
    await calm_passes(runtime)
    await evaluate(runtime)
    assert await opened(runtime) == []


async def test_a_refused_line_is_an_alert_until_it_is_corrected(runtime: Runtime, platform: Platform) -> None:
    platform.refused_skus = {BAD}
    line_id = "6a1e6c5e-8f5e-4a39-9a3b-0d1f7a3c2b11"
    item: dict[str, Any] = {"line_id": line_id, "upc": UPC, "quantity": 1, "unit_price": "5"}
    taken = await sell(runtime, "T1", items=[item | {"ocs_sku": BAD}])
    await sender.answer_bell(runtime, taken.store_id)
    await evaluate(runtime)
    assert await opened(runtime) == [("lines_refused", "store")]
    assert "send them again: 1. The newest: The OCS platform refused this line: HTTP 400" in await said(runtime)
    await sell(runtime, "T1", items=[item | {"ocs_sku": SKU}])
    await evaluate(runtime)
    assert await opened(runtime) == []
