"""The page on errors is the code: classes, causes, alerts, warnings, conflicts and faults, word for word."""

import ast
import json
import re
import typing

import pytest

from ocs.alerts.causes import CAUSES
from ocs.bad_input import BadInput
from ocs.casework import why
from ocs.catalogue.warnings import WARNINGS
from ocs.dead_letters import letters
from ocs.delivery.batches import ParkedCause
from ocs.errors import OcsError
from ocs.events.models import read_transaction
from ocs.mapping.upload import COLUMNS as MAPPING_COLUMNS
from ocs.openings.plan import plan
from ocs.openings.read import COLUMNS as COUNT_COLUMNS, from_json
from ocs.regulator.faults import Outcome
from ocs.shipping.notice import lines
from ocs.spreadsheet.table import read_table
from tests.rules.pages import DOCS, text_of, unnamed
from tests.rules.tree import ROOT, Module, modules


def _all_kinds(error: type[Exception]) -> set[str]:
    return {error.__name__}.union(*(_all_kinds(kind) for kind in error.__subclasses__()))


def _calls(module: Module, name: str) -> list[ast.Call]:
    """Give the calls of a function by this name in a module, its own definition aside."""
    calls = [node for node in ast.walk(module.syntax) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name]


def _fixed_words(text: ast.expr) -> list[str]:
    """Give those pieces of a text in the code that are always the same."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def test_every_failure_class_and_outcome_is_explained() -> None:
    outcomes = set(typing.get_args(Outcome)) - {"accepted"}
    assert unnamed(_all_kinds(OcsError) - {"OcsError"} | outcomes, "errors.md") == set()


def test_every_cause_for_which_something_waits_is_explained() -> None:
    parked_by_events = set(re.findall(r'OutboxItem\([^)]*"(\w+)"', text_of(ROOT / "ocs" / "events" / "ingest.py")))
    assert parked_by_events, "causes are found where the code writes them"
    causes = {*typing.get_args(ParkedCause), *typing.get_args(letters.Cause)}
    assert unnamed(parked_by_events | causes, "errors.md") == set()


def test_every_alert_is_explained() -> None:
    assert unnamed(set(CAUSES), "errors.md") == set()


def test_every_answer_to_why_is_explained() -> None:
    assert unnamed({str(cause) for cause in why.Cause}, "errors.md") == set()


def test_everything_that_can_be_in_the_way_is_explained() -> None:
    page = text_of(DOCS / "errors.md")
    said = [call.args[0] for module in modules() for call in _calls(module, "Conflict")]
    words = [piece.strip() for text in said for piece in _fixed_words(text)]
    assert len(words) > 20, "they are found where the code raises them"
    assert [piece for piece in words if piece not in page] == []


def test_every_warning_says_what_the_code_says() -> None:
    text = text_of(DOCS / "errors.md").replace("`", "")
    assert unnamed(set(WARNINGS), "errors.md") == set()
    assert [words for words in WARNINGS.values() if words not in text] == []
    assert unnamed(set(lines.WARNINGS), "errors.md") == set()
    assert [words for words in lines.WARNINGS.values() if words not in text] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"items": []},
        {"items": [{"ocs_sku": "d", "quantity": 1.5}]},
        {"items": [{"ocs_sku": "d", "quantity": -1}]},
        {"items": [{"ocs_sku": "d"}]},
        {"items": [{"quantity": 1}]},
        {"occurred_at": "2026-11-20T10:00:00"},
        {"unit_prise": 5},
        {"transaction_type": "transfer"},
        {"counterparty_crsa": "CRSA1000002"},
    ],
    ids=json.dumps,
)
def test_the_errors_are_told_in_the_codes_own_words(wrong: dict[str, object]) -> None:
    sale = {"tenant_id": "a", "store_id": "b", "transaction_type": "sale", "transaction_id": "c"}
    with pytest.raises(BadInput) as caught:
        read_transaction(json.dumps(sale | {"items": [{"ocs_sku": "d", "quantity": 1}]} | wrong))
    assert f"| `{caught.value}` |" in text_of(DOCS / "errors.md")


@pytest.mark.parametrize(
    "wrong",
    [
        b"PK\x03\x04",
        b"pos_sku,ocs_sku,upc\n\nOUR-77,caf\xe9,\n",
        b"pos_sku;ocs_sku;upc\n",
        b"",
        b"pos_sku,upc\n",
        b"pos_sku,ocs_sku,upc,price\n",
        b"pos_sku,ocs_sku,upc\nOUR-77,101955,1,2\n",
        b'pos_sku,ocs_sku,upc\n"OUR-77,101955,\n',
        b"pos_sku,ocs_sku,upc\nOUR-77,,00708762000695\n",
        b"pos_sku,ocs_sku,upc\nOUR-77,101955,7.08762E+11\n",
        b"pos_sku,ocs_sku,upc\nOUR-77,101955_3.5g___,\nOUR-77,101955_28g___,\n",
    ],
)
def test_the_faults_of_a_file_are_told_in_the_codes_own_words(wrong: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        read_table(wrong, MAPPING_COLUMNS, unique=("pos_sku",)).require_all_right()
    assert f"| `{caught.value}` |" in text_of(DOCS / "errors.md")


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("upc", "8762000695"),
        ("quantity", '"1,200"'),
        ("quantity", "1.5"),
        ("quantity", "-1"),
        ("unit_cost", '"12,50"'),
        ("unit_cost", "$12.50"),
    ],
)
def test_the_faults_of_a_cell_are_told_in_the_codes_own_words(column: str, wrong: str) -> None:
    row = {"ocs_sku": "101955_3.5g___", "quantity": "1", "unit_cost": "5"} | {column: wrong}
    (fault,) = read_table(f"{','.join(row)}\n{','.join(row.values())}\n".encode(), COUNT_COLUMNS).faults
    assert f"| `{fault}` |" in text_of(DOCS / "errors.md")


@pytest.mark.parametrize(
    "items",
    [
        [{"ocs_sku": "a", "quantity": 1}],
        [{"ocs_sku": "a", "quantity": 1, "unit_cost": 1, "value": 5}],
        [{"ocs_sku": "a", "quantity": 0, "value": 5}],
        [{"quantity": 1, "unit_cost": 1}],
        [{"sku": "OUR-9", "quantity": 1, "unit_cost": 1}],
        [{"ocs_sku": "101955_3.5g___", "upc": "708762000695", "quantity": 1, "unit_cost": 1}] * 2,
    ],
    ids=json.dumps,
)
def test_the_faults_of_an_inventory_are_told_in_the_codes_own_words(items: list[dict[str, object]]) -> None:
    body = json.dumps({"as_of": "2026-11-20T00:00:00-05:00", "items": items})
    _, (fault,) = plan(from_json(body.encode(), None, None).lines, {})
    assert f"| `{fault}` |" in text_of(DOCS / "errors.md")
