"""What the stand-in takes and what it refuses: the shape of reports, to the letter."""

import json
from typing import Any
from uuid import UUID

import pytest

from tests.integration.devstack.regulator_stand_in.conftest import NewStore
from tests.integration.devstack.regulator_stand_in.store import (
    AT,
    REPORTED_POSITIONS,
    Store,
    event,
    position_line,
)

TYPES = ["PURCHASE", "RECEIVING", "ADJUSTMENT", "TRANSFER_OUT", "TRANSFER_IN", "RETURN", "DESTRUCTION", "LOSS"]
WRONG_VALUES = [
    ("ocsSku", ""),
    ("posTransactionTimeStamp", "2022-04-14T14:31:30"),
    ("posTransactionTimeStamp", "2022-02-30T14:31:30Z"),
    ("posTransactionTimeStamp", "14 April 2022"),
    ("posTransactionLineId", "line-1"),
    ("inventoryEventType", "SALE"),
    ("inventoryEventType", "purchase"),
    ("inventoryQuantityChange", "three"),
    ("inventoryQuantityChange", "1e3"),
    ("inventoryValueChange", "80,85"),
    ("posSalesTransactionId", "4711"),
    ("soldAtPrice", ""),
    ("soldAtPrice", "$49.95"),
    ("counterPartyCRSA", "CRSA12"),
    ("reasonCategory", "a\u001fb"),
]


def test_a_good_batch_is_accepted_with_a_reference_id(store: Store) -> None:
    """All lines are in the ledger, in their order, with exactly what was sent."""
    lines = [event(inventoryEventType=name) for name in [*TYPES, "SUPPLIER_RETURN"]]
    reply = store.report(*lines)
    assert reply.status_code == 200
    assert UUID(reply.json()["referenceId" if "referenceId" in reply.json() else "ReferenceId"])
    assert [line["content"] for line in store.ledger()] == lines


def test_replies_carry_changing_fields_beside_the_reference_id(store: Store) -> None:
    """Most say `referenceId`, some `ReferenceId`, and what stands beside it differs."""
    replies = [store.report(event()).json() for _ in range(14)]
    names = [next(name for name in reply if name.lower() == "referenceid") for reply in replies]
    assert names.count("referenceId") == 12
    assert set(names) == {"referenceId", "ReferenceId"}
    assert len({frozenset(reply) for reply in replies}) == 3
    assert all(len(reply) > 1 for reply in replies)


@pytest.mark.parametrize("field", list(event()))
@pytest.mark.parametrize("wrong", ["missing", 3, None, ["3"], {}])
def test_every_field_is_required_and_a_text(store: Store, field: str, wrong: Any) -> None:
    line = event() | {field: wrong}
    if wrong == "missing":
        del line[field]
    reply = store.report(event(), line)
    assert reply.status_code == 400
    assert f"inventoryEventList[1].{field}" in reply.text
    assert store.ledger() == []


@pytest.mark.parametrize(("field", "value"), WRONG_VALUES)
def test_a_value_of_the_wrong_form_is_refused_by_its_field(store: Store, field: str, value: str) -> None:
    reply = store.report(event(**{field: value}))
    assert reply.status_code == 400
    assert f"inventoryEventList[0].{field}" in reply.text


@pytest.mark.parametrize(
    "good",
    [
        {"upcAndBarcode": ""},
        {"posTransactionTimeStamp": "2022-09-28T20:00:31.2033333Z"},
        {"inventoryQuantityChange": "-8", "inventoryValueChange": "-12.50"},
        {"counterPartyCRSA": "CRSA9876543", "reasonCategory": "Entrée de stock"},
    ],
)
def test_a_value_of_an_unusual_but_right_form_is_accepted(store: Store, good: dict[str, str]) -> None:
    assert store.report(event(**good)).status_code == 200
    assert store.ledger()[0]["content"].items() >= good.items()


def test_a_refusal_names_the_first_wrong_line_only(store: Store) -> None:
    reply = store.report(event(), event(soldAtPrice="x"), event(ocsSku=""))
    assert "inventoryEventList[1].soldAtPrice" in reply.text
    assert "[2]" not in reply.text


def test_error_bodies_come_in_several_shapes(store: Store) -> None:
    """All of them name the field; nobody may rely on where."""
    replies = [store.report(event(ocsSku="")) for _ in range(4)]
    assert len({reply.headers["Content-Type"] for reply in replies}) == 3
    assert len({frozenset(r.json()) for r in replies if "json" in r.headers["Content-Type"]}) == 3
    assert all("ocsSku" in reply.text for reply in replies)


