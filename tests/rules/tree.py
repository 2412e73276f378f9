"""What the rules look at: the modules of `ocs`, their rooms, their storeys and what they import."""

import ast
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
STOREYS = (
    (
        "errors",
        "bad_input",
        "spreadsheet",
        "message_text",
        "settings",
        "clock",
        "telemetry",
        "sweeps",
        "runtime",
        "db",
        "azure",
        "web",
        "access",
    ),
    ("tenants", "audit", "alerts", "regulator"),
    ("catalogue", "mapping", "levels", "pos", "dead_letters", "delivery"),
    ("events", "positions", "shipping", "openings", "counts"),
    ("reconciliation", "reports", "insights", "onboarding", "casework", "status"),
    ("dashboard",),
    ("cli", "__main__"),
)
"""The storeys of docs/architecture.md, ground first; a room may import from its own storey only below the third."""
ROOMS_APART = (3, 4)
"""Storeys whose rooms never import each other."""


@dataclass(frozen=True)
class Module:
    """One Python file of `ocs` and what it imports."""

    path: Path

    @property
    def name(self) -> str:
        """The dotted name: `ocs.delivery.sender`."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        """The room's name: `delivery`; the empty text for the package itself."""
        return [*self.name.split("."), ""][1]

    @property
    def shown(self) -> str:
        """The path as a reader would write it."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def syntax(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.path.read_text(encoding="utf-8"))

    @cached_property
    def imports(self) -> frozenset[str]:
        """Every dotted name that the file imports, wherever in it; from-imports with and without the name."""
        return frozenset(name for node in ast.walk(self.syntax) for name in imported(node))


def imported(node: ast.AST) -> list[str]:
    """Give the dotted names that one statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def storey(room: str) -> int:
    """Give a room's storey; raises LookupError for a room that no storey names."""
    for number, rooms in enumerate(STOREYS):
        if room in rooms:
            return number
    raise LookupError(f"tests/rules/tree.py names no storey for ocs/{room}")


@lru_cache(maxsize=1)
def modules() -> tuple[Module, ...]:
    """Give all modules of `ocs` but the migrations, which are history."""
    paths = sorted((ROOT / "ocs").rglob("*.py"))
    return tuple(Module(path) for path in paths if "migrations" not in path.parts)


@lru_cache(maxsize=1)
def room_files() -> tuple[Path, ...]:
    """Give the `queries.sql` files."""
    return tuple(sorted((ROOT / "ocs").rglob("queries.sql")))
