"""What the audit's hashes are reckoned from: one way of writing, whatever was given."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from ocs.audit import content

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


class Colour(StrEnum):
    """A word of ours."""

    RED = "red"


@given(Json)
def test_what_is_plain_reads_back_from_its_text_as_it_was(value: object) -> None:
    plain = content.plain(value)
    assert json.loads(content.canonical(plain)) == plain
    assert content.plain(plain) == plain


@given(st.dictionaries(st.text(max_size=5), st.integers(), min_size=2))
def test_the_order_of_keys_says_nothing(value: dict[str, int]) -> None:
    turned = dict(reversed(value.items()))
    assert content.canonical(content.plain(turned)) == content.canonical(content.plain(value))


@given(Json, Json)
def test_what_differs_is_written_differently(one: object, other: object) -> None:
    one, other = content.plain(one), content.plain(other)
    # True is 1 to Python and not to JSON: told apart by their texts.
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (content.canonical(one) == content.canonical(other)) == same


def test_each_kind_has_one_text() -> None:
    toronto = timezone(timedelta(hours=-5))
    given = {
        "at": datetime(2026, 11, 21, 9, 30, tzinfo=toronto),
        "amount": Decimal("80.850"),
        "id": UUID(int=1),
        "colour": Colour.RED,
        "share": 0.5,
        "some": {"b", "a"},
        "body": b"\x00\xff",
        "text": "a\x00b\ud800",
    }
    assert content.canonical(content.plain(given)) == (
        '{"amount":"80.850","at":"2026-11-21T14:30:00.000000+00:00","body":"00ff","colour":"red",'
        '"id":"00000000-0000-0000-0000-000000000001","share":"0.5","some":["a","b"],"text":"a\ufffdb?"}'
    )


def test_what_has_no_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object has no form in the audit"):
        content.plain({"what": object()})


def test_ids_sort_by_their_time() -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=7 * number) for number in range(50)]
    ids = [content.id_at(moment) for moment in moments]
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}
