"""Rule 6: small files, small functions, small rooms."""

import ast
from pathlib import Path

import pytest

from tests.rules.tree import ROOT, Module

LONGEST_FILE, LONGEST_FUNCTION, MOST_FILES, LONGEST_REGISTRATION = 300, 60, 8, 60
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "service", "misc", "base"}

SOURCES = [
    Module(path)
    for part in ("ocs", "devstack", "tests", "bench")
    for path in sorted((ROOT / part).rglob("*.py"))
    if "node_modules" not in path.parts
]
FOLDERS = sorted(
    {module.path.parent for module in SOURCES if module.path.parts[len(ROOT.parts)] in ("ocs", "devstack")}
)


@pytest.mark.parametrize("module", SOURCES, ids=lambda m: m.shown)
def test_files_and_functions_are_small(module: Module) -> None:
    lines = len(module.path.read_text(encoding="utf-8").splitlines())
    functions = [n for n in ast.walk(module.syntax) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions if f.end_lineno}
    assert lines <= LONGEST_FILE
    assert {name: length for name, length in long.items() if length > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: str(f.relative_to(ROOT)))
def test_rooms_are_small(folder: Path) -> None:
    files = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    if folder in (ROOT / "ocs", ROOT / "devstack"):
        return  # the houses themselves; their ground floors are named in tree.py
    assert len(files) <= MOST_FILES, f"{sorted(files)}"


@pytest.mark.parametrize("module", SOURCES, ids=lambda m: m.shown)
def test_files_are_named_for_what_they_hold(module: Module) -> None:
    assert module.path.stem not in VAGUE


def test_the_registration_only_registers() -> None:
    text = (ROOT / "function_app.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_REGISTRATION
    assert not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(ast.parse(text)))
