"""Retry-After in seconds and as a date, and what is made of nonsense."""

import pytest
from hypothesis import example, given, strategies as st

from ocs.regulator.retry_after import LONGEST, WHEN_NOT_SAID, retry_after_seconds


def test_seconds_are_taken_as_they_are() -> None:
    assert retry_after_seconds({"Retry-After": "120"}) == 120


def test_a_date_is_seen_from_the_replys_own_clock() -> None:
    headers = {"Retry-After": "Fri, 20 Nov 2026 10:05:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}
    assert retry_after_seconds(headers) == 300


def test_a_date_gone_by_means_now() -> None:
    headers = {"Retry-After": "Fri, 20 Nov 2026 09:00:00 GMT", "Date": "Fri, 20 Nov 2026 10:00:00 GMT"}
    assert retry_after_seconds(headers) == 0


@pytest.mark.parametrize("said", ["", "soon", "-5", "1.5"])
def test_what_cannot_be_read_means_half_a_minute(said: str) -> None:
    assert retry_after_seconds({"Retry-After": said}) == WHEN_NOT_SAID


def test_a_wait_of_years_is_not_believed() -> None:
    assert retry_after_seconds({"Retry-After": "99999999999999"}) == LONGEST


@example("²", "")
@given(st.text(), st.text())
def test_whatever_is_said_the_wait_is_bounded(said: str, date: str) -> None:
    assert 0 <= retry_after_seconds({"Retry-After": said, "Date": date}) <= LONGEST
