"""What is odd about a line: each warning has its cause, and nothing else raises it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from ocs.catalogue.preflight import CatalogueFacts, Said
from ocs.catalogue.warnings import WARNINGS
from ocs.events.warn import NO_LIGHT, Light, Looked, line_warnings, why_to_wait
from ocs.tenants.models import TransactionType
from tests.unit.store import STORE
from tests.unit.test_lines import ITEM, NOW

LINE = Looked(
    transaction_type=TransactionType.SALE,
    type_is_confirmed=True,
    ocs_sku=ITEM[0],
    upc=ITEM[1],
    unit_cost=Decimal(5),
    unit_price=Decimal(9),
    counterparty_crsa="",
    reason="",
    effective_at=NOW,
)
RIGHT = Said(has_sku=True, is_gone=False, has_barcode=True, is_pair=True)
TRANSFER = {"transaction_type": TransactionType.TRANSFER, "unit_price": None}


def in_light(**said: bool) -> Light:
    """Give the light of a catalogue that was read and says this of the item."""
    return Light(CatalogueFacts(synced=True, said={ITEM: replace(RIGHT, **said)}))


@pytest.mark.parametrize(
    ("changes", "light", "warnings"),
    [
        ({}, NO_LIGHT, []),
        ({}, in_light(), []),
        ({}, in_light(has_sku=False, is_pair=False), ["sku_unknown"]),
        ({}, in_light(is_gone=True), ["sku_gone"]),
        ({}, in_light(has_barcode=False, is_pair=False), ["barcode_unknown"]),
        ({}, in_light(is_pair=False), ["sku_barcode_mismatch"]),
        ({}, in_light(has_sku=False, has_barcode=False, is_pair=False), ["sku_unknown", "barcode_unknown"]),
        ({"unit_cost": None}, NO_LIGHT, ["no_unit_cost"]),
        ({"unit_price": None}, NO_LIGHT, ["no_unit_price"]),
        ({"type_is_confirmed": False}, NO_LIGHT, ["type_unconfirmed"]),
        ({"effective_at": NOW - timedelta(days=3)}, NO_LIGHT, ["before_first_position"]),
        ({"transaction_type": TransactionType.ADJUSTMENT, "reason": "Because"}, NO_LIGHT, ["reason_not_recognised"]),
        (TRANSFER | {"counterparty_crsa": "CRSA2222222"}, NO_LIGHT, []),
        (TRANSFER | {"counterparty_crsa": STORE.crsa}, NO_LIGHT, ["counterparty_self"]),
        (
            TRANSFER | {"counterparty_crsa": "CRSA9999999"},
            Light(counterparty_is_ours=False),
            ["counterparty_outside"],
        ),
    ],
)
def test_each_warning_has_its_cause(changes: dict[str, Any], light: Light, warnings: list[str]) -> None:
    counted = replace(STORE, counted_from=NOW - timedelta(days=1))
    assert line_warnings(counted, replace(LINE, **changes), light) == warnings


def test_a_catalogue_that_was_never_read_says_nothing() -> None:
    unread = Light(CatalogueFacts(synced=False, said={ITEM: replace(RIGHT, has_sku=False)}))
    assert line_warnings(STORE, LINE, unread) == []


def test_a_line_waits_only_for_the_warnings_that_its_tenant_chose() -> None:
    choosy = replace(STORE, parking_warnings=["no_unit_price"])
    assert why_to_wait(choosy, ["no_unit_cost"]) is None
    assert why_to_wait(STORE, ["no_unit_price"]) is None
    assert WARNINGS["no_unit_price"] in str(why_to_wait(choosy, ["no_unit_cost", "no_unit_price"]))
