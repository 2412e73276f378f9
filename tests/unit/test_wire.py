"""The regulator's words: strings where it wants strings, fields as documented, ids read tolerantly."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from ocs.events.report import event_line
from ocs.regulator import wire
from ocs.tenants.models import Store
from tests.unit.store import STORE

ROW: dict[str, Any] = {
    "line_id": UUID("7b0c6a52-5f0e-4f6c-9c0e-3a9b52f4a111"),
    "transaction_id": "7b0c6a52-5f0e-4f6c-9c0e-3a9b52f4a222",
    "ocs_type": "PURCHASE",
    "wire_sign": "absolute",
    "ocs_sku": "101955_3.5g___",
    "upc": "00708762000695",
    "quantity": Decimal(-3),
    "value": Decimal("-80.8500"),
    "unit_price": Decimal("49.9500"),
    "counterparty_crsa": "",
    "reason": "",
    "occurred_at": datetime(2026, 7, 14, 18, 31, 30, tzinfo=UTC),
    "process_on": None,
}


def test_an_event_line_has_the_documented_fields_and_all_are_strings() -> None:
    line = json.loads(event_line(STORE, ROW).model_dump_json())
    assert line == {
        "ocsSku": "101955_3.5g___",
        "upcAndBarcode": "00708762000695",
        "posTransactionTimeStamp": "2026-07-14T14:31:30-04:00",
        "posTransactionLineId": "7b0c6a52-5f0e-4f6c-9c0e-3a9b52f4a111",
        "inventoryEventType": "PURCHASE",
        "inventoryQuantityChange": "3",
        "inventoryValueChange": "80.85",
        "posSalesTransactionId": "7b0c6a52-5f0e-4f6c-9c0e-3a9b52f4a222",
        "soldAtPrice": "49.95",
        "counterPartyCRSA": "",
        "reasonCategory": "",
    }


def test_a_ledger_sign_is_kept_where_the_mapping_says_so() -> None:
    line = event_line(STORE, ROW | {"wire_sign": "ledger"})
    assert (line.inventoryQuantityChange, line.inventoryValueChange) == ("-3", "-80.85")


def test_a_late_receipt_without_a_known_field_goes_out_at_noon_of_its_true_day() -> None:
    line = event_line(STORE, ROW | {"process_on": date(2026, 3, 8)})
    assert line.posTransactionTimeStamp == "2026-03-08T12:00:00-04:00"


def test_a_late_receipt_goes_out_under_the_field_that_the_connection_tells() -> None:
    fields = {name: getattr(STORE, name) for name in Store.__dataclass_fields__} | {"process_on_field": "processOnDate"}
    line = event_line(Store(**fields), ROW | {"process_on": date(2026, 3, 8)})
    assert json.loads(line.model_dump_json())["processOnDate"] == "2026-03-08"
    assert line.posTransactionTimeStamp == "2026-07-14T14:31:30-04:00"


@pytest.mark.parametrize(
    ("zone", "written"),
    [
        ("America/Toronto", "2026-11-01T01:30:00-05:00"),
        ("America/Winnipeg", "2026-11-01T01:30:00-05:00"),
        ("America/Atikokan", "2026-11-01T01:30:00-05:00"),
    ],
)
def test_a_time_carries_its_stores_own_offset_also_in_the_hour_that_comes_twice(zone: str, written: str) -> None:
    assert wire.timestamp(datetime(2026, 11, 1, 6, 30, tzinfo=UTC).astimezone(ZoneInfo(zone))) == written


def test_a_time_without_offset_is_never_written() -> None:
    with pytest.raises(ValueError, match="offset"):
        wire.timestamp(datetime(2026, 11, 1, 6, 30))  # noqa: DTZ001 - that is the point


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"referenceId": "abc"}, "abc"),
        ({"ReferenceID": 7, "id": 9}, "7"),
        ({"reference_id": "x"}, "x"),
        ({"status": "ok", "correlationId": "c"}, "c"),
        ("only-text", "only-text"),
        ({"status": "ok"}, None),
        ({"referenceId": ""}, None),
        ({"referenceId": None}, None),
        (["a"], None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_reference_id_is_read_wherever_it_may_stand(body: object, found: str | None) -> None:
    assert wire.reference_id(body) == found


def test_money_is_written_to_the_cent_and_rounds_half_up() -> None:
    assert [wire.money(Decimal(text)) for text in ("80.85", "3", "0.005", "-1.005", "0")] == [
        "80.85",
        "3.00",
        "0.01",
        "-1.01",
        "0.00",
    ]


def test_a_read_model_keeps_fields_it_does_not_know() -> None:
    page = wire.CataloguePage.model_validate_json('{"itemList": [{"SKU": 5, "newField": 1}], "more": true}')
    assert page.itemList[0].SKU == "5"
    assert page.itemList[0].model_extra == {"newField": 1}


def test_a_null_where_a_text_or_a_list_belongs_is_a_missing_field() -> None:
    """Whether the platform sends nulls is not known: one of them must not spoil a whole page."""
    page = wire.CataloguePage.model_validate_json('{"itemList": [{"SKU": "101955_3.5g___", "brand": null}]}')
    assert [(item.SKU, item.brand) for item in page.itemList] == [("101955_3.5g___", "")]
    assert wire.CataloguePage.model_validate_json('{"itemList": null}').itemList == []
