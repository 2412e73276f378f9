"""The pages are true of the code: schema, links, names, settings, codes, commands and examples."""

import argparse
import json
import re
import typing
from pathlib import Path

import pytest

from ocs import cli
from ocs.bad_input import BadInput
from ocs.catalogue.warnings import WARNINGS
from ocs.dead_letters import letters
from ocs.delivery.batches import ParkedCause
from ocs.delivery.settle import CREDENTIALS, PLATFORM_DOWN, UNDELIVERABLE
from ocs.errors import OcsError
from ocs.events.models import Item, Transaction, read_transaction
from ocs.regulator.faults import Outcome
from ocs.settings import Settings
from ocs.tenants.models import TransactionType
from ocs.tenants.onboard import DescribedTenant
from ocs.tenants.plan_of_record import PLAN_OF_RECORD
from tests.rules.tree import ROOT

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
    causes = {*typing.get_args(ParkedCause), *typing.get_args(letters.Cause), UNDELIVERABLE, CREDENTIALS, PLATFORM_DOWN}
    assert _named(parked_by_events | causes, "errors.md") == set()


def test_every_warning_says_what_the_code_says() -> None:
    text = _text(DOCS / "errors.md").replace("`", "")
    assert _named(set(WARNINGS), "errors.md") == set()
    assert [words for words in WARNINGS.values() if words not in text] == []


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
    examples = [text for kind, text in FENCE.findall(_text(DOCS / "pos-developers.md")) if kind == "json"]
    transactions = [text for text in examples if "tenant_id" in json.loads(text)]
    assert {read_transaction(text).transaction_type for text in transactions} >= {"sale", "purchase"}


def test_the_example_retailer_can_be_onboarded() -> None:
    tenant, mappings = [text for kind, text in FENCE.findall(_text(DOCS / "onboarding.md")) if kind == "json"]
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


def test_the_pages_are_short() -> None:
    assert len(_text(ROOT / "README.md").splitlines()) < LONGEST_README
    decisions = {page.name: len(_text(page).splitlines()) for page in (DOCS / "decisions").glob("*.md")}
    assert decisions
    assert {name: lines for name, lines in decisions.items() if lines > LONGEST_DECISION} == {}
