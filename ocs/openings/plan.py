"""Finds out which item each line of an upload means and what it is worth; pure, given the mappings of POS SKUs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from ocs.bad_input import FieldFault, quoted
from ocs.levels.change import Item, Level, item_of
from ocs.mapping.lookup import MappedSku
from ocs.openings.models import Counted, Place

PLACES = Decimal("0.0001")
"""As values are kept: Canadian dollars to four decimals."""
NOTHING = Level(Decimal(0), Decimal(0).quantize(PLACES))


@dataclass(frozen=True)
class Planned:
    """A line that can be written: where it stood, the POS's own SKU if it came by that, its item, its level."""

    place: Place
    sku: str
    item: Item
    level: Level


def plan(lines: Iterable[Counted], skus: Mapping[str, MappedSku]) -> tuple[list[Planned], list[FieldFault]]:
    """Give the lines that can be written, and what is wrong with the others.

    Of two lines with the same item none can be written: nothing says which count is right.
    """
    planned: list[Planned] = []
    faults: list[FieldFault] = []
    for line in lines:
        item, no_item = _item(line, skus)
        level, no_level = _level(line)
        if item is not None and level is not None:
            planned.append(Planned(line.place, "" if line.ocs_sku else line.sku, item, level))
        faults += [fault for fault in (no_item, no_level) if fault is not None]
    return _without_repeats(planned, faults)


def _item(line: Counted, skus: Mapping[str, MappedSku]) -> tuple[Item | None, FieldFault | None]:
    if line.ocs_sku:
        return item_of(line.ocs_sku, line.upc), None
    if not line.sku:
        expected = "the OCS SKU, or the POS's own SKU in sku"
        return None, FieldFault(line.place.field("ocs_sku"), "nothing", expected)
    mapped = skus.get(line.sku)
    if mapped is None:
        expected = "a POS SKU that is mapped to an OCS SKU: map it first, or give the OCS SKU in ocs_sku"
        return None, FieldFault(line.place.field("sku"), quoted(line.sku), expected)
    return item_of(mapped.ocs_sku, line.upc or mapped.upc), None


def _level(line: Counted) -> tuple[Level | None, FieldFault | None]:
    field, both = line.place.field("value"), "unit_cost or value, one of the two"
    if line.unit_cost is not None and line.value is not None:
        return None, FieldFault(field, f"{line.value:f} and a unit_cost", both)
    if not line.quantity:
        if line.value:
            return None, FieldFault(field, f"{line.value:f}", "0 or nothing: nothing on hand has no value")
        return NOTHING, None
    if line.value is not None:
        return Level(line.quantity, line.value.quantize(PLACES)), None
    if line.unit_cost is None:
        return None, FieldFault(line.place.field("unit_cost"), "nothing", both)
    return Level(line.quantity, (line.quantity * line.unit_cost).quantize(PLACES)), None


def _without_repeats(planned: list[Planned], faults: list[FieldFault]) -> tuple[list[Planned], list[FieldFault]]:
    firsts: dict[Item, Planned] = {}
    repeated: set[Item] = set()
    for line in planned:
        first = firsts.setdefault(line.item, line)
        if first is not line:
            repeated.add(line.item)
            found = quoted(", ".join(part for part in line.item if part))
            expected = f"each item only once: {first.place} has it too"
            faults.append(FieldFault(line.place.field("sku" if line.sku else "ocs_sku"), found, expected))
    return [line for line in planned if line.item not in repeated], faults


def total(levels: Iterable[Level]) -> Level:
    """Add levels up."""
    return sum(levels, NOTHING)
