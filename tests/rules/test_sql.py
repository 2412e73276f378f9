"""Rules 3 and 4: SQL lives in the rooms' files, each query is used, and a room writes only its own tables."""

import ast
import re
from pathlib import Path

import pytest
import sqlglot
from alembic.script import ScriptDirectory
from sqlglot import exp

from ocs.db.migrate import alembic_config
from ocs.db.queries import load
from ocs.db.schema import SCHEMA_VERSION
from tests.rules.tree import ROOT, Module, modules, room_files

MIGRATIONS = ROOT / "ocs" / "db" / "migrations" / "versions"
ROOM = re.compile(r"^-- room: (\w+)", re.MULTILINE)
CREATED = re.compile(r"^create (table|view) (\w+)", re.MULTILINE)


def _owned() -> tuple[dict[str, str], dict[str, str]]:
    """Give the owner of each table and of each view, as the migrations' headings say."""
    tables: dict[str, str] = {"alembic_version": "db"}
    views: dict[str, str] = {}
    for path in sorted(MIGRATIONS.rglob("*.sql")):
        pieces = ROOM.split(path.read_text(encoding="utf-8"))
        for room, text in zip(pieces[1::2], pieces[2::2], strict=True):
            for kind, name in CREATED.findall(text):
                (tables if kind == "table" else views)[name] = room
    return tables, views


TABLES, VIEWS = _owned()
QUERIES = [
    pytest.param(path.parent.name, text, id=f"{path.parent.name}-{name}")
    for path in room_files()
    for name, text in load(str(path)).items()
]


def _parsed(text: str) -> exp.Expression:
    tree = sqlglot.parse_one(re.sub(r"%\((\w+)\)s", r":p_\1", text), dialect="postgres")
    assert isinstance(tree, exp.Expression)
    return tree


def _written(tree: exp.Expression) -> set[str]:
    statements = tree.find_all(exp.Insert, exp.Update, exp.Delete)
    targets = [statement.this.find(exp.Table) for statement in statements]
    return {table.name for table in targets if table is not None}


@pytest.mark.parametrize(("room", "text"), QUERIES)
def test_a_room_writes_only_its_own_tables(room: str, text: str) -> None:
    foreign = {name: TABLES.get(name) for name in _written(_parsed(text)) if TABLES.get(name) != room}
    assert foreign == {}


@pytest.mark.parametrize(("room", "text"), QUERIES)
def test_a_room_reads_others_through_their_views(room: str, text: str) -> None:
    tree = _parsed(text)
    named = {table.name for table in tree.find_all(exp.Table)}
    own_words = {cte.alias for cte in tree.find_all(exp.CTE)} | {table.alias for table in tree.find_all(exp.Table)}
    unknown = {name for name in named - own_words - {""} if name not in VIEWS and TABLES.get(name) != room}
    assert unknown == set(), "another room's table is read past its views"


@pytest.mark.parametrize("path", room_files(), ids=lambda p: p.parent.name)
def test_each_query_is_used(path: Path) -> None:
    sources = "\n".join(file.read_text(encoding="utf-8") for file in path.parent.glob("*.py"))
    assert [name for name in load(str(path)) if f'"{name}"' not in sources] == []


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_no_sql_stands_in_python(module: Module) -> None:
    if module.name == "ocs.db.migrate":
        return  # it takes its advisory lock before there is a schema
    statement = re.compile(
        r"^\s*(select .* from |insert into |update \w+ set |delete from )", re.IGNORECASE | re.DOTALL
    )
    strings = [n.value for n in ast.walk(module.syntax) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [text for text in strings if statement.match(text)] == []


def test_the_code_expects_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [SCHEMA_VERSION]


def test_migrations_go_forward_only() -> None:
    scripts = [Module(path) for path in sorted(MIGRATIONS.glob("*.py"))]
    assert scripts
    for script in scripts:
        names = [node.name for node in script.syntax.body if isinstance(node, ast.FunctionDef)]
        assert names == ["upgrade"], script.shown
