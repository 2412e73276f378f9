"""Suggests what a POS SKU may be at the OCS: by its barcode, by its number, by its name. A person decides.

`known_items` reads the catalogue; `suggest` is pure, and takes some milliseconds a SKU: call it while no connection
is held, in a thread.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from rapidfuzz import fuzz, process

from ocs.catalogue.gtin import each_of, is_barcode, is_case, padded
from ocs.catalogue.items import NamedItem, items_of_barcodes, named_items, searchable
from ocs.db.pool import Connection

MOST = 5
LOOKED_AT = 50
"""Names that share words with the one given, of which the likest are suggested."""
LEAST_ALIKE = 60
SAME_BARCODE, EACH_OF_CASE, SAME_SKU, SAME_NUMBER, SUREST_NAME = 100, 95, 90, 80, 75
"""How sure each reason is: a name says less than any number, however like it is."""


@dataclass(frozen=True)
class Asked:
    """What is known of a POS SKU: the barcodes and the name that the POS has for it, either perhaps none."""

    pos_sku: str
    upcs: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Suggestion:
    """An item that a POS SKU may be: how sure that is, from 0 to 100, and why, in words; `upc` is of the each."""

    ocs_sku: str
    upc: str
    name: str
    score: int
    why: str


@dataclass(frozen=True)
class KnownItems:
    """What a catalogue has: all of its items, and those of the barcodes (14 digits) that were asked for."""

    items: Sequence[NamedItem]
    of_barcodes: Mapping[str, Sequence[NamedItem]]

    @cached_property
    def by_sku(self) -> dict[str, NamedItem]:
        """The items by their OCS SKU."""
        return {item.ocs_sku: item for item in self.items}

    @cached_property
    def of_numbers(self) -> dict[str, list[NamedItem]]:
        """The items by the OCS item number with which the SKU begins; several sizes may share one."""
        found: dict[str, list[NamedItem]] = {}
        for item in self.items:
            found.setdefault(item.ocs_sku.partition("_")[0], []).append(item)
        return found

    @cached_property
    def titles(self) -> dict[str, str]:
        """The searchable title of each item by its OCS SKU."""
        return {item.ocs_sku: searchable(item.title) for item in self.items}


async def known_items(connection: Connection, environment: str, asked: Collection[Asked]) -> KnownItems:
    """Read what suggestions for these SKUs are made from: two queries, however many SKUs are asked for."""
    upcs = {upc for one in asked for upc in one.upcs if is_barcode(upc)}
    barcodes = sorted({form for upc in upcs for form in (padded(upc), each_of(upc))})
    of_barcodes = await items_of_barcodes(connection, environment, barcodes)
    return KnownItems(await named_items(connection, environment), of_barcodes)


def suggest(known: KnownItems, asked: Asked) -> list[Suggestion]:
    """Give at most five items that a POS SKU may be, the surest first, each once."""
    found: dict[str, Suggestion] = {}
    for suggestion in (*_by_barcode(known, asked), *_by_number(known, asked), *_by_name(known, asked)):
        before = found.get(suggestion.ocs_sku)
        if before is None or suggestion.score > before.score:
            found[suggestion.ocs_sku] = suggestion
    return sorted(found.values(), key=lambda one: (-one.score, one.ocs_sku))[:MOST]


def _by_barcode(known: KnownItems, asked: Asked) -> Iterator[Suggestion]:
    """Compare barcodes padded to 14 digits; of a case's, the each's is suggested, as quantities are eaches."""
    for upc in asked.upcs:
        own = each_of(upc) if is_case(upc) else upc
        exact = known.of_barcodes.get(padded(upc), [])
        if exact:
            why = "it has this barcode, that of a case" if is_case(upc) else "it has this barcode"
            yield from (_suggestion(item, own, SAME_BARCODE, why) for item in exact)
        elif is_case(upc):
            why = f"the barcode is that of a case; {own}, that of the each in it, is this item's"
            yield from (_suggestion(item, own, EACH_OF_CASE, why) for item in known.of_barcodes.get(own, []))


def _by_number(known: KnownItems, asked: Asked) -> Iterator[Suggestion]:
    for item in known.of_numbers.get(asked.pos_sku.partition("_")[0], []):
        if item.ocs_sku == asked.pos_sku:
            yield _suggestion(item, item.barcode, SAME_SKU, "the POS SKU is this OCS SKU")
        elif "_" not in asked.pos_sku:
            yield _suggestion(item, item.barcode, SAME_NUMBER, "the POS SKU is its OCS item number")


def _by_name(known: KnownItems, asked: Asked) -> Iterator[Suggestion]:
    """Compare names word by word; a POS that gave no name may have put one into its SKU."""
    said = searchable(asked.name or asked.pos_sku)
    of_what = "the name" if asked.name else "the POS SKU"
    near = process.extract(said, known.titles, scorer=fuzz.token_set_ratio, limit=LOOKED_AT, score_cutoff=LEAST_ALIKE)
    for title, _, ocs_sku in near:
        # Shared words alone would make every size of a product the same, so what is left over counts half.
        alike = round((fuzz.token_set_ratio(said, title) + fuzz.token_sort_ratio(said, title)) / 2)
        if alike >= LEAST_ALIKE:
            item = known.by_sku[ocs_sku]
            score = round(alike * SUREST_NAME / 100)
            yield _suggestion(item, item.barcode, score, f"{of_what} is {alike} % like its name")


def _suggestion(item: NamedItem, upc: str, score: int, why: str) -> Suggestion:
    return Suggestion(item.ocs_sku, upc, item.title, score, why)
