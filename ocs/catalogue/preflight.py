"""What the item catalogue says of lines before they go out: only warnings, never a change."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ocs.catalogue.gtin import padded
from ocs.db.pool import Connection
from ocs.db.queries import load

SQL = load(__file__)


@dataclass(frozen=True)
class Said:
    """What the catalogue says of an SKU with a barcode."""

    has_sku: bool
    """It is or was in the catalogue."""
    is_gone: bool
    has_barcode: bool
    is_pair: bool


@dataclass(frozen=True)
class CatalogueFacts:
    """What the catalogue says of several items, by (OCS SKU, barcode as given).

    `synced` is false where the environment's catalogue has not been read to its end even once: then it can say nothing.
    """

    synced: bool
    said: Mapping[tuple[str, str], Said]


async def catalogue_facts(
    connection: Connection, environment: str, items: Collection[tuple[str, str]]
) -> CatalogueFacts:
    """Ask in one query what the catalogue says of items (OCS SKU, barcode or empty); asks nothing for none."""
    if not items:
        return CatalogueFacts(synced=False, said={})
    skus, upcs = zip(*items, strict=True)
    words = {
        "environment": environment,
        "skus": list(skus),
        "upcs": list(upcs),
        "padded": [padded(upc) for upc in upcs],
    }
    rows = await (await connection.execute(SQL["facts"], words)).fetchall()
    said = {
        (row["ocs_sku"], row["upc"]): Said(row["has_sku"], row["is_gone"], row["has_barcode"], row["is_pair"])
        for row in rows
    }
    return CatalogueFacts(rows[0]["synced"], said)


def catalogue_warnings(facts: CatalogueFacts, ocs_sku: str | None, upc: str) -> list[str]:
    """Give the codes of what is odd about an item; none where the catalogue was never read, or not asked about it."""
    said = facts.said.get((ocs_sku or "", upc)) if facts.synced else None
    if said is None:
        return []
    codes = []
    if not said.has_sku:
        codes.append("sku_unknown")
    elif said.is_gone:
        codes.append("sku_gone")
    if upc and not said.has_barcode:
        codes.append("barcode_unknown")
    elif upc and said.has_sku and not said.is_pair:
        codes.append("sku_barcode_mismatch")
    return codes
