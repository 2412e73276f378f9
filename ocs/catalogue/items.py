"""Finds items of the catalogue by SKU, barcode, number or words."""

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from ocs.catalogue.gtin import each_of, padded
from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)
LONGEST_SEARCHABLE = 2000
MOST_WORDS = 10


@dataclass(frozen=True)
class NamedItem:
    """An item that is in the catalogue now, as it is found by name; `barcode` is of the each, 14 digits or empty."""

    ocs_sku: str
    barcode: str
    name: str
    brand: str
    size: str

    @property
    def title(self) -> str:
        """What a person calls it: brand, name and size."""
        return " ".join(part for part in (self.brand, self.name, self.size) if part)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "NamedItem":
        """Build it from a row; columns beyond its own are passed over."""
        return cls(**{field.name: row[field.name] for field in fields(cls)})


def searchable(text: str) -> str:
    """Give a text as it is searched: lower case, without accents, with one space between words and numbers."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return " ".join("".join(one if one.isalnum() else " " for one in plain.casefold()).split())[:LONGEST_SEARCHABLE]


async def find_item(connection: Connection, environment: str, ocs_sku: str) -> dict[str, Any] | None:
    """Give an item whole, with its barcodes, also when it is gone; None when it was never in the catalogue."""
    words = {"environment": environment, "ocs_sku": ocs_sku}
    return await (await connection.execute(SQL["item"], words)).fetchone()


async def list_items(
    connection: Connection, environment: str, *, search: str, barcode: str, after: str, limit: int
) -> list[dict[str, Any]]:
    """List items that are in the catalogue now by SKU, after one SKU.

    `search` wants all of its words, the last one perhaps only begun; a barcode finds its item in any length, of the
    each or of the case.
    """
    words = {
        "environment": environment,
        "search": _as_query(search),
        "barcodes": [padded(barcode), each_of(barcode)] if barcode else None,
        "after": after,
        "most": limit,
    }
    return await (await connection.execute(SQL["items"], words)).fetchall()


async def items_of_barcodes(
    connection: Connection, environment: str, barcodes: Collection[str]
) -> dict[str, list[NamedItem]]:
    """Give, for each of several barcodes of 14 digits that the catalogue knows, its items; asks nothing for none."""
    found: dict[str, list[NamedItem]] = {}
    if barcodes:
        words = {"environment": environment, "barcodes": list(barcodes)}
        async for row in await connection.execute(SQL["items_of_barcodes"], words):
            found.setdefault(row["scanned"], []).append(NamedItem.from_row(row))
    return found


async def named_items(connection: Connection, environment: str) -> list[NamedItem]:
    """Give all items that are in the catalogue now: some thousands."""
    rows = await (await connection.execute(SQL["named_items"], {"environment": environment})).fetchall()
    return [NamedItem.from_row(row) for row in rows]


def _as_query(search: str) -> str | None:
    """Give the words in the form of to_tsquery; None when there is nothing to search for.

    Only letters and digits are left in them, so that nothing in a word can be read as an operator.
    """
    words = searchable(search).split()[:MOST_WORDS]
    return " & ".join([*words[:-1], f"{words[-1]}:*"]) if words else None
