import time
from ocs.alerts import rules
from ocs.alerts.rules import RULES, evaluate
from tests.integration.alerting import change, opened
from tests.integration.pos import rows, sell

async def test_scale(runtime):
    await sell(runtime, "T1")
    await change(
        runtime,
        "insert into stores (tenant_id, connection_id, crsa, name, time_zone, pos_vendor, pos_vendor_version,"
        " hash_key_name, anchored_at)"
        " select tenant_id, connection_id, 'CRSA' || (5000000 + n), 'Store ' || n, 'America/Toronto', 'v', '1',"
        " 'hash-key', now() from stores cross join generate_series(1, 1800) as n where crsa = 'CRSA1111111'",
        "insert into delivery_streams (store_id, kind, tenant_id, connection_id, last_sequence, due_at)"
        " select store_id, 'events', tenant_id, connection_id, 1000, now() from stores where name like 'Store %'",
        "insert into delivery_batches (store_id, kind, tenant_id, first_sequence, last_sequence, lines, state, settled_at)"
        " select store_id, kind, tenant_id, n, n, 5, 'accepted', now() - n * interval '1 min'"
        " from delivery_streams cross join generate_series(1, 100) as n where last_sequence = 1000",
        "insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, batch_id, received_at, settled_at)"
        " select store_id, kind, 10 * first_sequence + n, tenant_id, gen_random_uuid(), 'accepted', batch_id,"
        " settled_at - interval '1 s', settled_at from delivery_batches cross join generate_series(1, 5) as n where state='accepted'",
        "insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, received_at)"
        " select store_id, kind, 5000, tenant_id, gen_random_uuid(), 'pending', now() - interval '9 min'"
        " from delivery_streams where last_sequence = 1000",
        "insert into delivery_attempts"
        " (batch_id, store_id, tenant_id, connection_id, fence, lines, finished_at, outcome)"
        " select b.batch_id, store_id, tenant_id, s.connection_id, 1, 10, b.settled_at, 'accepted'"
        " from delivery_batches b join stores s using (store_id, tenant_id) where state = 'accepted'",
    )
    async with runtime.pool.transaction() as connection:
        await connection.execute("analyze")
        print(await rows(runtime, "select count(*) from outbox"))
        for rule in RULES:
            began = time.monotonic()
            await (await connection.execute(rule.query, rule.words())).fetchall()
            print(rule.cause, round((time.monotonic() - began) * 1000, 1), "ms")
    for _ in range(2):
        began = time.monotonic()
        print(await evaluate(runtime), round((time.monotonic() - began) * 1000), "ms evaluate")
    print(await opened(runtime))
