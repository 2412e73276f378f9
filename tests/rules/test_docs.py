"""The pages are true of the code: schema, links, names, settings, codes, commands and examples."""

import argparse
import ast
import importlib
import json
import re
import typing
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

import function_app
from ocs import cli
from ocs.bad_input import BadInput
from ocs.catalogue.warnings import WARNINGS
from ocs.dead_letters import letters
from ocs.delivery.batches import ParkedCause
from ocs.errors import OcsError
from ocs.events.models import Item, Transaction, read_transaction
from ocs.mapping.lookup import MappedSku
from ocs.mapping.upload import COLUMNS as MAPPING_COLUMNS
from ocs.openings.plan import plan
from ocs.openings.read import COLUMNS as COUNT_COLUMNS
from ocs.openings.read import from_csv, from_json, from_message
from ocs.regulator.faults import Outcome
from ocs.settings import Settings
from ocs.shipping.notice import lines
from ocs.spreadsheet.table import read_table
from ocs.tenants.models import TransactionType
from ocs.tenants.onboard import DescribedTenant
from ocs.tenants.plan_of_record import PLAN_OF_RECORD
from tests.rules.tree import ROOT, Module, modules

DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
LONGEST_README, LONGEST_DECISION = 150, 40
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def _shown(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", _text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _all_kinds(error: type[Exception]) -> set[str]:
    return {error.__name__}.union(*(_all_kinds(kind) for kind in error.__subclasses__()))


def _named(words: set[str], page: str) -> set[str]:
    """Give those words that the page does not name as code."""
    text = _text(DOCS / page)
    return {word for word in words if f"`{word}`" not in text}


def _calls(module: Module, name: str) -> list[ast.Call]:
    """Give the calls of a function by this name in a module, its own definition aside."""
    calls = [node for node in ast.walk(module.syntax) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == name]


def _fixed_words(text: ast.expr) -> list[str]:
    """Give those pieces of a text in the code that are always the same."""
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _migrations() -> str:
    versions = ROOT / "ocs" / "db" / "migrations" / "versions"
    return "\n".join(_text(path) for path in sorted(versions.rglob("*.sql")))


def _examples(page: str, kind: str = "json") -> list[str]:
    return [text for written, text in FENCE.findall(_text(DOCS / page)) if written == kind]


def test_the_schema_in_the_docs_is_the_models() -> None:
    written = json.loads(_text(DOCS / "pos-transaction.schema.json"))
    assert Transaction.model_json_schema() == written, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=_shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(FENCE.sub("", _text(page))):
        there = (page.parent / target).resolve() if target else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=_shown)
def test_every_command_that_is_named_exists(page: Path) -> None:
    text = _text(page)
    targets = set(re.findall(r"^([a-z ]+):", _text(ROOT / "Makefile"), re.MULTILINE))
    known_targets = {name for line in targets for name in line.split()}
    commands = {
        name
        for action in cli.parser()._actions  # noqa: SLF001 - argparse has no public way to list its commands
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001 - the same
        for name in action.choices
    }
    assert set(re.findall(r"`make ([a-z]+)|^make ([a-z]+)", text, re.MULTILINE)) <= {
        pair for name in known_targets for pair in ((name, ""), ("", name))
    }
    assert set(re.findall(r"python -m ocs ([a-z][a-z-]*)", text)) <= commands


@pytest.mark.parametrize("page", PAGES, ids=_shown)
def test_every_test_that_is_named_exists(page: Path) -> None:
    sources = "\n".join(_text(path) for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", _text(page)))
    assert {name for name in named if f"def {name}(" not in sources} == set()


def test_the_delivery_cycle_names_its_proofs() -> None:
    assert len(set(re.findall(r"`(test_\w+)`", _text(DOCS / "delivery-cycle.md")))) > 10


def test_every_setting_is_explained_with_its_default() -> None:
    names = {str(field.validation_alias or f"OCS_{name.upper()}") for name, field in Settings.model_fields.items()}
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", _text(DOCS / "architecture.md"), re.MULTILINE))
    assert names - rows.keys() == set()
    numbers = {
        f"OCS_{name.upper()}": field.default
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, int | float) and not isinstance(field.default, bool)
    }
    assert {name: f"{default:g}" for name, default in numbers.items()} == {name: rows[name] for name in numbers}


def test_every_failure_class_and_outcome_is_explained() -> None:
    outcomes = set(typing.get_args(Outcome)) - {"accepted"}
    assert _named(_all_kinds(OcsError) - {"OcsError"} | outcomes, "errors.md") == set()


def test_every_cause_for_which_something_waits_is_explained() -> None:
    parked_by_events = set(re.findall(r'OutboxItem\([^)]*"(\w+)"', _text(ROOT / "ocs" / "events" / "ingest.py")))
    assert parked_by_events, "causes are found where the code writes them"
    causes = {*typing.get_args(ParkedCause), *typing.get_args(letters.Cause)}
    assert _named(parked_by_events | causes, "errors.md") == set()


def test_every_alert_is_explained() -> None:
    opened = {
        getattr(importlib.import_module(module.name), call.args[3].id)
        for module in modules()
        for call in _calls(module, "open_alert")
        if isinstance(call.args[3], ast.Name)
    }
    assert len(opened) > 3, "causes are found where the code opens an alert"
    assert _named(opened, "errors.md") == set()


