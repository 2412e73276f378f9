"""Cursors: what a page gave is read back to the letter, and anything else is refused in words."""

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from ocs.bad_input import BadInput
from ocs.web.paging import decode, encode, page_of

KEYS = st.tuples(
    st.datetimes(timezones=st.just(UTC)),
    st.dates(),
    st.integers(-(2**63), 2**63 - 1),
    st.uuids(),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
)


@given(KEYS)
def test_a_cursor_brings_its_keys_back(keys: tuple[Any, ...]) -> None:
    assert decode(encode(*keys), datetime, date, int, UUID, Decimal, str) == list(keys)


@given(st.text(max_size=60))
def test_a_made_up_cursor_is_refused_or_read_never_an_error(cursor: str) -> None:
    found: list[Any] | None = None
    with suppress(BadInput):
        found = decode(cursor, datetime, int)
    assert found is None or len(found) == 2


@pytest.mark.parametrize(
    ("kind", "value"), [(datetime, "2026-01-01T00:00:00"), (int, str(2**63)), (str, "a\x00b"), (Decimal, "NaN")]
)
def test_a_key_that_postgres_could_not_take_is_refused(kind: type, value: str) -> None:
    with pytest.raises(BadInput):
        decode(encode(value), kind)


def test_the_last_page_has_no_next() -> None:
    rows: list[dict[str, Any]] = [{"n": number} for number in range(3)]
    assert page_of(rows, 3, "n")["next"] is None
    first = page_of(rows, 2, "n")
    assert (first["items"], decode(first["next"], int)) == (rows[:2], [1])
