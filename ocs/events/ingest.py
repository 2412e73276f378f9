"""Takes one message in: check, number, record, change the levels and fill the outbox, in one transaction.

Whatever is wrong with a message makes it a dead letter at once, whole and with the reason; what is wrong with us
raises, and the queue gives the message again.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from ocs import telemetry
from ocs.bad_input import BadInput, FieldFault, bad_input, quoted
from ocs.catalogue.preflight import catalogue_facts
from ocs.db.pool import Connection, again_when_the_database_drops
from ocs.db.queries import load
from ocs.dead_letters.doors import Door, Message
from ocs.delivery import outbox
from ocs.delivery.outbox import Item as OutboxItem, Stream
from ocs.delivery.sender import ring
from ocs.events import lines
from ocs.events.lines import Change, Known, Line, Revision
from ocs.events.models import Transaction, read_transaction
from ocs.events.warn import Light, why_to_wait
from ocs.levels.change import change_levels, item_of, lock_levels, read_levels
from ocs.mapping.lookup import mapped_skus
from ocs.message_text import decode
from ocs.pos.signatures import Opened, open_signed, require_signature
from ocs.runtime import Runtime
from ocs.tenants.models import Mapping, Store, TransactionType
from ocs.tenants.read import find_store, is_of_tenant

SQL = load(__file__)
log = telemetry.logger("events")

LATEST = timedelta(hours=24)
"""How far ahead of its arrival a sale may say it was: clocks differ by minutes, a wrong year is a fault."""


@dataclass(frozen=True)
class Taken:
    """What became of a message: for which store, how many of its lines were new, corrected or known."""

    store_id: UUID
    new: int
    corrected: int
    unchanged: int
    ring: bool


async def take(runtime: Runtime, message: Message) -> Taken:
    """Take a message in and ring for its store where nobody is at it yet; raises BadInput."""
    taken = await ingest(runtime, message)
    if taken.ring:
        await ring(runtime, taken.store_id)
    return taken


async def ingest(runtime: Runtime, message: Message) -> Taken:
    """Take a message in; raises BadInput, then nothing of it is written. Ring the bell if `ring` says so."""
    opened = await open_signed(runtime, decode(message.body), message.inserted_at)
    message = replace(message, message_id=opened.message_id or message.message_id)
    transaction = read_transaction(opened.text)
    taken = await _record(runtime, transaction, message, opened)
    telemetry.describe(
        {
            "ocs.store_id": taken.store_id,
            "ocs.lines.new": taken.new,
            "ocs.lines.corrected": taken.corrected,
            "ocs.lines.unchanged": taken.unchanged,
        }
    )
    log.info(
        "transaction taken in",
        message_id=message.message_id,
        transaction_id=transaction.transaction_id,
        store_id=taken.store_id,
        new=taken.new,
        corrected=taken.corrected,
        unchanged=taken.unchanged,
    )
    return taken


@again_when_the_database_drops
async def _record(runtime: Runtime, transaction: Transaction, message: Message, opened: Opened) -> Taken:
    async with runtime.pool.transaction() as connection:
        return await record(connection, transaction, message, opened)


async def record(
    connection: Connection, transaction: Transaction, message: Message, opened: Opened | None = None
) -> Taken:
    """Take a transaction in inside an open transaction, which must be rolled back on BadInput. Ring after the commit.

    `opened` tells who signed a message that came by a queue; it is None where this app knows the sender otherwise.
    """
    store, mapping = await _store_and_mapping(connection, transaction)
    if opened is not None:
        await require_signature(connection, opened, store.tenant_id, message.inserted_at)
    stream = await lock_levels(connection, store)
    if not await _note(connection, store, transaction, message):
        # Delivered twice, or its first commit was not heard of: on record already. A ring too many is harmless.
        return Taken(store.store_id, 0, 0, len(transaction.items), ring=True)
    known = await _known(connection, store, transaction)
    sent = lines.Sent(message.inserted_at, message.is_copy)
    change = lines.build(transaction, store, mapping, sent, known, stream.last_sequence + 1)
    _refuse_what_cannot_be(transaction, message, change)
    ring = await _write(connection, store, stream, transaction, message, change)
    corrected = len(change.corrected)
    taken = Taken(store.store_id, len(change.lines) - corrected, corrected, change.unchanged, ring)
    await connection.execute(
        SQL["count_message_lines"],
        {
            "store_id": store.store_id,
            "message_id": message.message_id,
            "lines_new": taken.new,
            "lines_corrected": taken.corrected,
            "lines_unchanged": taken.unchanged,
        },
    )
    return taken


async def _store_and_mapping(connection: Connection, transaction: Transaction) -> tuple[Store, Mapping]:
    kind_of_transaction: TransactionType = transaction.transaction_type
    found = await find_store(connection, transaction.tenant_id, transaction.store_id, kind_of_transaction)
    if found is None:
        expected = f"the id or CRSA of a store of tenant {quoted(transaction.tenant_id)}; is it onboarded?"
        raise bad_input("store_id", transaction.store_id, expected)
    if found.mapping is None:
        expected = "a type that the store's connection has a mapping for"
        raise bad_input("transaction_type", kind_of_transaction.value, expected)
    return found.store, found.mapping


async def _note(connection: Connection, store: Store, transaction: Transaction, message: Message) -> bool:
    words = {
        "store_id": store.store_id,
        "tenant_id": store.tenant_id,
        "message_id": message.message_id,
        "transaction_id": transaction.transaction_id,
        "transaction_type": transaction.transaction_type.value,
        "inserted_at": message.inserted_at,
    }
    return await (await connection.execute(SQL["record_message"], words)).fetchone() is not None


async def _known(connection: Connection, store: Store, transaction: Transaction) -> Known:
    """Read what the lines need to know, under the stream's lock: nothing of it can change before the commit."""
    identities = [
        lines.line_id(store.store_id, transaction.transaction_id, number, item)
        for number, item in enumerate(transaction.items)
    ]
    words = {"store_id": store.store_id, "line_ids": identities}
    rows = await (await connection.execute(SQL["newest_revisions"], words)).fetchall()
    own_skus = {item.sku for item in transaction.items if item.ocs_sku is None and item.sku is not None}
    skus = await mapped_skus(connection, store.tenant_id, own_skus)
    items = {lines.item_of(item, skus) for item in transaction.items}
    found = {(ocs_sku, upc) for ocs_sku, upc in items if ocs_sku is not None}
    levels = await read_levels(connection, store.store_id, {item_of(*item) for item in found})
    light = Light(
        facts=await catalogue_facts(connection, store.environment, found),
        counterparty_is_ours=await _is_ours(connection, store, transaction.counterparty_crsa),
    )
    return Known({row["line_id"]: Revision(**row) for row in rows}, levels, skus, light)


