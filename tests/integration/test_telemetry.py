"""A trace goes from the queue's message to the regulator's reference id; metrics are read from the database."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.trace import StatusCode
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from ocs.dead_letters import doors
from ocs.delivery import sender
from ocs.events.ingest import TRANSACTIONS
from ocs.runtime import Runtime
from ocs.status import metrics
from ocs.telemetry.logs import add_trace
from ocs.tenants.read import store_of
from tests.integration.platform import CROL, FIRST, Platform, cut, status
from tests.integration.pos import SKU, UPC, make_due, message, rows, sell, transaction
from tests.telling import Told, told as catching

POST = "POST /func/PosInventoryEventHttpTrigger"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    """Catch what the app tells; no measurement was made before."""
    monkeypatch.setattr(metrics._Last, "at", float("-inf"))  # noqa: SLF001 - a process of its own for each test
    with catching() as caught:
        yield caught


async def _receive(runtime: Runtime, number: str, **words: Any) -> None:
    await doors.receive(runtime, TRANSACTIONS, message(transaction(number, **words), f"message-{number}"))


async def _deliver(runtime: Runtime) -> None:
    async with runtime.pool.transaction() as connection:
        store = await store_of(connection, CROL, FIRST)
    assert store is not None
    await sender.answer_bell(runtime, store.store_id)


async def test_one_trace_from_the_message_to_the_reference_id(runtime: Runtime, told: Told) -> None:
    """A sale that is delivered by itself is one trace: message, delivery, call."""
    await _receive(runtime, "T1")
    await _deliver(runtime)
    [taken], [delivered], [call] = (
        told.spans("process pos-transactions"),
        told.spans("deliver events"),
        told.spans(POST),
    )
    assert taken.attributes is not None
    assert taken.attributes["messaging.message.id"] == "message-T1"
    assert taken.attributes["ocs.lines.new"] == 1
    assert delivered.attributes is not None
    assert delivered.attributes["ocs.reference_id"] == "ref-0"
    assert delivered.attributes["ocs.crsa"] == FIRST
    assert call.attributes is not None
    assert call.attributes["http.response.status_code"] == 200
    assert taken.context.trace_id == delivered.context.trace_id == call.context.trace_id
    assert delivered.parent is not None
    assert delivered.parent.span_id == taken.context.span_id
    assert call.parent is not None
    assert call.parent.span_id == delivered.context.span_id


async def test_a_batch_is_linked_to_each_of_its_messages(runtime: Runtime, told: Told) -> None:
    for number in range(3):
        await _receive(runtime, f"T{number}", lines=2)
    await _deliver(runtime)
    taken, [delivered] = told.spans("process pos-transactions"), told.spans("deliver events")
    assert [link.context.trace_id for link in delivered.links] == [span.context.trace_id for span in taken]
    assert delivered.parent is None
    assert delivered.attributes is not None
    assert delivered.attributes["messaging.batch.message_count"] == 6


async def test_a_batch_that_is_sent_again_stays_in_its_messages_trace(
    runtime: Runtime, platform: Platform, told: Told
) -> None:
    platform.answers = [status(429, {"Retry-After": "0"})]
    await _receive(runtime, "T1")
    await _deliver(runtime)
    await make_due(runtime)
    await _deliver(runtime)
    first, second = told.spans("deliver events")
    assert first.status.status_code is StatusCode.ERROR
    assert first.attributes is not None
    assert first.attributes["error.type"] == "SlowDown"
    assert second.status.status_code is StatusCode.UNSET
    assert first.context.trace_id == second.context.trace_id


async def test_a_message_that_is_wrong_is_an_error_of_its_span_without_its_words(runtime: Runtime, told: Told) -> None:
    await _receive(runtime, "T1", store="CRSA9999999")
    [taken] = told.spans("process pos-transactions")
    assert taken.status.status_code is StatusCode.ERROR
    assert taken.status.description is None
    assert taken.attributes is not None
    assert taken.attributes["error.type"] == "BadInput"
    assert "CRSA9999999" not in told.everything()


async def test_each_line_of_the_log_about_a_message_names_message_and_trace(runtime: Runtime, told: Told) -> None:
    with capture_logs(processors=[merge_contextvars, add_trace]) as logs:
        await _receive(runtime, "T1")
        await _receive(runtime, "T2", store="CRSA9999999")
    first, second = (f"{span.context.trace_id:032x}" for span in told.spans("process pos-transactions"))
    assert {(line["event"], line["message_id"], line["trace_id"]) for line in logs} == {
        ("transaction taken in", "message-T1", first),
        ("dead letter", "message-T2", second),
    }


async def test_without_an_exporter_no_trace_is_kept_or_looked_up(runtime: Runtime) -> None:
    await _receive(runtime, "T1")
    await _deliver(runtime)
    assert await rows(runtime, "select traceparent, state from outbox") == [{"traceparent": None, "state": "accepted"}]
    assert await metrics.measure(runtime) == 0


async def test_a_request_is_named_by_its_route(told: Told, staff: httpx.AsyncClient) -> None:
    assert (await staff.get(f"/api/ocs/stores/{FIRST}/status")).status_code in (200, 404)
    assert (await staff.get("/api/ocs/tenants/CROL1234567/parking-warnings")).status_code == 200
    assert (await staff.get("/no/such/path")).status_code == 404
    [warnings] = told.spans("GET /api/ocs/tenants/{tenant}/parking-warnings")
    assert warnings.attributes is not None
    assert warnings.attributes["http.response.status_code"] == 200
    assert told.names()[-1] == "GET"
    assert "CROL1234567" not in told.everything()


async def test_a_request_goes_on_with_its_callers_trace(told: Told, staff: httpx.AsyncClient) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    await staff.get("/api/ocs/stores", headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
    assert trace_id in told.everything()


async def test_the_metrics_say_what_waits_and_what_was_accepted(
    runtime: Runtime, platform: Platform, told: Told
) -> None:
    platform.refused_skus = {"999999_bad___"}
    bad = [{"ocs_sku": "999999_bad___", "upc": UPC, "quantity": 1, "unit_price": "1"}]
    await sell(runtime, "T1", lines=3)
    await sell(runtime, "T2", items=bad)
    await _receive(runtime, "T3", store="CRSA9999999")
    await _deliver(runtime)
    await sell(runtime, "T4")
    await runtime.queues.put("pos-transactions", "waiting")
    assert await metrics.measure(runtime) > 0
    found = told.metrics()
    assert 0 < found["ocs.oldest_unsent_seconds",] < 600
    assert found["ocs.accepted_per_minute",] == 3
    assert found["ocs.success_rate",] == pytest.approx(2 / 5)
    assert found["ocs.latency_seconds", "0.5"] <= found["ocs.latency_seconds", "0.95"]
    assert found["ocs.parked", "events"] == 1
    assert found["ocs.parked", "positions"] == 0
    assert found["ocs.dead_letters",] == 1
    assert found["ocs.breaker_open",] == 0
    assert 0 <= found["ocs.snapshot_coverage",] <= 1
    assert found["ocs.queue_depth", "pos-transactions"] == 1


async def test_metrics_are_read_once_a_minute(runtime: Runtime, told: Told) -> None:
    assert await metrics.measure(runtime) > 0
    assert await metrics.measure(runtime) == 0
    assert told.metrics()


async def test_nothing_secret_is_told(runtime: Runtime, platform: Platform, told: Told) -> None:
    """No secret is in a span, a metric or a log, and in the first two nothing of what was sold."""
    with capture_logs() as logs:
        for number, answer in enumerate((status(401), status(400), status(500), cut)):
            platform.answers = [answer]
            await _receive(runtime, f"T{number}")
            await _deliver(runtime)
            await make_due(runtime)
        await metrics.measure(runtime)
    telling = told.everything()
    assert len(told.spans("deliver events")) > 3
    assert len(logs) > 6
    secrets = [*platform.vault().secrets.values(), "token-1", "token-2", "Bearer"]
    assert [secret for secret in secrets if secret in telling or secret in str(logs)] == []
    assert [sold for sold in (SKU, UPC, "49.95", '"T1"') if sold in telling] == []
