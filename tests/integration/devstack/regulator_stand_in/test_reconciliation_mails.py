"""Whom the reconciliation writes to, when it runs, and what is forgotten."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devstack.processes import Child, ChildError, stand_in_command
from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.retailer import SKU, Retailer, line
from tests.integration.devstack.regulator_stand_in.store import Store

UNKNOWN = {"ocsSku": "999999_1g___", "inventoryEventType": "RECEIVING"}


@pytest.fixture
def nightly(tmp_path: Path) -> Iterator[Child]:
    """Give a stand-in whose nights are short."""
    command = stand_in_command("regulator", "--port", "0", "--reconcile-every", "0.05")
    own = Child("regulator", tmp_path, command)
    yield own
    own.stop()


def test_a_mail_groups_by_store_what_is_open_and_what_was_resolved(retailer: Retailer) -> None:
    """One to the retailer for each run, in plain text; what is still open is in each of them."""
    wrong = line(3, **UNKNOWN)
    retailer.report(wrong)
    retailer.report(line(3), at=retailer.other)
    retailer.reconcile(4)
    retailer.report(wrong | {"ocsSku": SKU})
    retailer.reconcile(5)
    first, second = retailer.mails()
    assert {mail["to"] for mail in (first, second)} == {retailer.crol}
    assert first["subject"] == "Data reconciliation errors: 2 open, 0 resolved"
    assert second["subject"] == "Data reconciliation errors: 1 open, 1 resolved"
    unmatched = f"- SKU [999999_1g___] could not be matched. (SKU_UNMATCHED; lines {wrong['posTransactionLineId']})"
    assert f"Store {retailer.store.crsa}\n{unmatched}\nStore" in first["text"].replace("\n\n", "\n")
    assert "Resolved" not in first["text"]
    still, resolved = second["text"].split("Resolved since the last reconciliation:")
    assert f"Store {retailer.other.crsa}\n- Observed negative inventory for SKU [{SKU}]" in still
    assert f"Store {retailer.store.crsa}\n{unmatched}" in resolved
    assert "STAND-IN" in still


def test_a_retailer_with_nothing_to_correct_gets_no_mail(retailer: Retailer) -> None:
    retailer.report(line(3, "RECEIVING"))
    assert retailer.reconcile(4) == {"open": [], "resolved": []}
    assert retailer.mails() == []


def test_a_mail_shows_the_first_lines_of_many(retailer: Retailer) -> None:
    lines = [line(3, **UNKNOWN) for _ in range(7)]
    retailer.report(*lines)
    retailer.reconcile(4)
    [mail] = retailer.mails()
    assert [each["posTransactionLineId"] in mail["text"] for each in lines] == [True] * 5 + [False] * 2
    assert "and 2 more)" in mail["text"]


def test_a_run_for_one_retailer_leaves_the_others_alone(retailer: Retailer, new_store: NewStore) -> None:
    stranger = new_store(crol="CROL7654321")
    stranger.report(line(3, **UNKNOWN)).raise_for_status()
    retailer.reconcile(4)
    assert stranger.control("GET", f"findings?crsa={stranger.crsa}") == []
    everything = stranger.control("POST", "reconcile")
    assert stranger.crsa in {found["crsa"] for found in everything["open"]}
    assert [mail["to"] for mail in stranger.control("GET", "mails?crol=CROL7654321")] == ["CROL7654321"]


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"crol": "CROL0000000"}, "CROL0000000 has no store"),
        ({"at": "2026-03-04T06:00:00"}, "at: "),
        ({"when": "now"}, "when: "),
    ],
)
def test_a_wrong_order_to_reconcile_is_refused(store: Store, order: dict[str, str], named: str) -> None:
    reply = store.http.post("/_control/reconcile", json=order)
    assert reply.status_code == 400
    assert named in reply.json()["error"]


def test_a_reset_of_one_store_forgets_its_findings(retailer: Retailer) -> None:
    for store in (retailer.store, retailer.other):
        retailer.report(line(3, **UNKNOWN), at=store)
    retailer.reconcile(4)
    retailer.store.control("POST", "reset", crsa=retailer.store.crsa)
    left = [retailer.store.control("GET", f"findings?crsa={s.crsa}") for s in (retailer.store, retailer.other)]
    assert [len(findings) for findings in left] == [0, 1]


def test_a_reset_of_everything_forgets_findings_and_mails(child: Child, new_store: NewStore) -> None:
    store = new_store(child.start()["url"])
    store.report(line(3, **UNKNOWN)).raise_for_status()
    store.control("POST", "reconcile")
    assert [len(store.control("GET", door)) for door in ("findings", "mails")] == [1, 1]
    store.control("POST", "reset")
    assert [store.control("GET", door) for door in ("findings", "mails")] == [[], []]


def test_the_nights_come_by_themselves(
    nightly: Child, new_store: NewStore, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    """A correction is resolved by a later night."""
    store = new_store(nightly.start()["url"])
    wrong = line(3, **UNKNOWN)
    store.report(wrong).raise_for_status()
    eventually(lambda: len(store.control("GET", "findings")) == 1)
    store.report(wrong | {"ocsSku": SKU}).raise_for_status()
    eventually(lambda: store.control("GET", "findings")[0]["resolved_at"] is not None)


def test_a_night_of_less_than_no_time_is_refused(tmp_path: Path) -> None:
    command = stand_in_command("regulator", "--port", "0", "--reconcile-every", "-1")
    with pytest.raises(ChildError, match=r"reconcile-every: found -1\.0"):
        Child("regulator", tmp_path, command).start()