async def _is_ours(connection: Connection, store: Store, counterparty_crsa: str | None) -> bool:
    return counterparty_crsa is None or await is_of_tenant(connection, store.tenant_id, counterparty_crsa)


def _refuse_what_cannot_be(transaction: Transaction, message: Message, change: Change) -> None:
    """Refuse what only the record or the clock can show to be wrong; the open transaction is rolled back."""
    faults = [
        FieldFault(f"items[{number}].quantity", "0", "more than 0: only a line reported before can be voided with 0")
        for number in change.voids_unknown
    ]
    copied = "what is on record: this is a copy without its time of sending; drive it again by hand if it is the newer"
    faults += [FieldFault(f"items[{number}]", "another content", copied) for number in change.undecided]
    occurred_at = transaction.occurred_at
    if occurred_at is not None and occurred_at > message.inserted_at + LATEST:
        expected = f"a time not after it was sent ({message.inserted_at.isoformat(timespec='seconds')})"
        faults.append(FieldFault("occurred_at", quoted(occurred_at.isoformat()), expected))
    if faults:
        raise BadInput(faults)


async def _write(
    connection: Connection, store: Store, stream: Stream, transaction: Transaction, message: Message, change: Change
) -> bool:
    """Write the new lines with their numbers, change the levels, fill the outbox; gives whether to ring."""
    if not change.lines:
        return False
    rows = [_row(line, stream, transaction, message) for line in change.lines]
    async with connection.cursor() as cursor:
        await cursor.executemany(SQL["record_line"], rows)
    await change_levels(connection, store, change.effects)
    items = [_outbox_item(store, line) for line in change.lines]
    return await outbox.enqueue(connection, stream, items, message.inserted_at, corrections=change.corrected)


def _outbox_item(store: Store, line: Line) -> OutboxItem:
    if line.ocs_sku is None:
        reason = f'The POS\'s SKU "{line.pos_sku}" is not mapped to an OCS SKU yet. It leaves by itself once it is.'
        return OutboxItem(line.sequence, line.line_id, "sku_unmapped", reason)
    wait = why_to_wait(store, line.warnings)
    return OutboxItem(line.sequence, line.line_id, wait and "warned", wait)


def _row(line: Line, stream: Stream, transaction: Transaction, message: Message) -> dict[str, object]:
    row = {name: getattr(line, name) for name in Line.__dataclass_fields__ if name != "contents"}
    return row | {
        "store_id": stream.store_id,
        "tenant_id": stream.tenant_id,
        "message_id": message.message_id,
        "transaction_id": transaction.transaction_id,
        "transaction_type": transaction.transaction_type.value,
        "warnings": list(line.warnings),
    }


TRANSACTIONS = Door("pos-transactions", take)
