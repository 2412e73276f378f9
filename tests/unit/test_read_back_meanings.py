"""The verdict on a transaction type says what all its lines say, and nothing more."""

from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from ocs.reconciliation.meanings import ECHO, TWO_WAYS, Tally, Verdict, added, tally, verdicts

WIRE_SIGNS = st.sampled_from(["absolute", "ledger"])
QUANTITIES = st.integers(-50, 50).filter(bool)


def one(ledger: int, there: int, *, kind: str = "sale", wire_sign: str = "absolute", back: str = "PURCHASE") -> Tally:
    """Give a line that was sent as PURCHASE and came back somehow."""
    return tally(kind, wire_sign, ("PURCHASE", back), Decimal(ledger), Decimal(there))


def verdict(*lines: Tally) -> Verdict:
    """Give the verdict on lines of one type."""
    (found,) = verdicts(added(lines))
    return found


@given(quantities=st.lists(QUANTITIES, min_size=1), wire_sign=WIRE_SIGNS)
def test_what_comes_back_with_the_ledgers_sign_agrees(quantities: list[int], wire_sign: str) -> None:
    found = verdict(*[one(quantity, quantity, wire_sign=wire_sign) for quantity in quantities])
    assert (found.lines, found.may_confirm) == (len(quantities), True)


@given(quantities=st.lists(QUANTITIES, min_size=1))
def test_what_was_sent_with_its_sign_and_comes_back_against_it_never_agrees(quantities: list[int]) -> None:
    found = verdict(*[one(quantity, -quantity, wire_sign="ledger") for quantity in quantities])
    assert not found.may_confirm


@given(
    lines=st.lists(st.tuples(QUANTITIES, st.booleans(), WIRE_SIGNS, st.sampled_from(["PURCHASE", "SALE"])), min_size=1)
)
def test_only_one_mapping_one_word_and_one_sign_agree(lines: list[tuple[int, bool, str, str]]) -> None:
    tallies = [one(q, -q if turn else q, wire_sign=sign, back=back) for q, turn, sign, back in lines]
    found = verdict(*tallies)
    sent = [abs(q) if sign == "absolute" else q for q, _, sign, _ in lines]
    came = [-q if turn else q for q, turn, _, _ in lines]
    one_sign = came == sent or came == [q for q, *_ in lines]
    one_word = {back for *_, back in lines} == {"PURCHASE"}
    assert found.may_confirm == (one_sign and one_word and len({sign for _, _, sign, _ in lines}) == 1)


@pytest.mark.parametrize(
    ("lines", "came", "meaning"),
    [
        (
            [one(-3, -3)] * 12,
            "sent 12 as PURCHASE 3, came back as PURCHASE -3 for all 12",
            "the ledger is signed, the platform turns it",
        ),
        ([one(-3, 3)], "sent 1 as PURCHASE 3, came back as PURCHASE 3 for it", ECHO),
        (
            [one(-3, -3)] * 2 + [one(-1, -1, back="")],
            "sent 3 as PURCHASE 3, came back as PURCHASE for 2, as (no word) for 1",
            "the ledger is signed, the platform turns it",
        ),
        (
            [one(-3, -3), one(-3, -3, wire_sign="ledger")],
            "sent 2 as PURCHASE 3, came back as PURCHASE -3 for all 2",
            f"the ledger is signed, the platform turns it; {TWO_WAYS}",
        ),
    ],
)
def test_the_words_say_what_was_sent_what_came_back_and_what_it_means(
    lines: list[Tally], came: str, meaning: str
) -> None:
    assert verdict(*lines).words == f"{came}: {meaning}"


def test_an_adjustment_must_have_gone_both_ways() -> None:
    """What only ever went down shows nothing about the other direction, and the POS signs adjustments itself."""
    down, up = (one(sign * 2, sign * 2, kind="adjustment", wire_sign="ledger") for sign in (-1, 1))
    assert [verdict(down).may_confirm, verdict(up).may_confirm, verdict(down, up).may_confirm] == [False, False, True]


def test_each_type_has_a_verdict_of_its_own() -> None:
    found = verdicts([one(-3, 9), one(2, 2, kind="purchase")])
    assert [(each.transaction_type, each.sign) for each in found] == [("purchase", "same"), ("sale", "amounts")]
