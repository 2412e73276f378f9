"""Checks each line's SKU and barcode against the catalogue."""

from collections import defaultdict
from collections.abc import Sequence

from devstack.regulator.reconciliation.finding import Code, Finding
from devstack.regulator.reconciliation.ledger_reading import Movement
from devstack.regulator.wholesale.barcodes import comparable
from devstack.regulator.wholesale.catalogue import Item


class ItemMaster:
    """The catalogue as the check uses it: the barcodes of each SKU."""

    def __init__(self, items: Sequence[Item]) -> None:
        """Take the items of one publication; both of their barcodes count."""
        self._barcodes: dict[str, set[str]] = defaultdict(set)
        for item in items:
            given = (item["GTIN"], item["itemBarcode"])
            self._barcodes[item["SKU"]].update(comparable(barcode) for barcode in given if barcode)
        self._known = set[str]().union(*self._barcodes.values())

    def fault(self, sku: str, upc: str) -> tuple[Code, str] | None:
        """Say what is wrong with a pair, None where it is right."""
        barcode = comparable(upc) if upc else ""
        of_sku = self._barcodes.get(sku)
        if of_sku is not None and barcode in of_sku:
            return None
        if of_sku is not None and barcode not in self._known:
            return Code.UPC_UNMATCHED, f"UPC Barcode [{upc}] could not be matched."
        if of_sku is None and barcode in self._known:
            return Code.SKU_UNMATCHED, f"SKU [{sku}] could not be matched."
        return Code.SKU_UPC_UNMATCHED, f"SKU [{sku}] and UPC Barcode [{upc}] could not be matched."


def unmatched(crsa: str, moved: Sequence[Movement], master: ItemMaster) -> list[Finding]:
    """Find the pairs of a store that are not in the catalogue, each with all of its lines; by time."""
    by_pair: dict[tuple[str, str], list[Movement]] = defaultdict(list)
    for movement in moved:
        by_pair[movement.sku, movement.upc].append(movement)
    findings = []
    for (sku, upc), lines in by_pair.items():
        fault = master.fault(sku, upc)
        if fault is not None:
            ids = [line.line_id for line in lines]
            findings.append(Finding(fault[0], crsa, sku, upc, lines[0].date, ids, fault[1]))
    return findings
