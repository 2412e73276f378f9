"""A province in a database: stores with days of lines behind them, written by Postgres itself."""

from psycopg import AsyncConnection

from ocs.runtime import Runtime

LINES_A_DAY = 160
"""Of a mean store (domain.md, "Load")."""
STORES = """
insert into stores (tenant_id, connection_id, crsa, name, time_zone, pos_vendor, pos_vendor_version, hash_key_name,
                    anchored_at, created_at)
select tenant_id, connection_id, 'CRSA' || lpad((5000000 + n)::text, 7, '0'), 'Store ' || n, 'America/Toronto',
       'DemoPOS', '1.0', 'hash-key', now(), now() - interval '1 year'
  from connections, generate_series(1, %(stores)s) as n"""
STREAMS = """
insert into delivery_streams (store_id, kind, tenant_id, connection_id, last_sequence)
select store_id, kind, tenant_id, connection_id, case when kind = 'events' then %(lines)s else 1 end
  from stores cross join unnest(array['events', 'positions']) as kind"""
LINES = """
insert into event_lines (store_id, sequence, tenant_id, line_id, revision, content_hash, message_id, inserted_at,
                         transaction_id, transaction_type, ocs_type, wire_sign, ocs_sku, upc, quantity, value,
                         occurred_at, effective_at, recorded_at)
select store_id, n, tenant_id, gen_random_uuid(), 1, '\\x00', 'm' || n, at, 't' || n, 'sale', 'PURCHASE', 'absolute',
       '101955_3.5g___', '00708762000695', -1, -5, at, at, at
  from generate_series(1, %(lines)s) as n
 cross join lateral (select now() - (%(lines)s - n) * interval '9 minutes' as at) t
 cross join stores"""
OUTBOX = """
insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, batch_id, received_at, settled_at)
select b.store_id, 'events', n, b.tenant_id, gen_random_uuid(), 'accepted', b.batch_id, b.opened_at, b.settled_at
  from delivery_batches b cross join lateral generate_series(b.first_sequence, b.last_sequence) as n
 where b.kind = 'events'"""
BATCHES = """
insert into delivery_batches (store_id, kind, tenant_id, first_sequence, last_sequence, lines, state, reference_id,
                              opened_at, settled_at)
select store_id, 'events', tenant_id, n, n + 1, 2, 'accepted', 'ref', at, at + interval '2 seconds'
  from generate_series(1, %(lines)s, 2) as n
 cross join lateral (select now() - (%(lines)s - n) * interval '9 minutes' as at) t
 cross join stores"""
ATTEMPTS = """
insert into delivery_attempts (batch_id, store_id, tenant_id, connection_id, fence, lines, started_at, finished_at,
                               seconds, outcome, http_status, reference_id, reply)
select b.batch_id, b.store_id, b.tenant_id, s.connection_id, 1, 2, b.opened_at, b.settled_at, 0.2, 'accepted', 200,
       'ref', '{"referenceId": "00000000-0000-0000-0000-000000000000"}'
  from delivery_batches b join stores s using (store_id)"""
SNAPSHOTS = """
insert into snapshots (store_id, tenant_id, business_date, revision, as_of, reason, made_by, sequence, ocs_skus, upcs,
                       quantities, amounts)
select store_id, tenant_id, current_date - 1, 1, now(), 'night', 'timer', 1, '{a}', '{b}', '{1}', '{2}' from stores"""
POSITIONS = """
insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, received_at, settled_at)
select store_id, 'positions', 1, tenant_id, gen_random_uuid(), 'accepted', now(), now() from stores"""


async def fill(runtime: Runtime, stores: int, days: int) -> None:
    """Write so many more stores, each with so many days of accepted lines up to now, and let Postgres look at it."""
    words = {"stores": stores, "lines": days * LINES_A_DAY}
    async with runtime.pool.transaction() as connection:
        for statement in (STORES, STREAMS, LINES, BATCHES, OUTBOX, ATTEMPTS, SNAPSHOTS, POSITIONS):
            await connection.execute(statement, words)
    async with await AsyncConnection.connect(
        runtime.settings.database_url.get_secret_value(), autocommit=True
    ) as connection:
        await connection.execute("vacuum analyze")
