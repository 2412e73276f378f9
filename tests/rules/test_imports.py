"""Rules 1 and 2: imports go down only, and outside libraries stay behind their doors."""

import ast

import pytest

from tests.rules.tree import ROOMS_APART, Module, imported, modules, storey

AZURE_SDKS = ("azure.identity", "azure.monitor", "azure.keyvault", "azure.storage", "azure.core")


def _rooms_imported(module: Module) -> set[str]:
    return {name.split(".")[1] for name in module.imports if name.startswith("ocs.")} - {module.room}


@pytest.mark.parametrize("module", [m for m in modules() if m.room], ids=lambda m: m.name)
def test_imports_only_go_down(module: Module) -> None:
    own = storey(module.room)
    up = {room for room in _rooms_imported(module) if storey(room) > own}
    sideways = {room for room in _rooms_imported(module) if own in ROOMS_APART and storey(room) == own}
    assert (up, sideways) == (set(), set()), f"{module.shown} imports upwards {up} or sideways {sideways}"


def test_no_circle_of_modules() -> None:
    known = {module.name: module for module in modules()}
    needs = {name: {other for other in module.imports if other in known} - {name} for name, module in known.items()}
    while free := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in free:
            del needs[name]
    assert needs == {}, f"these modules import each other in a circle: {sorted(needs)}"


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_no_import_inside_a_function(module: Module) -> None:
    functions = [n for n in ast.walk(module.syntax) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = [name for function in functions for node in ast.walk(function) for name in imported(node)]
    assert hidden == []


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_only_the_doors_know_azure(module: Module) -> None:
    """Only triggers and `web/` know the Functions library; only `azure/` knows the SDKs."""
    functions = {name for name in module.imports if name.startswith("azure.functions")}
    sdks = {name for name in module.imports if name.startswith(AZURE_SDKS)}
    if module.path.name == "triggers.py" or module.room == "web":
        functions = set()
    if module.room == "azure":
        sdks = set()
    assert (functions, sdks) == (set(), set())


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_only_wire_knows_the_regulators_words(module: Module) -> None:
    """The regulator's field names and paths stand in `regulator/wire.py`; others use its models' attributes."""
    words = {"posTransactionLineId", "inventoryEventList", "inventoryPositionList", "retailer_hashkey", "HttpTrigger"}
    strings = [n.value for n in ast.walk(module.syntax) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    found = {word for word in words for text in strings if word in text}
    assert found == set() or module.name == "ocs.regulator.wire"


def test_the_stand_ins_share_no_code_with_the_app() -> None:
    """`devstack` imports nothing of `ocs`, and the other way round."""
    root = modules()[0].path.parents[1]
    stand_ins = [Module(path) for path in sorted((root / "devstack").rglob("*.py")) if "node_modules" not in path.parts]
    assert stand_ins
    crossing = [m.shown for m in stand_ins if any(name.split(".")[0] == "ocs" for name in m.imports)]
    crossing += [m.shown for m in modules() if any(name.split(".")[0] == "devstack" for name in m.imports)]
    assert crossing == []
