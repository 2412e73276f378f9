"""Answers as slow as the real ones, scaled, so that the waiting of a caller can be tried."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from devstack.processes import Child
from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.store import ASN, AT, CATALOGUE, Store, event

Eventually = Callable[[Callable[[], bool]], None]
WINDOW = {"startDateTime": AT, "endDateTime": AT}


@pytest.fixture
def slow(child: Child, new_store: NewStore) -> Iterator[Store]:
    """Give a store of a stand-in that takes the observed times in full."""
    store = new_store(child.start()["url"])
    store.control("PUT", "pace", factor=1)
    yield store
    store.control("PUT", "pace", factor=0)


def _waiting(store: Store) -> list[str]:
    return sorted(call["path"] for call in store.control("GET", "in-flight") if call["fault"] == "pace")


def test_the_observed_times_are_scaled(child: Child, new_store: NewStore) -> None:
    store = new_store(child.start()["url"])
    assert store.control("GET", "pace") == {
        "factor": 0,
        "seconds": {"asn": 0, "catalogue": 0, "reported-events": 0},
    }
    paced = store.control("PUT", "pace", factor=0.01)
    assert paced["seconds"] == pytest.approx({"asn": 0.39, "catalogue": 0.25, "reported-events": 0.0013})
    assert store.read(ASN, retailerCRSA=store.crsa, **WINDOW).status_code == 200
    assert store.read(CATALOGUE, pageNumber=1).status_code == 200


def test_a_slow_answer_outlasts_an_impatient_caller_and_comes_when_the_pace_is_set_back(
    slow: Store, eventually: Eventually
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        slow.http.get(CATALOGUE, params={"pageNumber": 1}, headers=slow.headers(), timeout=0.2)
    query: dict[str, Any] = {"retailerCRSA": slow.crsa} | WINDOW
    with ThreadPoolExecutor(1) as aside:
        held = aside.submit(httpx.get, slow.url + ASN, params=query, headers=slow.headers(), timeout=30)
        eventually(lambda: "asn" in _waiting(slow))
        assert not held.done()
        slow.control("PUT", "pace", factor=0)
        assert held.result(20).status_code == 200
    eventually(lambda: _waiting(slow) == [])


def test_refusals_and_reports_are_not_slow(slow: Store) -> None:
    """The time goes into a good answer to the two long readings; ten seconds would end these calls."""
    assert slow.read(CATALOGUE, pageNumber=0).status_code == 400
    slow.fault("status", status=500, path="asn", times=1)
    assert slow.read(ASN, retailerCRSA=slow.crsa, **WINDOW).status_code == 500
    assert slow.report(event()).status_code == 200


def test_a_reset_of_everything_sets_the_pace_back(slow: Store) -> None:
    slow.control("POST", "reset")
    assert slow.control("GET", "pace")["factor"] == 0


@pytest.mark.parametrize("factor", [-1, 101, "fast", None])
def test_a_wrong_factor_is_refused(store: Store, factor: Any) -> None:
    reply = store.http.put("/_control/pace", json={"factor": factor})
    assert (reply.status_code, "factor" in reply.json()["error"]) == (400, True)
