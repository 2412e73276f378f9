"""Bad input is shown so that its sender can read it, and so that it can be written anywhere."""

from hypothesis import given, strategies as st

from ocs.bad_input import LONGEST_QUOTE, bad_input, quoted


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_whatever_was_found_can_be_written_as_utf_8(found: str) -> None:
    """JSON can hold half a character (a lone surrogate), which no encoder takes."""
    assert str(bad_input("field", found, "text")).encode("utf-8")


def test_half_a_character_is_shown_as_its_escape() -> None:
    assert quoted("a\ud800b") == '"a\\ud800b"'


def test_a_cut_is_visible() -> None:
    shown = quoted("x" * 500)
    assert shown.endswith("… (502 characters)")
    assert len(shown) < LONGEST_QUOTE + 30
