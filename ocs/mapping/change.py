"""Says what a tenant's own SKUs are at the OCS, and keeps a history of who said what.

Lines that wait for a mapping leave by themselves once it is there (`ocs.events.release`); taking a mapping away holds
future lines only.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from ocs.db.pool import Connection
from ocs.db.queries import load
from ocs.errors import NotFound
from ocs.mapping.lookup import MappedSku

SQL = load(__file__)


class What(StrEnum):
    """What saying a mapping comes to."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Mapping:
    """What a POS SKU is to be mapped to; a note of None leaves the note that is there."""

    pos_sku: str
    item: MappedSku
    note: str | None = None


@dataclass(frozen=True)
class Effect:
    """What one mapping comes to: what the SKU was mapped to before (None: nothing), and what it is now."""

    pos_sku: str
    item: MappedSku
    note: str
    before: MappedSku | None
    what: What


@dataclass(frozen=True)
class Said:
    """By whom something was said, and when (UTC)."""

    by: str
    at: datetime


async def lock_mappings(connection: Connection, tenant_id: UUID) -> None:
    """Hold the tenant's mappings until the transaction ends: nobody else changes them meanwhile."""
    await connection.execute(SQL["lock_mappings"], {"tenant_id": tenant_id})


async def effects_of(connection: Connection, tenant_id: UUID, mappings: Collection[Mapping]) -> list[Effect]:
    """Give what saying these mappings would come to, in their order; writes nothing."""
    words = {"tenant_id": tenant_id, "pos_skus": [mapping.pos_sku for mapping in mappings]}
    rows = await (await connection.execute(SQL["mappings_before"], words)).fetchall()
    before = {row["pos_sku"]: (MappedSku(row["ocs_sku"], row["upc"]), row["note"]) for row in rows}
    return [_effect(mapping, before.get(mapping.pos_sku)) for mapping in mappings]


async def say(connection: Connection, tenant_id: UUID, mappings: Collection[Mapping], said: Said) -> list[Effect]:
    """Say what several SKUs are, each of them once in `mappings`; gives what it came to, in their order.

    Saying the same again writes nothing.
    """
    await lock_mappings(connection, tenant_id)
    effects = await effects_of(connection, tenant_id, mappings)
    await _save(connection, tenant_id, [effect for effect in effects if effect.what is not What.UNCHANGED], said)
    return effects


async def map_sku(connection: Connection, tenant_id: UUID, pos_sku: str, item: MappedSku) -> None:
    """Say from the command line what one of a tenant's own SKUs is; its note stays."""
    await say(connection, tenant_id, [Mapping(pos_sku, item)], Said("command line", datetime.now(UTC)))


async def remove_mapping(connection: Connection, tenant_id: UUID, pos_sku: str, said: Said) -> MappedSku:
    """Forget what a tenant's own SKU is, and give what it was; raises NotFound where it is not mapped."""
    await lock_mappings(connection, tenant_id)
    words = {"tenant_id": tenant_id, "pos_sku": pos_sku, "changed_by": said.by, "changed_at": said.at}
    row = await (await connection.execute(SQL["remove_mapping"], words)).fetchone()
    if row is None:
        raise NotFound(f'no mapping of the POS SKU "{pos_sku}"')
    return MappedSku(row["ocs_sku"], row["upc"])


async def _save(connection: Connection, tenant_id: UUID, news: Sequence[Effect], said: Said) -> None:
    words = {
        "tenant_id": tenant_id,
        "pos_skus": [effect.pos_sku for effect in news],
        "ocs_skus": [effect.item.ocs_sku for effect in news],
        "upcs": [effect.item.upc for effect in news],
        "notes": [effect.note for effect in news],
        "known": [effect.pos_sku for effect in news if effect.what is What.CHANGED],
        "changed_by": said.by,
        "changed_at": said.at,
    }
    await connection.execute(SQL["save_mappings"], words)


def _effect(mapping: Mapping, known: tuple[MappedSku, str] | None) -> Effect:
    item_before, note_before = known or (None, "")
    note = note_before if mapping.note is None else mapping.note
    what = What.UNCHANGED if known == (mapping.item, note) else What.ADDED if known is None else What.CHANGED
    return Effect(mapping.pos_sku, mapping.item, note, item_before, what)