def test_everything_that_can_be_in_the_way_is_explained() -> None:
    page = _text(DOCS / "errors.md")
    said = [call.args[0] for module in modules() for call in _calls(module, "Conflict")]
    words = [piece.strip() for text in said for piece in _fixed_words(text)]
    assert len(words) > 20, "they are found where the code raises them"
    assert [piece for piece in words if piece not in page] == []


def test_every_warning_says_what_the_code_says() -> None:
    text = _text(DOCS / "errors.md").replace("`", "")
    assert _named(set(WARNINGS), "errors.md") == set()
    assert [words for words in WARNINGS.values() if words not in text] == []
    assert _named(set(lines.WARNINGS), "errors.md") == set()
    assert [words for words in lines.WARNINGS.values() if words not in text] == []


def test_every_field_and_type_of_a_transaction_is_explained() -> None:
    words = {*Transaction.model_fields, *Item.model_fields, *TransactionType}
    assert _named({str(word) for word in words}, "pos-developers.md") == set()


def test_the_table_of_types_is_the_plan_of_record() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (in|out|your sign) \| (with|without) sign \| ([^|]*) \| (yes|\*\*no\*\*) \|$",
        _text(DOCS / "pos-developers.md"),
        re.MULTILINE,
    )
    stock = {-1: "out", 1: "in", 0: "your sign"}
    written = {kind: (ocs, direction, sign, confirmed == "yes") for kind, ocs, direction, sign, _, confirmed in rows}
    assert written == {
        str(kind): (
            mapping.ocs_type,
            stock[mapping.direction],
            "with" if mapping.wire_sign == "ledger" else "without",
            mapping.confirmed,
        )
        for kind, mapping in PLAN_OF_RECORD.items()
    }
    assert {kind: re.findall("else `(.+)`", reason) for kind, _, _, _, reason, _ in rows if "else" in reason} == {
        str(kind): [mapping.reason] for kind, mapping in PLAN_OF_RECORD.items() if mapping.reason
    }


def test_the_example_transactions_are_taken() -> None:
    transactions = [text for text in _examples("pos-developers.md") if "transaction_id" in json.loads(text)]
    assert {read_transaction(text).transaction_type for text in transactions} >= {"sale", "purchase"}


def test_the_example_inventories_are_taken() -> None:
    body = _examples("onboarding.md")[2]
    table = next(text for text in _examples("onboarding.md", "") if text.startswith("ocs_sku,"))
    message = next(text for text in _examples("pos-developers.md") if "as_of" in json.loads(text))
    as_of = datetime.fromisoformat(json.loads(body)["as_of"])
    for given in (
        from_json(body.encode(), None, None),
        from_csv(table.encode(), as_of, "zero"),
        from_message(message)[1],
    ):
        planned, faults = plan(given.lines, {"OUR-78": MappedSku("105063_355ml___", "00628582000524")})
        assert (given.faults, faults) == ([], [])
        assert [str(line.level.value) for line in planned] == ["646.8000", "38.4000"]


def test_the_example_retailer_can_be_onboarded() -> None:
    tenant, mappings, _ = _examples("onboarding.md")
    described = json.loads(tenant)
    described["connections"][0] |= json.loads("{" + mappings + "}")
    connection = DescribedTenant.model_validate(described).connections[0]
    assert set(connection.mappings) == {TransactionType.LOSS}


def test_the_first_sale_of_the_readme_is_taken() -> None:
    found = re.search(r"-d '(\{.*?\})'\n", _text(ROOT / "README.md"), re.DOTALL)
    assert found is not None
    assert read_transaction(found[1]).transaction_type is TransactionType.SALE


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
    assert f"| `{caught.value}` |" in _text(DOCS / "errors.md")


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
    assert f"| `{caught.value}` |" in _text(DOCS / "errors.md")


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
    assert f"| `{fault}` |" in _text(DOCS / "errors.md")


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
    assert f"| `{fault}` |" in _text(DOCS / "errors.md")


def test_every_route_of_staff_stands_in_their_table() -> None:
    routes = {
        f"{method} {route.path.replace(':path', '')}"
        for router in function_app.ROUTERS_OF_STAFF
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    }
    rows = re.findall(r"^\| `([A-Z]+ /\S+)` \|", _text(DOCS / "staff-routes.md"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == routes


def test_every_table_stands_beside_its_room() -> None:
    headings = re.split(r"^-- room: (\w+).*$", _migrations(), flags=re.MULTILINE)
    owned: dict[str, set[str]] = {}
    for room, text in zip(headings[1::2], headings[2::2], strict=True):
        owned.setdefault(room, set()).update(
            re.findall(r"^create (?:or replace )?(?:table|view) (\w+)", text, re.MULTILINE)
        )
    section = _text(DOCS / "architecture.md").partition("## Whose tables")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([^|]*) \| ([^|]*)\|$", section, re.MULTILINE)[1:]
    assert {room: set(re.findall(r"`(\w+)`", f"{tables} {views}")) for room, tables, views in rows} == owned


def test_every_room_stands_in_the_tree() -> None:
    rooms = {module.room for module in modules() if module.path.parent.name == module.room}
    tree = next(text for text in _examples("architecture.md", "") if "storey" not in text and "0 ground" in text)
    assert {room for room in rooms if f"{room}/" not in tree} == set()


def test_the_pages_are_short() -> None:
    assert len(_text(ROOT / "README.md").splitlines()) < LONGEST_README
    decisions = {page.name: len(_text(page).splitlines()) for page in (DOCS / "decisions").glob("*.md")}
    assert decisions
    assert {name: lines for name, lines in decisions.items() if lines > LONGEST_DECISION} == {}
