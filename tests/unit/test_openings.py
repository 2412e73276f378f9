"""An upload of levels is read line by line: each fault has its place, and the good lines are not lost for it."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ocs.bad_input import BadInput
from ocs.levels.change import Level
from ocs.mapping.lookup import MappedSku
from ocs.openings.models import Counted, Given, Place
from ocs.openings.plan import plan, total
from ocs.openings.read import from_csv, from_json, from_message

SKU, UPC = "101955_3.5g___", "00708762000695"
AS_OF = datetime(2026, 11, 20, 13, tzinfo=UTC)
HEADER = "ocs_sku,sku,upc,quantity,unit_cost,value\n"


def body(*items: object, **changes: Any) -> bytes:
    """Write an upload as JSON."""
    return json.dumps({"as_of": AS_OF.isoformat(), "items": items} | changes).encode()


def item(**changes: Any) -> dict[str, Any]:
    """Give a right item, with changes; None takes a field away."""
    changed = {"ocs_sku": SKU, "upc": UPC, "quantity": "10", "unit_cost": "4.00"} | changes
    return {name: value for name, value in changed.items() if value is not None}


def planned(upload: Given, **skus: MappedSku) -> tuple[list[tuple[tuple[str, str], Level]], list[tuple[str, str]]]:
    """Give what can be written of an upload, and the place and expectation of each fault."""
    lines, faults = plan(upload.lines, skus)
    every = [(fault.field, fault.expected) for fault in (*upload.faults, *faults)]
    return [(line.item, line.level) for line in lines], every


def test_json_and_csv_of_the_same_count_are_the_same() -> None:
    other = item(ocs_sku="X", upc=None, quantity=3, unit_cost=None, value=7.5)
    by_json = from_json(body(item(), other), None, None)
    by_csv = from_csv(f"{HEADER}{SKU},,{UPC},10,4.00,\nX,,,3,,7.5\n".encode(), AS_OF, None)
    expected = [((SKU, UPC), Level(Decimal(10), Decimal(40))), (("X", ""), Level(Decimal(3), Decimal("7.5")))]
    assert planned(by_json) == planned(by_csv) == (expected, [])
    assert (by_json.as_of, by_json.rest, by_json.count) == (by_csv.as_of, by_csv.rest, by_csv.count)


@pytest.mark.parametrize(
    ("changes", "field", "expected"),
    [
        ({"quantity": -1}, "quantity", "greater than or equal to 0"),
        ({"quantity": 1.5}, "quantity", "a whole number of eaches"),
        ({"quantity": True}, "quantity", "an integer, float, string or Decimal"),
        ({"quantity": "NaN"}, "quantity", "a finite number"),
        ({"quantity": None}, "quantity", "required"),
        ({"unit_cost": "1.00001"}, "unit_cost", "4 decimal places"),
        ({"unit_cost": -1}, "unit_cost", "greater than or equal to 0"),
        ({"unit_cost": None}, "unit_cost", "unit_cost or value, one of the two"),
        ({"value": 40}, "value", "unit_cost or value, one of the two"),
        ({"quantity": 0, "unit_cost": None, "value": 5}, "value", "nothing on hand has no value"),
        ({"unit_cots": 1}, "unit_cots", "no such field"),
        ({"upc": 708762000695}, "upc", "a valid string"),
        ({"ocs_sku": None}, "ocs_sku", "the OCS SKU, or the POS's own SKU"),
        ({"ocs_sku": ""}, "ocs_sku", "at least 1 character"),
        ({"ocs_sku": None, "sku": "OUR-1"}, "sku", "map it first"),
        ({"ocs_sku": "A\x00"}, "ocs_sku", "NUL"),
    ],
)
def test_each_wrong_field_is_named_and_the_other_lines_are_good(
    changes: dict[str, Any], field: str, expected: str
) -> None:
    good, faults = planned(from_json(body(item(ocs_sku="B"), item(**changes)), None, None))
    assert [name for (name, _), _ in good] == ["B"]
    assert [place for place, _ in faults] == [f"items[1].{field}"]
    assert expected in faults[0][1]


def test_a_line_that_is_no_object_is_named() -> None:
    assert planned(from_json(body(7, item()), None, None))[1][0][0] == "items[0]"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "the whole message"),
        (b"[" * 100_000, "the whole message"),
        (b'{"items": []}', "as_of"),
        (body(as_of="2026-11-20T08:00:00"), "as_of"),
        (body(rest="drop"), "rest"),
        (body(store="x"), "store"),
        (b'{"as_of": "2026-11-20T08:00:00Z", "items": {}}', "items"),
        (b"\xff\xfe", "the whole message"),
    ],
)
def test_what_is_no_upload_is_refused_as_a_whole(content: bytes, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        from_json(content, None, None)
    assert [fault.field for fault in caught.value.faults] == [field]


def test_an_instant_and_a_rest_in_the_address_fill_in_and_may_not_contradict() -> None:
    without = json.dumps({"items": []}).encode()
    assert from_json(without, AS_OF, "zero").rest == "zero"
    assert from_json(body(), AS_OF, None).rest == "keep"
    for address in ((AS_OF.replace(hour=1), None), (AS_OF, "zero")):
        with pytest.raises(BadInput, match="the body says"):
            from_json(body(rest="keep"), *address)
    with pytest.raises(BadInput, match="as_of"):
        from_csv(HEADER.encode(), None, None)


def test_a_pos_sku_is_read_by_its_mapping_and_a_barcode_given_counts_more() -> None:
    own = item(ocs_sku=None, sku="OUR", upc=None), item(ocs_sku=None, sku="OUR", upc="00708762000701")
    good, faults = planned(from_json(body(*own), None, None), OUR=MappedSku(SKU, UPC))
    assert ([name for name, _ in good], faults) == ([(SKU, UPC), (SKU, "00708762000701")], [])


def test_an_item_given_twice_is_named_with_both_lines_and_neither_is_written() -> None:
    csv = f"{HEADER}{SKU},,{UPC},1,1,\nX,,,1,1,\n,OUR,,2,1,\n".encode()
    good, faults = planned(from_csv(csv, AS_OF, None), OUR=MappedSku(SKU, UPC))
    assert [name for (name, _), _ in good] == ["X"]
    assert faults == [('line 4, column "sku"', "each item only once: line 2 has it too")]


def test_a_count_of_none_needs_no_cost() -> None:
    good, faults = planned(from_json(body(item(quantity=0, unit_cost=None)), None, None))
    assert (good, faults) == ([((SKU, UPC), Level())], [])


def test_a_message_names_its_store() -> None:
    message, given_levels = from_message(body(item(), tenant_id="CROL1234567", store_id="CRSA1111111").decode())
    assert (message.store_id, given_levels.rest, len(given_levels.lines)) == ("CRSA1111111", "keep", 1)
    with pytest.raises(BadInput, match="tenant_id"):
        from_message(body(item()).decode())


counted = st.builds(
    Counted,
    place=st.builds(Place, st.integers(0, 99), st.booleans()),
    ocs_sku=st.sampled_from(["", "A", "B", "C"]),
    sku=st.sampled_from(["", "OUR", "UNKNOWN"]),
    upc=st.sampled_from(["", UPC]),
    quantity=st.integers(0, 3).map(Decimal),
    unit_cost=st.none() | st.decimals(0, 9, places=4),
    value=st.none() | st.decimals(0, 9, places=4),
)


@given(st.lists(counted, max_size=12))
def test_every_line_is_either_written_or_wrong_and_no_item_is_written_twice(lines: list[Counted]) -> None:
    good, faults = plan(lines, {"OUR": MappedSku("A", UPC)})
    items = [line.item for line in good]
    assert len(items) == len(set(items))
    assert (len(good) == len(lines)) == (faults == [])
    assert total(line.level for line in good).quantity == sum(line.level.quantity for line in good)
