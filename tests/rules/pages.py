"""The documents as the rules look at them: pages, the words on them, and their examples."""

import re
from pathlib import Path

from tests.rules.tree import ROOT

DOCS = ROOT / "docs"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown(page: Path) -> str:
    """Give a page's path as a reader would write it."""
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    """Give a page's text."""
    return page.read_text(encoding="utf-8")


def unnamed(words: set[str], page: str) -> set[str]:
    """Give those words that a page of the docs does not name as code."""
    text = text_of(DOCS / page)
    return {word for word in words if f"`{word}`" not in text}


def examples(page: str, kind: str = "json") -> list[str]:
    """Give the examples of one kind on a page of the docs, in order; those without a kind are "" ones."""
    return [text for written, text in FENCE.findall(text_of(DOCS / page)) if written == kind]