@pytest.mark.parametrize(
    "body",
    [
        *[b"", b"not JSON", b"\xff\xfe", b"null", b"[]", b"[" * 100_000],
        *[{}, {"inventoryEventList": []}, {"inventoryEventList": {}}, {"inventoryEventList": ["line"]}],
        {"inventoryEventList": [event()], "more": 1},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_body_of_another_shape_is_refused(store: Store, body: Any) -> None:
    assert store.post_body(body).status_code == 400
    assert store.ledger() == []


def test_an_undocumented_field_is_taken_only_once_it_was_declared(new_store: NewStore) -> None:
    """As the process on date, whose wire name is unknown; for the declared store alone."""
    store, other = new_store(), new_store()
    line = event(processOnDate="2026-03-01")
    assert "processOnDate" in store.report(line).text
    store.control("PUT", "extra-fields", fields=["processOnDate"], crsa=store.crsa)
    assert store.report(line).status_code == 200
    assert store.ledger()[0]["content"] == line
    assert store.report(event(processOnDate=20260301)).status_code == 400
    assert other.report(line).status_code == 400


def test_the_same_line_id_replaces_the_line(store: Store) -> None:
    """Repeats and corrections are counted apart; the id is the same in capitals."""
    first, second = event(), event()
    store.report(first, second)
    store.report(first)
    corrected = first | {"ocsSku": "102014_28g___", "posTransactionLineId": first["posTransactionLineId"].upper()}
    store.report(corrected)
    kept, other = store.ledger()
    assert kept["content"] == corrected
    assert (kept["times_received"], kept["contents_seen"]) == (3, 2)
    assert (other["times_received"], other["contents_seen"]) == (1, 1)
    assert kept["first_number"] < other["first_number"] == other["last_number"] < kept["last_number"]
    assert kept["posted_at"] > other["posted_at"]


def test_arrival_numbers_run_over_all_stores(new_store: NewStore) -> None:
    store, other = new_store(), new_store()
    store.report(event(), event())
    other.report(event())
    store.report(event())
    numbers = [line["first_number"] for line in store.ledger()]
    assert numbers[0] + 1 == numbers[1] < other.ledger()[0]["first_number"] < numbers[2]


def test_the_same_id_of_another_store_is_another_line(new_store: NewStore) -> None:
    store, other, line = new_store(), new_store(), event()
    store.report(line)
    other.report(line)
    assert [s.ledger()[0]["times_received"] for s in (store, other)] == [1, 1]


def test_a_position_of_the_same_instant_replaces_it(store: Store) -> None:
    """The same instant in another offset is the same position."""
    assert store.report_position(position_line(), position_line(ocsSku="102014_28g___")).status_code == 200
    assert store.report_position(position_line(inventoryQuantityOnHand="99"), at="2026-03-10T03:59:59Z").is_success
    assert store.report_position(position_line(), at="2026-03-10T23:59:59-04:00").is_success
    first, second = store.control("GET", f"positions/{store.crsa}")
    assert first["lines"] == [position_line(inventoryQuantityOnHand="99")]
    assert (first["times_received"], first["contents_seen"]) == (2, 2)
    assert first["instant"] == "2026-03-10T03:59:59+00:00"
    assert (second["times_received"], second["positionTimeStamp"]) == (1, "2026-03-10T23:59:59-04:00")


def test_a_store_that_holds_nothing_may_say_so(store: Store) -> None:
    """An empty position is taken, kept, and read back as no lines."""
    assert store.report_position().status_code == 200
    [kept] = store.control("GET", f"positions/{store.crsa}")
    assert (kept["lines"], kept["positionTimeStamp"]) == ([], AT)
    assert store.read_back(REPORTED_POSITIONS).json()["inventoryPositionList"] == []


def test_empty_positions_are_refused_where_it_was_said_so(new_store: NewStore) -> None:
    store, other = new_store(), new_store()
    store.control("PUT", "empty-positions", accepted=False, crsa=store.crsa)
    refused = store.report_position()
    assert refused.status_code == 400
    assert "inventoryPositionList" in refused.text
    assert other.report_position().status_code == 200
    store.control("PUT", "empty-positions", accepted=True, crsa=store.crsa)
    assert store.report_position().status_code == 200


@pytest.mark.parametrize("field", list(position_line()))
def test_a_position_is_checked_line_by_line(store: Store, field: str) -> None:
    reply = store.report_position(position_line(), position_line(**{field: 1}))
    assert reply.status_code == 400
    assert f"inventoryPositionList[1].{field}" in reply.text
    assert store.control("GET", f"positions/{store.crsa}") == []


def test_a_position_needs_an_instant_with_its_offset(store: Store) -> None:
    """A plus sign that was not encoded arrives as a blank, and is refused."""
    for wrong in (AT[:-6], "2026-03-09", "2026-03-09T23:59:59 05:30"):
        reply = store.report_position(position_line(), at=wrong)
        assert reply.status_code == 400
        assert "positionTimeStamp" in reply.text


def test_a_large_batch_is_taken_whole(store: Store) -> None:
    lines = [event() for _ in range(5000)]
    assert store.post_body(json.dumps({"inventoryEventList": lines}).encode()).status_code == 200
    assert store.ledger_ids() == [line["posTransactionLineId"] for line in lines]
