"""Lets lines go that waited for their POS SKU to be mapped, in their old places, once the mapping exists.

A death before the commit leaves everything as it was, and the next tick does it; a lost bell is rung by the sweeper.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.catalogue.preflight import CatalogueFacts, catalogue_facts
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.delivery import outbox
from ocs.delivery.outbox import Item, Stream
from ocs.delivery.sender import ring
from ocs.events.warn import NO_FACTS, about_item, why_to_wait
from ocs.levels.change import Effect, Level, change_levels, item_of, lock_levels, read_levels
from ocs.runtime import Runtime
from ocs.tenants.models import Store
from ocs.tenants.read import store_by_id

SQL = load(__file__)
log = telemetry.logger("events")
UNMAPPED = "sku_unmapped"


@dataclass(frozen=True)
class Named:
    """A line that waited, with the item that it is now known to be."""

    sequence: int
    line_id: UUID
    item: tuple[str, str]
    unit_cost: Decimal | None
    effect: Effect
    warnings: list[str]


async def release_mapped(runtime: Runtime) -> int:
    """Fill in what lines were waiting for, change the levels and let the lines go; gives how many lines."""
    async with runtime.pool.transaction() as connection:
        stores = await (await connection.execute(SQL["stores_to_release"])).fetchall()
    return sum([await _release(runtime, row["store_id"]) for row in stores])


@again_when_the_database_drops
async def _release(runtime: Runtime, store_id: UUID) -> int:
    async with runtime.pool.transaction() as connection:
        store = await store_by_id(connection, store_id)
        stream = await lock_levels(connection, store)
        named = await _named(connection, store)
        for line in named:
            await connection.execute(SQL["fill_in_item"], _words(store_id, line))
        await change_levels(connection, store, [line.effect for line in named])
        bell = await _let_go(connection, store, stream, named)
    if named:
        log.info("lines mapped", crsa=store.crsa, lines=len(named))
    if bell:
        await ring(runtime, store_id)
    return len(named)


async def _named(connection: Connection, store: Store) -> list[Named]:
    """Read the store's lines whose SKU is mapped by now, in order; each is costed by the level that it finds."""
    rows = await (await connection.execute(SQL["lines_to_release"], {"store_id": store.store_id})).fetchall()
    items = [(row["ocs_sku"], row["upc"] or row["mapped_upc"]) for row in rows]
    levels = await read_levels(connection, store.store_id, {item_of(*item) for item in items})
    facts = await catalogue_facts(connection, store.environment, set(items))
    named = []
    for row, item in zip(rows, items, strict=True):
        level = levels.get(item_of(*item), Level())
        line = _name(row, item, level, facts)
        levels[item_of(*item)] = level + line.effect.change
        named.append(line)
    return named


def _name(row: dict[str, Any], item: tuple[str, str], level: Level, facts: CatalogueFacts) -> Named:
    unit_cost = level.average_cost if row["unit_cost"] is None else row["unit_cost"]
    told_before = about_item(None, row["upc"], NO_FACTS)
    warnings = about_item(*item, facts) + [code for code in row["warnings"] if code not in told_before]
    if unit_cost is None:
        warnings.append("no_unit_cost")
    change = Level(row["quantity"], row["quantity"] * (unit_cost or Decimal(0)))
    effect = Effect(item_of(*item), row["effective_at"], row["sequence"], change)
    return Named(row["sequence"], row["line_id"], item, unit_cost, effect, warnings)


async def _let_go(connection: Connection, store: Store, stream: Stream, named: list[Named]) -> bool:
    """Make the lines pending, save those that must now wait for a person; gives whether to ring."""
    free = []
    for line in named:
        wait = why_to_wait(store, line.warnings)
        if wait is None:
            free.append(line.sequence)
        else:
            await outbox.park_for_another(connection, stream, Item(line.sequence, line.line_id, "warned", wait))
    return await outbox.release(connection, stream, free, UNMAPPED)


def _words(store_id: UUID, line: Named) -> dict[str, Any]:
    return {
        "store_id": store_id,
        "sequence": line.sequence,
        "ocs_sku": line.item[0],
        "upc": line.item[1],
        "unit_cost": line.unit_cost,
        "value": line.effect.change.value,
        "warnings": line.warnings,
    }
