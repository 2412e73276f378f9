"""Checks a store's stock: never below zero, and each position as the movements since the first one make it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from devstack.regulator.reconciliation.finding import Code, Finding
from devstack.regulator.reconciliation.ledger_reading import ItemKey, Movement, Position

NOTHING = Decimal(0)


def stock_findings(crsa: str, moved: Sequence[Movement], positions: Iterator[Position]) -> list[Finding]:
    """Find negative inventory and position mismatches, from the first position on."""
    anchor = next(positions, None)
    if anchor is None:
        return list(_negative(crsa, None, moved))
    later = [movement for movement in moved if movement.instant > anchor.instant]
    return [*_negative(crsa, anchor, later), *_mismatches(crsa, anchor, later, positions)]


def _negative(crsa: str, anchor: Position | None, moved: Sequence[Movement]) -> Iterable[Finding]:
    """Give one finding for each SKU whose running sum goes below zero, with the lines that first took it there."""
    levels: dict[str, Decimal] = defaultdict(Decimal)
    found: dict[str, Finding] = {}
    if anchor is not None:
        for (sku, _), quantity in anchor.on_hand.items():
            levels[sku] += quantity
        found = {sku: _below_zero(crsa, sku, anchor, ()) for sku, level in levels.items() if level < 0}
    for _, together in groupby(moved, key=lambda movement: movement.instant):
        lines: dict[str, list[Movement]] = defaultdict(list)
        for movement in together:
            levels[movement.sku] += movement.quantity
            lines[movement.sku].append(movement)
        for sku, of_sku in lines.items():
            if levels[sku] < 0 and sku not in found:
                found[sku] = _below_zero(crsa, sku, of_sku[0], of_sku)
    return found.values()


def _below_zero(crsa: str, sku: str, when: Movement | Position, lines: Sequence[Movement]) -> Finding:
    message = f"Observed negative inventory for SKU [{sku}] starting on [{when.date}]."
    return Finding(Code.NEGATIVE_INVENTORY, crsa, sku, "", when.date, [line.line_id for line in lines], message)


def _mismatches(
    crsa: str, anchor: Position, moved: Sequence[Movement], positions: Iterator[Position]
) -> Iterable[Finding]:
    """Give the first mismatch of each item, with its lines since the position before."""
    levels = dict(anchor.on_hand)
    barcodes = dict(anchor.barcodes)
    found: dict[ItemKey, Finding] = {}
    waiting = iter(moved)
    ahead = next(waiting, None)
    for position in positions:
        since: dict[ItemKey, list[str]] = defaultdict(list)
        while ahead is not None and ahead.instant <= position.instant:
            levels[ahead.item] = levels.get(ahead.item, NOTHING) + ahead.quantity
            barcodes.setdefault(ahead.item, ahead.upc)
            since[ahead.item].append(ahead.line_id)
            ahead = next(waiting, None)
        barcodes |= position.barcodes
        for item in sorted(levels.keys() | position.on_hand.keys()):
            reported, expected = position.on_hand.get(item, NOTHING), levels.get(item, NOTHING)
            if reported != expected and item not in found:
                upc = barcodes[item]
                found[item] = _mismatch(crsa, (item[0], upc), position, (reported, expected), since[item])
        # What is at zero need not be looked at again: so the work grows with the lines, not with all items ever seen.
        levels = {item: level for item, level in levels.items() if level}
    return found.values()


def _mismatch(
    crsa: str, pair: tuple[str, str], position: Position, counts: tuple[Decimal, Decimal], line_ids: Sequence[str]
) -> Finding:
    sku, upc = pair
    message = (
        f"Reported on hand [{counts[0]}] of SKU [{sku}] and UPC Barcode [{upc}] on [{position.date}], "
        f"expected [{counts[1]}]."
    )
    return Finding(Code.POSITION_MISMATCH, crsa, sku, upc, position.date, line_ids, message)
