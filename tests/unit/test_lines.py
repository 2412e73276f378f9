"""What a transaction becomes: line ids, ledger signs, costs, levels and corrections."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given, strategies as st

from ocs.events.lines import Change, Known, Revision, Sent, build, line_id, sales_transaction_id
from ocs.events.models import Transaction
from ocs.levels.change import Effect, Level
from ocs.tenants.models import TransactionType
from ocs.tenants.plan_of_record import PLAN_OF_RECORD
from tests.unit.store import STORE

STORE_ID = STORE.store_id
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
ITEM = ("101955_3.5g___", "00708762000695")
NOTHING_KNOWN = Known({}, {}, {})
SENT_NOW = Sent(NOW)


def transaction(kind: str = "sale", quantity: object = 1, **changes: Any) -> Transaction:
    """Give a transaction of one line, with changes to the line or to the whole."""
    line = {"ocs_sku": ITEM[0], "upc": ITEM[1], "quantity": quantity}
    whole = {"tenant_id": "CROL1234567", "store_id": "CRSA1111111", "transaction_type": kind, "transaction_id": "T1"}
    for name, value in changes.items():
        (line if name in ("unit_price", "unit_cost", "line_id", "sku", "ocs_sku", "upc") else whole)[name] = value
    if kind.startswith("transfer"):
        whole.setdefault("counterparty_crsa", "CRSA2222222")
    return Transaction.model_validate(whole | {"items": [line]})


def change(given: Transaction, known: Known = NOTHING_KNOWN, sent: Sent = SENT_NOW) -> Change:
    """Build a transaction's change with the plan of record's mapping."""
    return build(given, STORE, PLAN_OF_RECORD[given.transaction_type], sent, known, 1)


def known_after(made: Change, levels: dict[tuple[str, str], Level] | None = None) -> Known:
    """Give what is known once a change has been written."""
    fields = Revision.__dataclass_fields__
    revisions = {line.line_id: Revision(**{name: getattr(line, name) for name in fields}) for line in made.lines}
    return Known(revisions, moved(made) if levels is None else levels, {})


def moved(made: Change) -> dict[tuple[str, str], Level]:
    """Give what a change does to each item in all, save nothing."""
    items = {effect.item for effect in made.effects}
    sums = {item: sum((e.change for e in made.effects if e.item == item), Level()) for item in items}
    return {item: level for item, level in sums.items() if level != Level()}


def test_the_ledgers_sign_is_the_types_direction() -> None:
    signs = {kind: change(transaction(kind, 3)).lines[0].quantity for kind in TransactionType}
    assert signs == {
        "sale": -3,
        "purchase": 3,
        "adjustment": 3,
        "transfer": -3,
        "transfer_in": 3,
        "return": 3,
        "damage": -3,
        "expire": -3,
        "loss": -3,
        "supplier_return": -3,
    }


def test_a_line_without_an_id_gets_the_same_one_every_time() -> None:
    first, again = change(transaction()).lines[0], change(transaction()).lines[0]
    assert first.line_id == again.line_id
    assert first.line_id.version == 5
    assert first.line_id != line_id(STORE_ID, "T1", 1, transaction().items[0])
    assert first.line_id != line_id(STORE_ID, "T2", 0, transaction().items[0])


def test_a_transaction_number_that_is_a_uuid_is_sent_as_it_is() -> None:
    own = "7b0c6a52-5f0e-4f6c-9c0e-3a9b52f4a111"
    assert str(sales_transaction_id(STORE_ID, own)) == own
    assert sales_transaction_id(STORE_ID, "T-1") == sales_transaction_id(STORE_ID, "T-1")


def test_the_same_content_again_changes_nothing() -> None:
    first = change(transaction(quantity="2", unit_price="49.950"))
    again = change(transaction(quantity=2, unit_price=49.95), known_after(first))
    assert (again.lines, again.effects, again.unchanged) == ((), (), 1)


def test_other_content_is_a_correction_that_undoes_the_first() -> None:
    first = change(transaction("purchase", 10, unit_cost="5"))
    second = change(transaction("purchase", 8, unit_cost="5"), known_after(first))
    assert second.lines[0].revision == 2
    assert second.corrected == [first.lines[0].line_id]
    assert moved(second) == {ITEM: Level(Decimal(-2), Decimal(-10))}


def test_a_correction_of_the_sku_moves_the_quantity_to_the_right_item() -> None:
    first = change(transaction("purchase", 10, unit_cost="5"))
    second = change(transaction("purchase", 10, unit_cost="5", ocs_sku="200000_1g___"), known_after(first))
    assert moved(second) == {
        ("200000_1g___", ITEM[1]): Level(Decimal(10), Decimal(50)),
        ITEM: Level(Decimal(-10), Decimal(-50)),
    }


def test_a_missing_cost_is_the_moving_average() -> None:
    held = Known({}, {ITEM: Level(Decimal(4), Decimal(30))}, {})
    line = change(transaction("sale", 2), held).lines[0]
    assert (line.unit_cost, line.value) == (Decimal("7.5"), Decimal(-15))
    assert "no_unit_cost" not in line.warnings


def test_a_missing_cost_without_an_average_is_value_zero_and_a_warning() -> None:
    line = change(transaction("sale", 2)).lines[0]
    assert (line.unit_cost, line.value) == (None, Decimal(0))
    assert "no_unit_cost" in line.warnings


def test_a_correction_without_cost_keeps_the_lines_own() -> None:
    first = change(transaction("sale", 2), Known({}, {ITEM: Level(Decimal(4), Decimal(30))}, {}))
    later = known_after(first, {ITEM: Level(Decimal(100), Decimal(100))})
    assert change(transaction("sale", 3), later).lines[0].unit_cost == Decimal("7.5")


def test_a_missing_time_is_when_it_was_queued_and_stays_out_of_the_content() -> None:
    first = change(transaction())
    later = change(transaction(), known_after(first), Sent(NOW.replace(hour=20)))
    assert first.lines[0].occurred_at == NOW
    assert later.unchanged == 1


def test_an_older_word_that_comes_late_changes_nothing() -> None:
    """The correction was taken in first; the original's worker had died, and the queue gives it ten minutes later."""
    correction = change(transaction(quantity=5), sent=Sent(NOW))
    late = change(transaction(quantity=1), known_after(correction), Sent(NOW - timedelta(seconds=1)))
    assert (late.lines, late.unchanged) == ((), 1)


