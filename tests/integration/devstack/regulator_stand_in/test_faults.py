"""What can be made to go wrong by replies and by waiting; always for the ordered store only."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.store import ASN, CATALOGUE, Store, event, position_line

Eventually = Callable[[Callable[[], bool]], None]


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """Give a thread for calls that are kept waiting."""
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_a_status_is_answered_instead_of_any_work(store: Store) -> None:
    """With the ordered body and headers, as often as ordered."""
    fault = store.fault("status", status=500, body={"oops": 1}, headers={"X-Trace": "t"}, times=2)
    replies = [store.report(event()) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [500, 500, 200]
    assert (replies[0].json(), replies[0].headers["X-Trace"]) == ({"oops": 1}, "t")
    assert store.applied(fault) == 2
    assert len(store.ledger()) == 1


def test_a_status_may_have_a_text_or_no_body(store: Store) -> None:
    store.fault("status", status=502, body="bad gateway", times=1)
    store.fault("status", status=504, times=1)
    assert (store.report(event()).text, store.report(event()).content) == ("bad gateway", b"")


def test_slow_down_says_for_how_many_seconds(store: Store) -> None:
    store.fault("slow_down", seconds=17, times=1)
    reply = store.report(event())
    assert (reply.status_code, reply.headers["Retry-After"]) == (429, "17")
    assert store.ledger() == []
    assert store.report(event()).status_code == 200


def test_slow_down_says_until_when(store: Store) -> None:
    """The date is that many seconds after the reply's own date, rounded up to whole seconds."""
    store.fault("slow_down", form="date", seconds=600)
    reply = store.report(event())
    until, said = (parsedate_to_datetime(reply.headers[name]) for name in ("Retry-After", "Date"))
    assert timedelta(seconds=600) <= until - said <= timedelta(seconds=603)
    assert until > datetime.now(UTC)


def test_a_batch_with_a_rejected_line_is_refused_whole(store: Store) -> None:
    """The refusal names that line; batches without it go through."""
    good, bad = event(), event()
    fault = store.fault("reject_lines", line_ids=[bad["posTransactionLineId"].upper()])
    reply = store.report(good, bad, event())
    assert reply.status_code == 400
    assert "[1].posTransactionLineId" in reply.text
    assert bad["posTransactionLineId"] in reply.text
    assert store.ledger() == []
    assert store.report(good).status_code == 200
    assert store.applied(fault) == 1


def test_lines_are_rejected_by_their_sku_too(store: Store) -> None:
    store.fault("reject_lines", ocs_skus=["999999_1g___"])
    reply = store.report(event(), event(ocsSku="999999_1g___"))
    assert (reply.status_code, "999999_1g___" in reply.text) == (400, True)
    assert store.report_position(position_line(ocsSku="999999_1g___")).status_code == 400
    assert store.report_position(position_line()).status_code == 200


@pytest.mark.parametrize(("how", "body"), [("no_reference_id", b"Success"), ("html", b"<html>"), ("empty", b"")])
@pytest.mark.parametrize("record", [True, False])
def test_a_lie_is_a_200_that_proves_nothing(store: Store, how: str, body: bytes, *, record: bool) -> None:
    store.fault("lie", how=how, record=record, times=1)
    reply = store.report(event())
    assert reply.status_code == 200
    assert body in reply.content
    assert b"eference" not in reply.content
    assert len(store.ledger()) == int(record)
    assert store.calls()[-1]["reference_id"] is None


def test_a_wrong_call_is_refused_also_under_a_lie(store: Store) -> None:
    fault = store.fault("lie")
    assert store.report(event(ocsSku="")).status_code == 400
    assert store.applied(fault) == 0


def test_an_outage_lasts_until_it_is_cleared(store: Store) -> None:
    fault = store.fault("outage")
    replies = [store.report(event()) for _ in range(3)]
    assert {reply.status_code for reply in replies} == {503}
    assert replies[0].text.startswith("<html>")
    store.control("DELETE", f"faults/{fault}")
    assert store.report(event()).status_code == 200
    assert len(store.ledger()) == 1


def test_an_outage_ends_by_itself_after_its_seconds(store: Store, eventually: Eventually) -> None:
    store.fault("outage", seconds=0.3)
    eventually(lambda: store.report(event()).status_code == 200)
    assert {call["status"] for call in store.calls()} <= {503, 200}


