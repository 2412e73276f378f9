"""The pages are true of the code: schema, links, names, settings, routes, tables, commands and examples."""

import argparse
import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

import function_app
from ocs import cli
from ocs.events.models import Item, Transaction, read_transaction
from ocs.mapping.lookup import MappedSku
from ocs.openings.plan import plan
from ocs.openings.read import from_csv, from_json, from_message
from ocs.settings import Settings
from ocs.status import verdict
from ocs.tenants.models import TransactionType
from ocs.tenants.onboard import DescribedTenant
from ocs.tenants.plan_of_record import PLAN_OF_RECORD
from ocs.web.roles import LADDER, role_of
from tests.rules.pages import DOCS, FENCE, PAGES, examples, shown, text_of, unnamed
from tests.rules.tree import ROOT, modules

LONGEST_README, LONGEST_DECISION = 150, 40
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def _anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text_of(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _migrations() -> str:
    versions = ROOT / "ocs" / "db" / "migrations" / "versions"
    return "\n".join(text_of(path) for path in sorted(versions.rglob("*.sql")))


def test_the_schema_in_the_docs_is_the_models() -> None:
    written = json.loads(text_of(DOCS / "pos-transaction.schema.json"))
    assert Transaction.model_json_schema() == written, "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for target, anchor in LINK.findall(FENCE.sub("", text_of(page))):
        there = (page.parent / target).resolve() if target else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(f"{target}#{anchor}")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_command_that_is_named_exists(page: Path) -> None:
    text = text_of(page)
    targets = set(re.findall(r"^([a-z ]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
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


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_test_that_is_named_exists(page: Path) -> None:
    sources = "\n".join(text_of(path) for path in (ROOT / "tests").rglob("test_*.py"))
    named = set(re.findall(r"`(test_\w+)`", text_of(page)))
    assert {name for name in named if f"def {name}(" not in sources} == set()


def test_the_delivery_cycle_names_its_proofs() -> None:
    assert len(set(re.findall(r"`(test_\w+)`", text_of(DOCS / "delivery-cycle.md")))) > 10


def test_every_setting_is_explained_with_its_default() -> None:
    names = {str(field.validation_alias or f"OCS_{name.upper()}") for name, field in Settings.model_fields.items()}
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text_of(DOCS / "architecture.md"), re.MULTILINE))
    assert names - rows.keys() == set()
    numbers = {
        f"OCS_{name.upper()}": field.default
        for name, field in Settings.model_fields.items()
        if isinstance(field.default, int | float) and not isinstance(field.default, bool)
    }
    assert {name: f"{default:g}" for name, default in numbers.items()} == {name: rows[name] for name in numbers}


def test_every_field_and_type_of_a_transaction_is_explained() -> None:
    words = {*Transaction.model_fields, *Item.model_fields, *TransactionType}
    assert unnamed({str(word) for word in words}, "pos-developers.md") == set()


def test_the_table_of_types_is_the_plan_of_record() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (in|out|your sign) \| (with|without) sign \| ([^|]*) \| (yes|\*\*no\*\*) \|$",
        text_of(DOCS / "pos-developers.md"),
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
    transactions = [text for text in examples("pos-developers.md") if "transaction_id" in json.loads(text)]
    assert {read_transaction(text).transaction_type for text in transactions} >= {"sale", "purchase"}


def test_the_example_inventories_are_taken() -> None:
    body = examples("onboarding.md")[2]
    table = next(text for text in examples("onboarding.md", "") if text.startswith("ocs_sku,"))
    message = next(text for text in examples("pos-developers.md") if "as_of" in json.loads(text))
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
    tenant, mappings, _ = examples("onboarding.md")
    described = json.loads(tenant)
    described["connections"][0] |= json.loads("{" + mappings + "}")
    connection = DescribedTenant.model_validate(described).connections[0]
    assert set(connection.mappings) == {TransactionType.LOSS}


def test_the_first_sale_of_the_readme_is_taken() -> None:
    found = re.search(r"-d '(\{.*?\})'\n", text_of(ROOT / "README.md"), re.DOTALL)
    assert found is not None
    assert read_transaction(found[1]).transaction_type is TransactionType.SALE


def test_every_route_of_staff_stands_in_their_table_with_its_role() -> None:
    routes = {
        (f"{method} {route.path.replace(':path', '')}", role.value)
        for router in function_app.ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for role in [role_of(route.endpoint)]
        if role is not None and role in LADDER
        for method in route.methods or ()
    }
    rows = re.findall(r"^\| `([A-Z]+ /\S+)` \| ([a-z-]+) \|", text_of(DOCS / "staff-routes.md"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == routes


def test_every_reason_not_to_be_compliant_is_explained_with_its_answer() -> None:
    rows = re.findall(r"^\| (no|at risk) \| `(\w+)` \|", text_of(DOCS / "staff-routes.md"), re.MULTILINE)
    assert {(rule.answer.value, rule.cause) for rule in verdict.RULES} - set(rows) == set()


def test_every_word_that_the_page_is_said_to_show_is_there() -> None:
    folder = ROOT / "ocs" / "dashboard"
    shown_there = "\n".join(text_of(path) for path in (*folder.glob("templates/*.html"), folder / "signs.py"))
    named = set(re.findall(r"\*\*([^*]+)\*\*", text_of(DOCS / "page.md")))
    assert len(named) > 10
    assert {words for words in named if words not in shown_there} == set()


def test_every_table_stands_beside_its_room() -> None:
    headings = re.split(r"^-- room: (\w+).*$", _migrations(), flags=re.MULTILINE)
    owned: dict[str, set[str]] = {}
    for room, text in zip(headings[1::2], headings[2::2], strict=True):
        owned.setdefault(room, set()).update(
            re.findall(r"^create (?:or replace )?(?:table|view) (\w+)", text, re.MULTILINE)
        )
    section = text_of(DOCS / "architecture.md").partition("## Whose tables")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([^|]*) \| ([^|]*)\|$", section, re.MULTILINE)[1:]
    written = {room: set(re.findall(r"`(\w+)`", f"{tables} {views}")) for room, tables, views in rows}
    assert written == {room: names for room, names in owned.items() if names}


def test_every_room_stands_in_the_tree() -> None:
    rooms = {module.room for module in modules() if module.path.parent.name == module.room}
    tree = next(text for text in examples("architecture.md", "") if "storey" not in text and "0 ground" in text)
    assert {room for room in rooms if f"{room}/" not in tree} == set()


def test_the_pages_are_short() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) < LONGEST_README
    decisions = {page.name: len(text_of(page).splitlines()) for page in (DOCS / "decisions").glob("*.md")}
    assert decisions
    assert {name: lines for name, lines in decisions.items() if lines > LONGEST_DECISION} == {}
