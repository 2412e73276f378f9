"""The one answer to "why is this line not sent yet?": each state has one, and the nearest cause comes first."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, strategies as some

from ocs.casework.why import (
    PARKED,
    SETTLED,
    Action,
    Cause,
    LineFacts,
    StreamFacts,
    why,
    why_it_waits,
)

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SOON, PAST = NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)
DUE = StreamFacts(NOW, due_at=PAST, is_due=True)
PENDING, FROZEN = LineFacts("pending", goes_first=False), LineFacts("frozen")

CASES = [
    ("accepted", LineFacts("accepted", reference_id="ref-1"), DUE, Cause.ACCEPTED, "none", "ref-1"),
    ("superseded", LineFacts("superseded"), DUE, Cause.SUPERSEDED, "none", "newer revision"),
    (
        "its POS SKU is not mapped",
        LineFacts("parked", "sku_unmapped", "not mapped yet", "OUR-77"),
        DUE,
        Cause.SKU_UNMAPPED,
        "map_sku",
        "not mapped yet",
    ),
    (
        "the platform refused it",
        LineFacts("parked", "platform_rejected", "ocsSku x is not valid"),
        DUE,
        Cause.PLATFORM_REJECTED,
        "correct",
        "ocsSku x is not valid",
    ),
    (
        "the platform fails on it",
        LineFacts("parked", "platform_failed", "500"),
        DUE,
        Cause.PLATFORM_FAILED,
        "retry",
        "500",
    ),
    ("a warning holds it", LineFacts("parked", "warned", "to look"), DUE, Cause.WARNED, "retry", "to look"),
    ("parked for a new cause", LineFacts("parked", "whatever", "so"), DUE, Cause.PARKED, "retry", "so"),
    ("being sent", FROZEN, replace(DUE, lease_until=SOON), Cause.BEING_SENT, "wait", "this moment"),
    ("behind what is sent", PENDING, replace(DUE, lease_until=SOON), Cause.BEHIND_OTHERS, "wait", "in their order"),
    (
        "in a later batch",
        replace(FROZEN, goes_first=False),
        replace(DUE, lease_until=SOON),
        Cause.BEHIND_OTHERS,
        "wait",
        "Lines before it",
    ),
    ("the store is off", PENDING, replace(DUE, switched_on=False), Cause.STORE_OFF, "switch_on", "switched off"),
    (
        "the store is paused",
        PENDING,
        replace(DUE, paused_through="store", paused_why="Ann paused it: count"),
        Cause.STORE_PAUSED,
        "resume",
        "Ann paused it: count",
    ),
    (
        "the connection is paused",
        PENDING,
        replace(DUE, paused_through="connection"),
        Cause.CONNECTION_PAUSED,
        "resume",
        "Nothing is lost",
    ),
    (
        "the tenant is paused",
        PENDING,
        replace(DUE, paused_through="tenant"),
        Cause.TENANT_PAUSED,
        "resume",
        "Nothing is lost",
    ),
    (
        "no position was accepted",
        PENDING,
        replace(DUE, anchored=False),
        Cause.FIRST_POSITION,
        "send_position",
        "no position of this store",
    ),
    (
        "the breaker is open",
        PENDING,
        replace(DUE, hold_until=SOON, hold_cause="breaker", said="500"),
        Cause.BREAKER_OPEN,
        "wait",
        "It said last: 500",
    ),
    (
        "the connection is to slow down",
        PENDING,
        replace(DUE, hold_until=SOON, hold_cause="slow_down"),
        Cause.SLOW_DOWN,
        "wait",
        "call less",
    ),
    (
        "the connection's credentials are refused",
        PENDING,
        replace(DUE, hold_until=SOON, hold_cause="credentials"),
        Cause.CREDENTIALS_REFUSED,
        "rotate_credentials",
        "credentials",
    ),
    (
        "the store is to slow down",
        PENDING,
        StreamFacts(NOW, due_at=SOON, wait_cause="slow_down"),
        Cause.SLOW_DOWN,
        "wait",
        "call less",
    ),
    (
        "the store's hash key is refused",
        PENDING,
        StreamFacts(NOW, due_at=SOON, wait_cause="credentials"),
        Cause.CREDENTIALS_REFUSED,
        "rotate_credentials",
        "hash key",
    ),
    (
        "our own fault",
        PENDING,
        StreamFacts(NOW, due_at=SOON, wait_cause="ours"),
        Cause.OUR_FAULT,
        "wait",
        "our own key vault",
    ),
    (
        "it is tried again later",
        FROZEN,
        StreamFacts(NOW, due_at=SOON, wait_cause="upstream", said="503"),
        Cause.BACKOFF,
        "submit",
        "failed on it. It is tried again by itself. It said last: 503",
    ),
    (
        "what is before it is tried again later",
        PENDING,
        StreamFacts(NOW, due_at=SOON, wait_cause="upstream"),
        Cause.BACKOFF,
        "submit",
        "a line before it",
    ),
    ("all calls are in use", PENDING, replace(DUE, has_free_slot=False), Cause.CALLS_BUSY, "wait", "other stores"),
    ("queued just now", PENDING, DUE, Cause.QUEUED, "wait", "just now"),
    ("nobody was told", PENDING, StreamFacts(NOW), Cause.NOT_DUE, "submit", "nobody was told"),
]


@pytest.mark.parametrize(
    ("line", "stream", "cause", "action", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_each_cause_has_its_words_and_what_mends_it(
    line: LineFacts, stream: StreamFacts, cause: Cause, action: str, words: str
) -> None:
    answer = why(line, stream)
    assert (answer.cause, answer.fix.action) == (cause, action)
    assert words in answer.says


def test_every_cause_is_tried() -> None:
    assert {case[3] for case in CASES} == set(Cause)
    assert {case[4] for case in CASES} == set(get_args(Action))


def test_a_wait_says_until_when() -> None:
    for stream in (
        replace(DUE, hold_until=SOON, hold_cause="breaker"),
        replace(DUE, hold_until=SOON, hold_cause="credentials", due_at=PAST),
        StreamFacts(NOW, due_at=SOON, wait_cause="upstream"),
    ):
        assert why(PENDING, stream).fix.until == SOON


def test_what_is_over_holds_nothing() -> None:
    over = replace(DUE, hold_until=PAST, hold_cause="breaker", lease_until=PAST, wait_cause="upstream")
    assert why(PENDING, over).cause is Cause.QUEUED


INSTANTS = some.none() | some.sampled_from([PAST, NOW, SOON])
STREAMS = some.builds(
    StreamFacts,
    now=some.just(NOW),
    switched_on=some.booleans(),
    paused_through=some.sampled_from([None, "store", "connection", "tenant"]),
    paused_why=some.none() | some.text(),
    anchored=some.booleans(),
    hold_until=INSTANTS,
    hold_cause=some.none() | some.sampled_from(["breaker", "slow_down", "credentials"]) | some.text(),
    due_at=INSTANTS,
    is_due=some.booleans(),
    wait_cause=some.none() | some.sampled_from(["upstream", "slow_down", "credentials", "ours"]) | some.text(),
    lease_until=INSTANTS,
    has_free_slot=some.booleans(),
    said=some.none() | some.text(),
)
LINES = some.builds(
    LineFacts,
    state=some.sampled_from(["pending", "frozen", "accepted", "parked", "superseded"]),
    parked_cause=some.none() | some.sampled_from(sorted(PARKED)) | some.text(),
    parked_reason=some.none() | some.text(min_size=1),
    pos_sku=some.none() | some.text(),
    goes_first=some.booleans(),
    reference_id=some.none() | some.text(),
)


@given(LINES, STREAMS)
def test_every_state_has_an_answer_that_fits_it(line: LineFacts, stream: StreamFacts) -> None:
    answer = why(line, stream)
    assert answer.says
    assert answer.fix.says
    assert (answer.cause in SETTLED) == (line.state in ("accepted", "superseded"))
    assert (answer.cause in PARKED) == (line.state == "parked")
    assert (answer.fix.action == "none") == (answer.cause in SETTLED)


@given(LINES, STREAMS)
def test_what_is_parked_or_settled_does_not_depend_on_its_store(line: LineFacts, stream: StreamFacts) -> None:
    if line.state not in ("pending", "frozen"):
        assert why(line, stream) == why(line, DUE)


@given(STREAMS, some.booleans())
def test_a_store_that_may_not_report_never_seems_to_be_about_to_send(stream: StreamFacts, frozen: bool) -> None:
    held = replace(stream, lease_until=None)
    cause = why_it_waits(held, frozen=frozen, goes_first=frozen).cause
    if not (held.switched_on and held.paused_through is None and held.anchored):
        assert cause not in (Cause.QUEUED, Cause.BACKOFF, Cause.CALLS_BUSY, Cause.NOT_DUE, Cause.BEING_SENT)


def test_the_property_tests_draw_every_fact() -> None:
    drawn = {"now", "switched_on", "paused_through", "paused_why", "anchored", "hold_until", "hold_cause", "due_at"}
    drawn |= {"is_due", "wait_cause", "lease_until", "has_free_slot", "said"}
    assert {field.name for field in fields(StreamFacts)} == drawn