def test_a_copy_of_what_was_said_before_changes_nothing() -> None:
    first = change(transaction(quantity=1))
    second = change(transaction(quantity=5), known_after(first))
    copy = change(transaction(quantity=1), known_after(second), Sent(NOW + timedelta(hours=1), is_copy=True))
    assert (copy.lines, copy.unchanged, copy.undecided) == ((), 1, ())


def test_a_copy_that_says_something_new_of_a_known_line_is_left_to_a_person() -> None:
    first = change(transaction(quantity=1))
    copy = change(transaction(quantity=5), known_after(first), Sent(NOW + timedelta(hours=1), is_copy=True))
    assert (copy.lines, copy.undecided) == ((), (0,))


def test_a_copy_of_a_line_that_is_not_known_is_taken_in() -> None:
    assert change(transaction(), sent=Sent(NOW, is_copy=True)).lines


def test_a_correction_back_to_the_first_content_is_a_correction() -> None:
    first = change(transaction(quantity=1))
    second = change(transaction(quantity=5), known_after(first))
    third = change(transaction(quantity=1), known_after(second), Sent(NOW + timedelta(minutes=1)))
    assert third.lines[0].revision == 3


def test_a_void_needs_a_line_to_void() -> None:
    assert change(transaction(quantity=0)).voids_unknown == (0,)
    first = change(transaction("purchase", 10, unit_cost="5"))
    void = change(transaction("purchase", 0, unit_cost="5"), known_after(first))
    assert moved(void) == {ITEM: Level(Decimal(-10), Decimal(-50))}


def test_an_unmapped_sku_is_recorded_and_moves_no_level() -> None:
    made = change(transaction(ocs_sku=None, sku="ABC"))
    assert made.lines[0].ocs_sku is None
    assert made.effects == ()


def test_a_late_receipt_counts_from_the_noon_of_its_true_day_and_a_correction_takes_it_back_from_there() -> None:
    """24 hours is no day: on the 1st of November 2026 Toronto's clocks go back, and noon is 17:00 UTC from then on."""
    late = {"occurred_at": NOW.isoformat(), "unit_cost": "5"}
    first = change(transaction("purchase", 10, process_on="2026-10-31", **late))
    second = change(transaction("purchase", 10, process_on="2026-11-01", **late), known_after(first))
    noon_before, noon_after = datetime(2026, 10, 31, 16, tzinfo=UTC), datetime(2026, 11, 1, 17, tzinfo=UTC)
    ten = Level(Decimal(10), Decimal(50))
    assert first.effects == (Effect(ITEM, noon_before, 1, ten),)
    assert second.effects == (Effect(ITEM, noon_before, 1, -ten, undoes=True), Effect(ITEM, noon_after, 1, ten))


steps = st.tuples(st.integers(0, 3), st.sampled_from(["sale", "purchase", "return", "adjustment"]), st.integers(0, 50))


@given(st.lists(steps, max_size=25))
def test_levels_are_the_sum_of_the_newest_revisions_whatever_came_before(history: list[tuple[int, str, int]]) -> None:
    """However lines are made, corrected, voided and repeated, a level is the sum of what stands."""
    revisions: dict[UUID, Revision] = {}
    levels: dict[tuple[str, str], Level] = {}
    for number, kind, quantity in history:
        made = change(transaction(kind, quantity, transaction_id=f"T{number}"), Known(revisions, levels, {}))
        revisions |= known_after(made).revisions
        for item, delta in moved(made).items():
            levels[item] = levels.get(item, Level()) + delta
    standing = sum((line.quantity for line in revisions.values()), Decimal(0))
    value = sum((line.value for line in revisions.values()), Decimal(0))
    assert levels.get(ITEM, Level()) == Level(standing, value)
