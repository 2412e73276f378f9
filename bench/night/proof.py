"""Proves a night: what the regulator stand-in holds against our record and against the bench's own reckoning."""

import random
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx

from bench.scene.ground import BenchError, Ground, progress
from bench.scene.shelves import Shelf

SAMPLE = 100
"""Stores whose position is compared line by line; others every run."""
SAY_EVERY = 300
NAMES = ("ocsSku", "upcAndBarcode", "inventoryQuantityOnHand", "inventoryBookValue")
Line = tuple[str, str, Decimal, Decimal]


def prove(own: Ground, shelves: Sequence[Shelf]) -> int:
    """Prove that the regulator stand-in holds exactly one position of the night for each store, with all its lines.

    For a random sample every line is compared with Postgres, and with what the bench reckons itself. Gives the number
    of lines of all stores; raises BenchError with the first store that is wrong.
    """
    frozen = {
        row[0]: int(row[1])
        for row in own.rows(
            "select crsa, sum(cardinality(ocs_skus)) from snapshots join stores using (store_id) group by crsa"
        )
    }
    sample = {shelf.crsa for shelf in random.sample(list(shelves), min(SAMPLE, len(shelves)))}
    lines = 0
    for number, shelf in enumerate(shelves):
        if number % SAY_EVERY == 0:
            progress(f"proof: store {number + 1:,} of {len(shelves):,}")
        held = _one_position(own.control, shelf)
        expected = shelf.stock.position()
        if not len(held) == len(expected) == frozen.get(shelf.crsa):
            counts = f"{len(held)} at the regulator, {frozen.get(shelf.crsa)} in Postgres, {len(expected)} expected"
            raise BenchError(f"{shelf.crsa}: lines of its position: {counts}")
        if shelf.crsa in sample:
            _prove_lines(own, shelf, held, expected)
        lines += len(held)
    return lines


def _one_position(control: httpx.Client, shelf: Shelf) -> list[Line]:
    positions = control.get(f"/positions/{shelf.crsa}").raise_for_status().json()
    dates = [position["positionTimeStamp"][:10] for position in positions]
    if dates != [str(shelf.last_day)]:
        raise BenchError(f"{shelf.crsa}: the regulator has positions of {dates}, wanted is one of {shelf.last_day}")
    if positions[0]["contents_seen"] != 1:
        raise BenchError(f"{shelf.crsa}: the regulator got different contents for {shelf.last_day}")
    return sorted(_line(line) for line in positions[0]["lines"])


def _line(sent: Mapping[str, Any]) -> Line:
    ocs_sku, upc, quantity, value = (sent[name] for name in NAMES)
    return ocs_sku, upc, Decimal(quantity), Decimal(value)


def _prove_lines(own: Ground, shelf: Shelf, held: list[Line], expected: Sequence[tuple[str, str, str, str]]) -> None:
    recorded = own.rows(
        "select ocs_sku, upc, quantity, value from snapshot_lines where store_id = %s and business_date = %s",
        shelf.store_id,
        shelf.last_day,
    )
    if held != sorted(tuple(row) for row in recorded):
        raise BenchError(f"{shelf.crsa}: what the regulator holds is not what Postgres has frozen")
    reckoned = sorted((ocs_sku, upc, Decimal(quantity), Decimal(value)) for ocs_sku, upc, quantity, value in expected)
    if held != reckoned:
        wrong = next(pair for pair in zip(held, reckoned, strict=True) if pair[0] != pair[1])
        raise BenchError(f"{shelf.crsa}: the regulator holds {wrong[0]}, the bench reckons {wrong[1]}")
