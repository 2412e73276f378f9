"""Reads Bicep files as far as a parser of the syntax goes: what is declared, what is said, and which names are used.

It is no compiler: types, and whether a resource has a property, only Microsoft's own tells.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep

from tests.rules.tree import ROOT

FOLDER = ROOT / "infra" / "bicep"
PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
DECLARATIONS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "output_declaration": "output",
    "resource_declaration": "resource",
    "module_declaration": "module",
}
Node = tree_sitter.Node


class Expression(str):
    """A value that is worked out at deployment, as its text."""

    __slots__ = ()


@dataclass(frozen=True)
class Declaration:
    """A param, var, output, resource or module of a file."""

    kind: str
    name: str
    node: Node
    within: "Declaration | None" = None
    """The resource that a nested resource belongs to."""

    @property
    def text(self) -> str:
        """The declaration as it is written."""
        return text_of(self.node)

    @cached_property
    def value(self) -> Any:
        """What is said behind the name; of a loop and a condition what is said of each. None where nothing is said."""
        said = [child for child in self.node.named_children if child.type not in ("decorators", "type")]
        values = said[2:] if self.kind in ("resource", "module") else said[1:]
        return value_of(values[-1]) if values else None

    @property
    def refers_to(self) -> str:
        """The quoted word behind a resource's or module's name: its type with the version, or its file."""
        return str(value_of(next(child for child in self.node.named_children if child.type == "string")))

    @property
    def type(self) -> str:
        """A resource's full type without the version."""
        own = self.refers_to.partition("@")[0]
        return f"{self.within.type}/{own}" if self.within else own

    @property
    def version(self) -> str:
        """A resource's API version; a nested resource has its parent's."""
        return self.within.version if self.within else self.refers_to.partition("@")[2]

    @property
    def exists(self) -> bool:
        """Whether it is only looked up."""
        return any(child.type == "existing" for child in self.node.children) or " existing =" in first_line(self.node)


@dataclass(frozen=True)
class Document:
    """One file, parsed."""

    path: Path

    @cached_property
    def root(self) -> Node:
        """The parse tree."""
        text = self.path.read_text(encoding="utf-8")
        if self.path.suffix == ".bicepparam":
            # The grammar knows parameters as they are declared only; a value is given to one as to a variable.
            text = "\n".join(_as_variable(line) for line in text.splitlines())
        return PARSER.parse(text.encode()).root_node

    @cached_property
    def declarations(self) -> list[Declaration]:
        """All declarations, nested resources too."""
        return list(_declarations(self.root, None))

    def of(self, kind: str) -> dict[str, Declaration]:
        """Give the declarations of one kind by name."""
        return {one.name: one for one in self.declarations if one.kind == kind}

    @property
    def faults(self) -> list[str]:
        """The places that the parser does not understand."""
        places = [node for node in walk(self.root) if node.type == "ERROR" or node.is_missing]
        return [f"{self.path.name}:{node.start_point.row + 1}: {text_of(node)[:40]!r}" for node in places]


@lru_cache(maxsize=1)
def documents() -> dict[str, Document]:
    """Give all Bicep files by name."""
    return {path.name: Document(path) for path in sorted(FOLDER.glob("*.bicep"))}


@lru_cache(maxsize=1)
def parameter_files() -> dict[str, Document]:
    """Give the parameter files by name, without the copy that azd uses."""
    found = sorted(FOLDER.glob("*.bicepparam"))
    return {path.name: Document(path) for path in found if path.stem != "main"}


@lru_cache(maxsize=1)
def resources() -> tuple[Declaration, ...]:
    """Give the resources of all files that are made, not only looked up."""
    return tuple(one for file in documents().values() for one in file.of("resource").values() if not one.exists)


def walk(node: Node) -> Iterator[Node]:
    """Give a node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """Give a node as it is written."""
    return (node.text or b"").decode()


def first_line(node: Node) -> str:
    """Give the line with the node's own words, behind its decorators."""
    lines = [line for line in text_of(node).splitlines() if not line.startswith("@")]
    return lines[0] if lines else ""


def value_of(node: Node) -> Any:
    """Give what a node says as Python's own values; what only a deployment knows as an Expression."""
    match node.type:
        case "string":
            text = text_of(node)[1:-1].replace("\\'", "'")
            return Expression(text) if any(child.type == "interpolation" for child in node.children) else text
        case "number" | "boolean":
            return json.loads(text_of(node))
        case "array":
            return [value_of(child) for child in node.named_children if child.type != "comment"]
        case "object":
            return dict(_property(child) for child in node.named_children if child.type == "object_property")
        case "for_statement" | "if_statement" | "parenthesized_expression":
            return value_of(node.named_children[-1])
        case _:
            return Expression(text_of(node))


def _property(node: Node) -> tuple[str, Any]:
    first = node.named_children[0]
    if first.type == "resource_declaration":
        return f"resource {text_of(first.named_children[0])}", None
    key = value_of(first) if first.type == "string" else text_of(first)
    return str(key), value_of(node.named_children[-1])


def _declarations(node: Node, within: Declaration | None) -> Iterator[Declaration]:
    for child in node.named_children:
        if child.type in DECLARATIONS:
            named = next(one for one in child.named_children if one.type == "identifier")
            declared = Declaration(DECLARATIONS[child.type], text_of(named), child, within)
            yield declared
            yield from _declarations(child, declared)
        else:
            yield from _declarations(child, within)


def _as_variable(line: str) -> str:
    return line.replace("param ", "var ", 1) if line.startswith("param ") else line
