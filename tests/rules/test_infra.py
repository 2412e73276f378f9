"""The Bicep files hold together: they parse, every name is declared, modules and parameters fit.

What a compiler would say beyond that, CI asks Microsoft's own (.github/workflows/ci.yml).
"""

import re
from collections.abc import Iterator
from datetime import date

import pytest

from tests.rules.bicep import Declaration, Document, Node, documents, parameter_files, resources, text_of, walk

FILES = documents()
MAIN = FILES["main.bicep"]
CONCERNS = {
    "identity", "monitoring", "network", "storage", "vault", "postgres", "functions", "access", "alerts", "workbook",
}  # fmt: skip
BICEPS_OWN = {
    "allowed", "batchSize", "concat", "description", "empty", "environment", "filter", "guid", "loadTextContent",
    "map", "maxValue", "minLength", "minValue", "readEnvironmentVariable", "replace", "resourceGroup", "secure",
    "subscription", "subscriptionResourceId", "tenant", "union", "uniqueString",
}  # fmt: skip
"""Functions and decorators that are used here; a new one is added when it is found in Microsoft's reference."""
LONGEST_MAIN, LONGEST_MODULE = 220, 300


@pytest.mark.parametrize("file", [*FILES.values(), *parameter_files().values()], ids=lambda file: file.path.name)
def test_every_file_parses(file: Document) -> None:
    assert file.declarations
    assert file.faults == []


@pytest.mark.parametrize("file", FILES.values(), ids=lambda file: file.path.name)
def test_every_name_is_declared(file: Document) -> None:
    declared = {one.name for one in file.declarations} | BICEPS_OWN
    assert {name for name, known in _names(file.root, frozenset(declared)) if not known} == set()


@pytest.mark.parametrize("file", FILES.values(), ids=lambda file: file.path.name)
def test_every_declaration_is_used(file: Document) -> None:
    """A parameter or variable that nobody reads says something that is not true."""
    used = [name for name, _ in _names(file.root, frozenset())]
    told = {one.name for one in file.declarations if one.kind in ("param", "var")}
    assert {name for name in told if name not in used} == set()


def test_there_is_one_module_for_each_concern_and_main_uses_it() -> None:
    assert {name.removesuffix(".bicep") for name in FILES} - {"main"} == CONCERNS
    assert {one.refers_to for one in MAIN.of("module").values()} == {f"{name}.bicep" for name in CONCERNS}
    lengths = {name: len(file.path.read_text(encoding="utf-8").splitlines()) for name, file in FILES.items()}
    assert lengths["main.bicep"] <= LONGEST_MAIN
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


@pytest.mark.parametrize("module", MAIN.of("module").values(), ids=lambda module: module.name)
def test_a_module_gets_exactly_its_parameters(module: Declaration) -> None:
    params = FILES[module.refers_to].of("param")
    required = {name for name, param in params.items() if param.value is None}
    given = set(module.value["params"])
    assert given <= set(params)
    assert required - given == set()


def test_every_output_that_is_read_is_there() -> None:
    """And none is there that nobody reads: outputs are kept in the history of deployments."""
    text = MAIN.path.read_text(encoding="utf-8")
    modules = MAIN.of("module")
    read = {(symbol, output) for symbol, output in re.findall(r"\b(\w+)!?\.outputs\.(\w+)", text)}
    there = {(symbol, output) for symbol, one in modules.items() for output in FILES[one.refers_to].of("output")}
    assert read == there


@pytest.mark.parametrize("file", parameter_files().values(), ids=lambda file: file.path.name)
def test_a_parameter_file_names_exactly_mains_parameters(file: Document) -> None:
    given = file.of("var")
    assert set(given) == set(MAIN.of("param"))
    assert file.path.stem == given["environmentName"].value
    for name in ("database", "databaseAdmin", "instances", "mail"):
        assert set(given[name].value) == _fields(MAIN.of("param")[name]), name


def test_there_is_a_parameter_file_for_each_environment() -> None:
    assert set(parameter_files()) == {"dev.bicepparam", "uat.bicepparam", "prod.bicepparam"}


@pytest.mark.parametrize("resource", resources(), ids=lambda one: f"{one.type} {one.name}")
def test_every_resource_states_an_api_version(resource: Declaration) -> None:
    stated = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(-preview)?", resource.version)
    assert stated is not None, resource.refers_to
    assert date(2018, 1, 1) <= date.fromisoformat(stated[1]) <= date(2026, 12, 31)


def test_one_type_has_one_version() -> None:
    """Also where it is only looked up; two versions of a type differ in what a property means."""
    versions: dict[str, set[str]] = {}
    for file in FILES.values():
        for one in file.of("resource").values():
            versions.setdefault("/".join(one.type.split("/")[:2]), set()).add(one.version)
    assert {kind: found for kind, found in versions.items() if len(found) > 1} == {}


def test_loops_and_nested_resources_do_not_meet() -> None:
    """Bicep can do neither in the other ("Iterative loops in Bicep"): such resources stand alone, with a parent."""
    made = [one for file in FILES.values() for one in file.of("resource").values()]
    nested = [one for one in made if one.within is not None]
    assert [one for one in made if _is_looped(one)]
    assert nested
    assert [one.name for one in nested if _is_looped(one) or (one.within and _is_looped(one.within))] == []


def _is_looped(resource: Declaration) -> bool:
    return any(child.type == "for_statement" for child in resource.node.children)


def _fields(param: Declaration) -> set[str]:
    """Give the fields of an object type that is written at the parameter."""
    shape = next(node for node in walk(param.node) if node.type == "object")
    return {text_of(one.named_children[0]) for one in shape.named_children if one.type == "object_property"}


def _names(node: Node, known: frozenset[str]) -> Iterator[tuple[str, bool]]:
    """Give every name that is read, and whether it is known there; names of loops and lambdas live inside of them."""
    if node.type == "for_statement":
        known |= _loop_names(node)
    if node.type == "arguments":
        # The grammar ends a lambda too early, so its name is known in all arguments of the call.
        known |= {text_of(one.named_children[0]) for one in walk(node) if one.type == "lambda_expression"}
    for child in _readers(node):
        if child.type == "identifier":
            yield text_of(child), text_of(child) in known
        else:
            yield from _names(child, known)


def _loop_names(node: Node) -> set[str]:
    first = node.named_children[0]
    return {text_of(one) for one in (first.named_children or [first])}


def _readers(node: Node) -> list[Node]:
    """Give the parts of a node that can read a name: not its own name, a key of an object, or a type."""
    children = [child for child in node.named_children if child.type not in ("type", "property_identifier")]
    if node.type in ("object_property", "for_statement", "lambda_expression") or node.type.endswith("_declaration"):
        own = children[0].type in ("identifier", "for_loop_parameters")
        return children[own:]
    return children
