"""Takes what staff say of POS SKUs: of one, or of many in a CSV file, which is written as a whole or not at all.

A death before the commit leaves nothing behind; the same said again changes nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from ocs import telemetry
from ocs.audit.acts import Act
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.mapping.change import Effect, Mapping, Said, What, effects_of, say
from ocs.mapping.item_master import Warned, warnings_about
from ocs.mapping.lookup import MappedSku
from ocs.runtime import Runtime
from ocs.spreadsheet.cells import Column, Kind
from ocs.spreadsheet.table import Table, read_table

log = telemetry.logger("mapping")

COLUMNS = (Column("pos_sku", Kind.SKU), Column("ocs_sku", Kind.SKU), Column("upc", Kind.BARCODE, required=False))
"""The columns of a CSV file, in any order; a POS SKU stands on one line only."""

FindTenant = Callable[[Connection], Awaitable[UUID]]
"""Gives the tenant that the caller means, or raises what the caller should hear."""


@dataclass(frozen=True)
class Options:
    """How a file is taken: only looked at, and with its wrong lines left out instead of refused."""

    dry_run: bool
    good_lines_only: bool


@again_when_the_database_drops
async def take_one(runtime: Runtime, find_tenant: FindTenant, mapping: Mapping, act: Act) -> dict[str, Any]:
    """Say what one SKU is; gives what it came to, with warnings, for none of which it is refused."""
    async with runtime.pool.transaction() as connection:
        tenant_id = await find_tenant(connection)
        effect = (await say(connection, tenant_id, [mapping], Said(act.caller.name, runtime.now())))[0]
        if effect.what is not What.UNCHANGED:
            before = None if effect.before is None else asdict(effect.before)
            after = asdict(effect.item) | {"note": effect.note}
            what, subject = "sku.mapped", mapping.pos_sku
            await act.note(connection, what, tenant_id=tenant_id, subject=subject, before=before, after=after)
        warned = await warnings_about(connection, tenant_id, [effect.item])
    log.info("mapping said", tenant_id=tenant_id, change=effect.what)
    return _as_json(effect, warned) | {"note": effect.note}


@again_when_the_database_drops
async def take_file(
    runtime: Runtime, find_tenant: FindTenant, content: bytes, act: Act, options: Options
) -> dict[str, Any]:
    """Say what all SKUs of a CSV file are; gives what each line comes to, the same in a dry run.

    Raises BadInput that names every fault by line and column, and then nothing is written.
    """
    table = read_table(content, COLUMNS, unique=("pos_sku",))
    if not options.good_lines_only or not table.rows:
        table.require_all_right()
    mappings = [Mapping(row.text("pos_sku"), MappedSku(row.text("ocs_sku"), row.text("upc"))) for row in table.rows]
    async with runtime.pool.transaction() as connection:
        tenant_id = await find_tenant(connection)
        if options.dry_run:
            effects = await effects_of(connection, tenant_id, mappings)
        else:
            effects = await say(connection, tenant_id, mappings, Said(act.caller.name, runtime.now()))
            after = {"lines": len(effects), "faults": len(table.faults)}
            await act.note(connection, "skus.uploaded", tenant_id=tenant_id, subject="mappings", after=after)
        warned = await warnings_about(connection, tenant_id, {effect.item for effect in effects})
    log.info("mappings uploaded", tenant_id=tenant_id, dry_run=options.dry_run, lines=len(effects))
    return _answer(table, effects, warned, dry_run=options.dry_run)


def _answer(table: Table, effects: list[Effect], warned: Warned, *, dry_run: bool) -> dict[str, Any]:
    changes = any(effect.what is not What.UNCHANGED for effect in effects)
    return {
        "dry_run": dry_run,
        "written": changes and not dry_run,
        "totals": {what.value: sum(effect.what is what for effect in effects) for what in What},
        "lines": [
            {"line": row.line} | _as_json(effect, warned) for row, effect in zip(table.rows, effects, strict=True)
        ],
        "faults": [{"field": fault.field, "found": fault.found, "expected": fault.expected} for fault in table.faults],
    }


def _as_json(effect: Effect, warned: Warned) -> dict[str, Any]:
    before = effect.before
    return {
        "pos_sku": effect.pos_sku,
        "ocs_sku": effect.item.ocs_sku,
        "upc": effect.item.upc,
        "change": effect.what.value,
        "before": None if before is None else {"ocs_sku": before.ocs_sku, "upc": before.upc},
        "warnings": warned(effect.item),
    }
