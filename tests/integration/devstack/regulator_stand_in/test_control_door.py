"""What the control door shows, and how it goes back to the start; the process itself."""

import json
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import pytest

from devstack.processes import Child, ChildError, stand_in_command
from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.store import (
    ASN,
    AT,
    CATALOGUE,
    SECRET,
    Store,
    event,
    position_line,
)

Eventually = Callable[[Callable[[], bool]], None]


def test_the_history_tells_what_came_and_how_it_ended(store: Store) -> None:
    lines = [event(), event()]
    store.report(*lines)
    store.report(event(), "no line")
    store.report_position(position_line())
    good, bad, position = store.calls()
    seconds, at = good.pop("seconds"), datetime.fromisoformat(good.pop("at"))
    assert seconds > 0
    assert at.utcoffset() is not None
    assert good == {
        "number": good["number"],
        "path": "events",
        "crsa": store.crsa,
        "status": 200,
        "lines": 2,
        "line_ids": [line["posTransactionLineId"] for line in lines],
        "reference_id": good["reference_id"],
        "faults": [],
        "posVendor": "Till & Co",
        "posVendorVersion": "4.2",
        "positionTimeStamp": None,
    }
    assert len(good["reference_id"]) == 36
    assert (bad["status"], bad["lines"], bad["reference_id"]) == (400, 2, None)
    assert (position["path"], position["lines"], position["positionTimeStamp"]) == ("positions", 1, AT)


def test_the_history_shows_the_lines_of_calls_that_were_not_accepted(store: Store) -> None:
    """So that a repeat can be compared with what went before."""
    line = event()
    store.fault("status", status=500, times=1)
    store.fault("slow_down", times=1)
    store.fault("accept_then_cut", times=1)
    for _ in range(2):
        store.report(line)
    with pytest.raises(httpx.RemoteProtocolError):
        store.report(line)
    ids = [line["posTransactionLineId"]]
    seen = [(call["status"], call["faults"], call["line_ids"]) for call in store.calls()]
    assert seen == [(500, ["status"], ids), (429, ["slow_down"], ids), ("cut", ["accept_then_cut"], ids)]


def test_the_history_goes_on_after_a_number(store: Store) -> None:
    store.report(event())
    seen = store.calls()[-1]["number"]
    store.report(event())
    assert [c["number"] > seen for c in store.control("GET", f"calls?after={seen}&crsa={store.crsa}")] == [True]
    assert store.http.get("/_control/calls", params={"after": "x"}).status_code == 400


def test_nothing_shown_holds_a_secret(store: Store) -> None:
    store.sign_in()
    store.report(event())
    store.fault("latency", seconds=0)
    shown = "".join(store.http.get(f"/_control/{door}").text for door in ("calls", "ledger", "faults", "in-flight"))
    assert store.crsa in shown
    assert [secret for secret in (store.token, store.hash_key, SECRET) if secret in shown] == []


def test_a_wrong_order_is_refused_by_its_field_without_its_value(store: Store) -> None:
    reply = store.http.put(f"/_control/clients/{store.client_id}", json={"client_secret": [SECRET]})
    assert reply.status_code == 400
    assert "client_secret" in reply.json()["error"]
    assert SECRET not in reply.text
    assert store.http.put("/_control/catalogue", json={"itemList": [{"colour": "red"}]}).status_code == 400
    assert store.http.put("/_control/extra-fields", json={"fields": ["ocsSku"]}).status_code == 400
    assert store.http.delete("/_control/faults/999999").status_code == 404


def test_the_ledgers_are_counted_by_store(store: Store) -> None:
    line = event()
    store.report(line, event())
    store.report(line)
    store.report_position(position_line())
    assert store.control("GET", "ledger")[store.crsa] == {"lines": 2, "times_received": 3, "positions": 1}


def test_a_reset_of_one_store_forgets_that_store_only(new_store: NewStore) -> None:
    """Its registration too: it is as if it had never been there."""
    store, other = new_store(), new_store()
    store.control("PUT", f"shipments/{store.crsa}", retailerASNList=[{"shipmentID": "S1"}])
    for each in (store, other):
        each.report(event())
        each.fault("status", status=500)
    store.control("POST", "reset", crsa=store.crsa)
    assert (store.ledger(), store.calls(), len(other.ledger()), len(other.calls())) == ([], [], 1, 1)
    assert (store.report(event()).status_code, other.report(event()).status_code) == (403, 500)
    store.control("PUT", f"stores/{store.crsa}", **store.registration())
    assert store.report(event()).status_code == 200
    shipped = store.read(ASN, retailerCRSA=store.crsa, startDateTime=AT, endDateTime=AT)
    assert shipped.json()["retailerASNList"] == []


def test_a_reset_of_everything_goes_back_to_the_start(child: Child, new_store: NewStore) -> None:
    store = new_store(child.start()["url"])
    store.report(event())
    seen = store.calls()[-1]["number"]
    store.control("PUT", "catalogue", itemList=[{"SKU": f"{n:06d}_1g___"} for n in range(101)])
    pages = [store.read(CATALOGUE, pageNumber=page).json()["itemList"] for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 1, 0]
    store.fault("outage", path=None, crsa=None)
    store.control("POST", "reset")
    assert (store.control("GET", "ledger"), store.control("GET", "faults")) == ({}, [])
    assert store.report(event()).status_code == 401
    assert store.sign_in().status_code == 400
    assert [call["number"] > seen for call in store.calls()] == [True]
    again = new_store(store.url)
    assert again.read(CATALOGUE, pageNumber=1).json()["itemList"][0]["SKU"] == "101955_3.5g___"


def test_clearing_all_faults_ends_all_of_them(child: Child, new_store: NewStore) -> None:
    store = new_store(child.start()["url"])
    store.fault("outage")
    store.fault("status", crsa=None)
    assert [fault["fault"] for fault in store.control("GET", "faults")] == ["outage", "status"]
    store.control("DELETE", "faults")
    assert store.report(event()).status_code == 200


def test_the_history_keeps_the_last_200_000_lines_and_the_ledger_all(child: Child, new_store: NewStore) -> None:
    store = new_store(child.start()["url"])
    lines = [event() for _ in range(50_000)]
    body = json.dumps({"inventoryEventList": lines}).encode()
    for _ in range(5):
        assert store.post_body(body).status_code == 200
    assert [call["lines"] for call in store.calls()] == [50_000] * 4
    assert store.control("GET", "ledger")[store.crsa] == {"lines": 50_000, "times_received": 250_000, "positions": 0}


def test_it_says_loudly_that_it_is_not_the_real_thing(child: Child) -> None:
    ready = child.start()
    assert ready["ready"] is True
    assert ready["stand_in"] == "not the OCS Data Platform"
    assert "not the real thing" in child.log.read_text(encoding="utf-8")


def test_a_port_that_is_taken_is_said_so(child: Child, url: str) -> None:
    port = url.rpartition(":")[2]
    taken = Child("second", child.log.parent, stand_in_command("regulator", "--port", port))
    with pytest.raises(ChildError, match=f"cannot listen on 127.0.0.1:{port}"):
        taken.start()


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_also_while_a_call_is_held(
    child: Child, new_store: NewStore, eventually: Eventually, stop: signal.Signals
) -> None:
    store = new_store(child.start()["url"])
    store.fault("accept_then_hold")
    with ThreadPoolExecutor(1) as aside:
        held = aside.submit(store.report, event())
        eventually(lambda: len(store.in_flight()) == 1)
        os.kill(child.pid, stop)
        assert child.wait(5) == 0
        assert held.result(5).status_code == 200
