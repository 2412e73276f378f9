"""Two ways of writing the same line are the same, and a line that says something else is never taken for the same."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from ocs.reconciliation.compare import EVENT_FIELDS, SentLine, event_differences, judge_event
from ocs.regulator import wire

MOMENT = datetime(2026, 11, 20, 15, tzinfo=UTC)
LINE_ID, SALE_ID = UUID("0b7e9d3a-9e7c-5f0a-8c1b-2d3e4f5a6b7c"), UUID("1b7e9d3a-9e7c-5f0a-8c1b-2d3e4f5a6b7c")
OURS = wire.EventLine(
    ocsSku="101955_3.5g___",
    upcAndBarcode="00708762000695",
    posTransactionTimeStamp=MOMENT.isoformat(),
    posTransactionLineId=str(LINE_ID),
    inventoryEventType="PURCHASE",
    inventoryQuantityChange="3",
    inventoryValueChange="80.85",
    posSalesTransactionId=str(SALE_ID),
    soldAtPrice="49.95",
    counterPartyCRSA="",
    reasonCategory="",
)
CHANGES: dict[str, Any] = {
    "sku": {"ocsSku": "101955_3.5g__"},
    "barcode": {"upcAndBarcode": "00708762000696"},
    "time": {"posTransactionTimeStamp": (MOMENT + timedelta(seconds=1)).isoformat()},
    "type": {"inventoryEventType": "purchase"},
    "quantity": {"inventoryQuantityChange": "4"},
    "value": {"inventoryValueChange": "80.86"},
    "transaction_id": {"posSalesTransactionId": str(LINE_ID)},
    "sold_at_price": {"soldAtPrice": None},
    "counterparty": {"counterPartyCRSA": "CRSA1111111"},
    "reason": {"reasonCategory": "Cycle Count"},
}


def theirs(**changes: Any) -> wire.ReportedEvent:
    """Give the line as the platform gives it back, with changes."""
    return wire.ReportedEvent.model_validate(OURS.model_dump() | changes)


def sent(revision: int, state: str = "accepted", **changes: str) -> SentLine:
    """Give a revision of the line, with changes."""
    line = OURS.model_copy(update=changes)
    return SentLine(revision, state, line, "adjustment", "ledger", Decimal(line.inventoryQuantityChange))


@given(
    hours=st.integers(-14, 14),
    decimals=st.integers(0, 7),
    zeros=st.integers(0, 4),
    dropped=st.integers(0, 2),
    upper=st.booleans(),
    empty=st.sampled_from(["", None]),
)
def test_another_way_of_writing_it_is_no_difference(
    hours: int, decimals: int, zeros: int, dropped: int, upper: bool, empty: str | None
) -> None:
    local = MOMENT.astimezone(timezone(timedelta(hours=hours))).isoformat()
    point = "." + "0" * decimals if decimals else ""
    rewritten = theirs(
        posTransactionTimeStamp=f"{local[:19]}{point}{local[19:]}",
        inventoryQuantityChange=f"3.{'0' * zeros}" if zeros else 3,
        inventoryValueChange=f"80.85{'0' * zeros}",
        upcAndBarcode=OURS.upcAndBarcode[dropped:],
        posSalesTransactionId=str(SALE_ID).upper() if upper else str(SALE_ID),
        counterPartyCRSA=empty,
        reasonCategory=empty,
    )
    assert event_differences(OURS, rewritten) == []


@given(changed=st.sets(st.sampled_from(sorted(CHANGES))))
def test_exactly_what_was_changed_is_told(changed: set[str]) -> None:
    changes = {name: value for field in changed for name, value in CHANGES[field].items()}
    assert {one.field for one in event_differences(OURS, theirs(**changes))} == changed


def test_each_field_that_is_compared_has_a_change_above_and_all_but_the_id_are_compared() -> None:
    assert set(CHANGES) == {field.name for field in EVENT_FIELDS}
    assert len(EVENT_FIELDS) == len(wire.EventLine.model_fields) - 1


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"inventoryQuantityChange": -3}, "turned"),
        ({"inventoryValueChange": -80.85}, "turned"),
        ({"soldAtPrice": -49.95}, "differs"),
        ({"inventoryQuantityChange": -4}, "differs"),
        ({"inventoryQuantityChange": 0}, "differs"),
        ({"posTransactionTimeStamp": "2026-11-20T15:00:00"}, "differs"),
        ({"posTransactionTimeStamp": "soon"}, "differs"),
        ({"posSalesTransactionId": "none"}, "differs"),
        ({"upcAndBarcode": ""}, "differs"),
        ({"inventoryValueChange": "1e40"}, "differs"),
    ],
)
def test_a_turned_sign_is_told_apart_and_odd_values_are_differences(change: dict[str, Any], kind: str) -> None:
    assert [one.kind for one in event_differences(OURS, theirs(**change))] == [kind]


def test_a_price_of_nothing_is_what_a_line_without_price_is_sent_with() -> None:
    free = OURS.model_copy(update={"soldAtPrice": "0.00"})
    assert event_differences(free, theirs(soldAtPrice=None)) == []


@pytest.mark.parametrize(("given_back", "fields"), [({"processOn": "2026-11-19"}, []), ({}, ["processOn"])])
def test_the_field_that_a_connection_adds_is_compared_too(given_back: dict[str, str], fields: list[str]) -> None:
    """Whether the platform knows the name of the process on date shows in what it gives back."""
    late = wire.with_process_on(OURS, "processOn", MOMENT.date() - timedelta(days=1))
    assert [one.field for one in event_differences(late, theirs(**given_back))] == fields


@pytest.mark.parametrize(
    ("revisions", "back", "outcome"),
    [
        ([sent(1), sent(2, inventoryQuantityChange="4")], 4, "same"),
        ([sent(1), sent(2, inventoryQuantityChange="4")], 3, "not_newest"),
        ([sent(1), sent(2, inventoryQuantityChange="4")], 5, "differs"),
        ([sent(1), sent(2, "frozen", inventoryQuantityChange="4")], 3, "same"),
        ([sent(1), sent(2, "frozen", inventoryQuantityChange="4")], 4, "same"),
        ([sent(1, "frozen")], 3, "same"),
        ([sent(1), sent(2, inventoryQuantityChange="-3")], 3, "not_newest"),
        ([sent(1), sent(2, inventoryQuantityChange="-3")], -3, "same"),
        ([sent(1), sent(2, inventoryQuantityChange="4")], -4, "turned"),
        ([], 3, "unknown_here"),
    ],
)
def test_the_newest_accepted_revision_must_be_there_and_one_under_way_may(
    revisions: list[SentLine], back: int, outcome: str
) -> None:
    assert judge_event(theirs(inventoryQuantityChange=back), revisions).outcome == outcome


def test_a_void_line_says_nothing_about_signs() -> None:
    void = sent(1, inventoryQuantityChange="0", inventoryValueChange="0.00")
    judged = judge_event(theirs(inventoryQuantityChange=0, inventoryValueChange=0), [void])
    assert (judged.outcome, judged.tally) == ("same", None)