def test_latency_is_waited_for_and_then_all_is_normal(
    store: Store, aside: ThreadPoolExecutor, eventually: Eventually
) -> None:
    """Deleting the fault ends the wait; nothing was recorded before."""
    fault = store.fault("latency", seconds=600)
    call = aside.submit(store.report, event())
    eventually(lambda: [c["recorded"] for c in store.in_flight()] == [False])
    assert store.ledger() == []
    store.control("DELETE", f"faults/{fault}")
    assert call.result(10).status_code == 200
    assert store.in_flight() == []
    assert len(store.ledger()) == 1


def test_a_call_is_recorded_after_its_latency_also_when_the_caller_has_left(
    store: Store, eventually: Eventually
) -> None:
    store.fault("latency", seconds=0.3)
    store.http.timeout = httpx.Timeout(0.1)
    with pytest.raises(httpx.ReadTimeout):
        store.report(event())
    store.http.timeout = httpx.Timeout(10)
    eventually(lambda: len(store.ledger()) == 1)


def test_a_held_call_is_recorded_and_answered_when_it_is_let_go(
    store: Store, aside: ThreadPoolExecutor, eventually: Eventually
) -> None:
    fault = store.fault("accept_then_hold", times=1)
    call = aside.submit(store.report, event())
    eventually(lambda: [(c["path"], c["recorded"]) for c in store.in_flight()] == [("events", True)])
    assert len(store.ledger()) == 1
    assert store.report(event()).status_code == 200
    store.control("DELETE", f"faults/{fault}")
    assert call.result(10).status_code == 200
    assert store.in_flight() == []


def test_a_held_call_is_answered_after_its_seconds(store: Store) -> None:
    store.fault("accept_then_hold", seconds=0.1)
    assert store.report(event()).status_code == 200


def test_a_held_call_whose_caller_leaves_is_gone_and_stays_recorded(store: Store, eventually: Eventually) -> None:
    store.fault("accept_then_hold")
    store.http.timeout = httpx.Timeout(0.2)
    with pytest.raises(httpx.ReadTimeout):
        store.report(event())
    store.http.timeout = httpx.Timeout(10)
    eventually(lambda: [call["status"] for call in store.calls()] == ["gone"])
    assert store.in_flight() == []
    assert len(store.ledger()) == 1


def test_faults_are_for_one_path_where_they_say_so(store: Store) -> None:
    store.fault("status", status=500, path="events")
    store.fault("status", status=501, path="asn")
    assert store.report(event()).status_code == 500
    assert store.report_position(position_line()).status_code == 200
    assert store.read(ASN, retailerCRSA=store.crsa).status_code == 501


def test_faults_of_one_store_never_touch_another(new_store: NewStore) -> None:
    store, other = new_store(), new_store()
    store.fault("outage", how="503")
    assert store.report(event()).status_code == 503
    assert other.report(event()).status_code == 200
    # Calls for a token and for the catalogue name no store.
    assert store.sign_in().status_code == 200
    assert store.read(CATALOGUE, pageNumber=1).status_code == 200


def test_faults_of_one_client_touch_its_sign_in_and_all_its_calls(new_store: NewStore) -> None:
    store, other = new_store(), new_store()
    store.fault("status", client_id=store.client_id, status=500)
    assert store.sign_in().status_code == 500
    assert store.read(CATALOGUE, pageNumber=1).status_code == 500
    assert store.report(event()).status_code == 500
    assert other.sign_in().status_code == 200
    assert other.report(event()).status_code == 200


def test_faults_of_the_token_path_touch_nothing_else(store: Store) -> None:
    store.fault("slow_down", client_id=store.client_id, path="token", seconds=5)
    assert (store.sign_in().status_code, store.report(event()).status_code) == (429, 200)


def test_latency_and_another_fault_work_together(store: Store) -> None:
    store.fault("status", status=500)
    store.fault("latency", seconds=0.01)
    assert store.report(event()).status_code == 500
    assert store.calls()[-1]["faults"] == ["latency", "status"]


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "earthquake"},
        {"fault": "latency"},
        {"fault": "status", "status": "x"},
        {"fault": "outage", "how": "fire"},
        {"fault": "reset", "path": "somewhere"},
        {"fault": "reset", "often": 3},
        {"fault": "reset", "times": 0},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(store: Store, order: dict[str, object]) -> None:
    reply = store.http.post("/_control/faults", json=order)
    assert reply.status_code == 400
    assert reply.json()["error"]
