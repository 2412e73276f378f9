"""Which of a secret's good values is tried first while it is rotated."""

import pytest
from hypothesis import given, strategies as st

from ocs.regulator import auth
from ocs.regulator.auth import Choice

VALUES = ("current", "before")
some_values = st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True).map(tuple)


def test_the_current_one_is_tried_first() -> None:
    assert Choice().order("secret", VALUES) == VALUES


def test_one_that_was_refused_where_the_other_was_let_in_is_tried_last() -> None:
    choice = Choice()
    choice.note("secret", ["current"])
    assert choice.order("secret", VALUES) == ("before", "current")
    assert choice.order("another", VALUES) == VALUES


def test_where_both_were_refused_the_current_one_is_first_again() -> None:
    choice = Choice()
    choice.note("secret", ["current"])
    choice.note("secret", ["before"])
    assert choice.order("secret", VALUES) == VALUES


def test_a_refusal_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "SECOND_CHOICE_SECONDS", 0)
    choice = Choice()
    choice.note("secret", ["current"])
    assert choice.order("secret", VALUES) == VALUES


@given(values=some_values, refused=st.sets(st.text(min_size=1)))
def test_no_value_is_left_out_or_made_up(values: tuple[str, ...], refused: set[str]) -> None:
    choice = Choice()
    choice.note("secret", refused | set(values[:1]))
    assert sorted(choice.order("secret", values)) == sorted(values)
