"""Are we compliant now? A table of cases: one figure at a time makes the answer, the worst one wins, words say why."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from ocs.status.counts import Counted, difference_of
from ocs.status.figures import Beside, ConnectionFigures, Latency, StoreFigures, Success, totals_of
from ocs.status.verdict import A_DAY, SHOWN, SLOW, Answer, verdict, verdict_of_store

GOOD = StoreFigures(
    store_id=UUID(int=1),
    tenant_id=UUID(int=9),
    connection_id=UUID(int=5),
    crol="CROL1234567",
    crsa="CRSA1111111",
    name="One",
    time_zone="America/Toronto",
    switched_on=True,
    paused_through=None,
    paused_at=None,
    paused_why=None,
    anchored=True,
    today=date(2026, 11, 20),
    taken_in=160,
    accepted=160,
    pending=0,
    parked=0,
    oldest_unsent_seconds=None,
    oldest_parked_seconds=None,
    waits_for=None,
    waits_since=None,
    night_date=date(2026, 11, 19),
    night="accepted",
    night_text=None,
    snapshot=None,
    alerts=0,
)
CONNECTED = ConnectionFigures(
    connection_id=UUID(int=5),
    tenant_id=UUID(int=9),
    name="uat",
    environment="uat",
    credentials="good",
    last_good_use=datetime(2026, 11, 20, tzinfo=UTC),
    refused_since=None,
    token="given",
    breaker="closed",
    until=None,
    held_for=None,
    last_hour=Success.of(100, 100),
    last_day=Success.of(100, 100),
)


@pytest.mark.parametrize(
    ("found", "answer", "cause"),
    [
        ({}, Answer.YES, None),
        ({"pending": 3, "oldest_unsent_seconds": SLOW}, Answer.YES, None),
        ({"pending": 3, "oldest_unsent_seconds": SLOW + 1}, Answer.AT_RISK, "unsent"),
        ({"pending": 3, "oldest_unsent_seconds": A_DAY}, Answer.AT_RISK, "unsent"),
        ({"pending": 3, "oldest_unsent_seconds": A_DAY + 1}, Answer.NO, "unsent_for_a_day"),
        ({"parked": 1, "oldest_parked_seconds": 1.0}, Answer.AT_RISK, "parked"),
        ({"parked": 1, "oldest_parked_seconds": A_DAY + 1}, Answer.NO, "parked_for_a_day"),
        ({"night": "under_way"}, Answer.AT_RISK, "position_under_way"),
        ({"night": "refused"}, Answer.NO, "position_missing"),
        ({"night": "not_made"}, Answer.NO, "position_missing"),
        ({"night": "not_due"}, Answer.YES, None),
        ({"night": "not_made", "switched_on": False}, Answer.YES, None),
        ({"pending": 1, "switched_on": False}, Answer.AT_RISK, "switched_off"),
        ({"waits_for": "credentials"}, Answer.AT_RISK, "credentials_refused"),
        ({"paused_through": "tenant"}, Answer.AT_RISK, "paused"),
        ({"waits_for": "upstream"}, Answer.YES, None),
    ],
)
def test_a_store_is_judged_by_its_figures(found: dict[str, Any], answer: Answer, cause: str | None) -> None:
    store = replace(GOOD, **found)
    for judged in (verdict_of_store(store), verdict([store], [CONNECTED], 0)):
        assert judged.answer is answer
        assert [reason.cause for reason in judged.reasons] == ([] if cause is None else [cause])


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ({"breaker": "open"}, "breaker"),
        ({"breaker": "ramping"}, "breaker"),
        ({"token": "refused"}, "sign_in_refused"),
        ({"last_hour": Success.of(100, 94)}, "success_rate"),
        ({"last_hour": Success.of(100, 95)}, None),
        ({"last_hour": Success.of(19, 0)}, None),
    ],
)
def test_a_connection_puts_all_at_risk(found: dict[str, Any], cause: str | None) -> None:
    judged = verdict([GOOD], [replace(CONNECTED, **found)], 0)
    assert judged.answer is (Answer.YES if cause is None else Answer.AT_RISK)
    assert [reason.cause for reason in judged.reasons] == ([] if cause is None else [cause])
    assert all("connection uat" in reason.text for reason in judged.reasons)


NIGHTS = st.sampled_from(["accepted", "under_way", "refused", "not_made", "not_due"])
AGES = st.none() | st.floats(0, 3 * A_DAY)
STORES = st.builds(
    replace,
    st.just(GOOD),
    night=NIGHTS,
    oldest_unsent_seconds=AGES,
    oldest_parked_seconds=AGES,
    pending=st.integers(0, 9),
    parked=st.integers(0, 9),
    switched_on=st.booleans(),
    paused_through=st.sampled_from([None, "store"]),
)


@given(st.lists(STORES, max_size=6))
def test_all_together_are_as_good_as_the_worst_of_them(stores: list[StoreFigures]) -> None:
    worst = max((list(Answer).index(verdict_of_store(store).answer) for store in stores), default=0)
    assert list(Answer).index(verdict(stores, [], 0).answer) == worst


def test_the_worst_reason_comes_first_and_makes_the_answer() -> None:
    stores = [replace(GOOD, parked=1, oldest_parked_seconds=5.0), replace(GOOD, crsa="CRSA2222222", night="refused")]
    judged = verdict(stores, [replace(CONNECTED, breaker="open")], 2)
    assert judged.answer is Answer.NO
    assert [reason.cause for reason in judged.reasons] == ["position_missing", "parked", "breaker", "dead_letters"]
    assert judged.reasons[0].text == "Last night's position is not at the platform: CRSA2222222."
    assert judged.reasons[3].text == "2 messages of a POS could not be taken in: what they say is not reported."


def test_a_reason_names_a_few_stores_and_counts_the_others() -> None:
    stores = [replace(GOOD, crsa=f"CRSA{n:07}", night="not_made") for n in range(SHOWN + 3)]
    (reason,) = verdict(stores, [], 0).reasons
    assert reason.text.startswith("Last night's position of 8 stores is not at the platform: CRSA0000000, ")
    assert reason.text.endswith("CRSA0000004 and 3 more.")
    assert len(reason.stores) == len(stores)


def test_totals_add_up_and_the_oldest_is_the_oldest() -> None:
    stores = [
        replace(GOOD, pending=2, oldest_unsent_seconds=10.0, alerts=1),
        replace(GOOD, pending=1, oldest_unsent_seconds=70.0, night="refused"),
        replace(GOOD, switched_on=False, night="not_made"),
    ]
    totals = totals_of(
        stores, [CONNECTED, replace(CONNECTED, last_hour=Success.of(100, 50))], Latency(0, None, None), Beside(4, 2)
    )
    assert (totals.stores, totals.switched_on, totals.taken_in, totals.pending) == (3, 2, 480, 3)
    assert (totals.oldest_unsent_seconds, totals.alerts, totals.dead_letters) == (70.0, 3, 4)
    assert (totals.coverage.accepted, totals.coverage.refused, totals.coverage.not_made) == (1, 1, 0)
    assert totals.last_hour == Success(200, 150, 0.75)


NOTHING = Counted(
    numbers=5,
    lines=5,
    outbox_items=5,
    accepted=5,
    parked=0,
    pending=0,
    superseded=0,
    lines_alone=0,
    items_alone=0,
)


@pytest.mark.parametrize(
    ("found", "agreement", "said"),
    [
        ({}, "equal", []),
        ({"accepted": 4, "pending": 1}, "explained", ["1 of 5 lines: on its way."]),
        ({"accepted": 4, "parked": 1}, "explained", ["1 of 5 lines: parked"]),
        ({"accepted": 4, "superseded": 1}, "explained", ["1 of 5 lines: replaced by a correction"]),
        ({"accepted": 4, "outbox_items": 4, "lines_alone": 1}, "differs", ["1 of 5 lines: recorded without an outbox"]),
        ({"lines": 4, "items_alone": 1}, "differs", ["1 of 5 lines: in the outbox without the line"]),
        ({"lines": 4, "outbox_items": 4, "accepted": 4}, "differs", ["1 of 5 lines: numbered, and neither"]),
    ],
)
def test_a_difference_of_counts_is_named(found: dict[str, Any], agreement: str, said: list[str]) -> None:
    difference = difference_of(replace(NOTHING, **found))
    assert difference.agreement == agreement
    assert [words.startswith(start) for words, start in zip(difference.words, said, strict=True)] == [True] * len(said)
