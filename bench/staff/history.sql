-- A past, made by Postgres itself. Numbers: sales, stores, tenants, days, items (lines of a position), batch (sales of one).

-- makes: tenants, connections and stores
insert into tenants (tenant_id, crol, name)
select md5('tenant ' || n)::uuid, 'CROL' || lpad((8000000 + n)::text, 7, '0'), 'Retailer ' || n
  from generate_series(1, %(tenants)s) n;
insert into connections (connection_id, tenant_id, name, environment, base_url, token_url, scope, client_id, client_secret_name)
select md5('connection ' || n)::uuid, md5('tenant ' || n)::uuid, 'production', 'production', 'https://platform.invalid/func',
       'https://platform.invalid/token', 'scope', 'client-' || n, 'client-' || n
  from generate_series(1, %(tenants)s) n;
insert into connection_pace (connection_id, tenant_id, cap, allowed)
select connection_id, tenant_id, 16, 16 from connections;
insert into stores (store_id, tenant_id, connection_id, crsa, name, time_zone, pos_vendor, pos_vendor_version,
                    hash_key_name, created_at, anchored_at, counted_from)
select md5('store ' || n)::uuid, md5('tenant ' || 1 + n %% %(tenants)s)::uuid, md5('connection ' || 1 + n %% %(tenants)s)::uuid,
       'CRSA' || lpad((8000000 + n)::text, 7, '0'), 'Store ' || n,
       (array['America/Toronto', 'America/Winnipeg', 'America/Atikokan'])[1 + n %% 3], 'BenchPOS', '1.0',
       'hash-' || n, now() - interval '100 d', now() - interval '100 d', now() - interval '100 d'
  from generate_series(0, %(stores)s - 1) n;
insert into inventory_states (store_id, tenant_id, opened_at) select store_id, tenant_id, created_at from stores;

-- makes: who sells in which order, the busy stores more often
create unlogged table bench_turns as
select row_number() over (order by md5(s.store_id::text || turn)) - 1 as slot, s.store_id, s.tenant_id, s.connection_id,
       row_number() over (partition by s.store_id order by md5(s.store_id::text || turn)) - 1 as nth, w.weight
  from stores s
 cross join lateral (select case when right(s.crsa, 1) = '0' then 5 else 1 end as weight) w
 cross join lateral generate_series(1, w.weight) turn;
analyze bench_turns;
create unlogged table bench_sales as
select t + 1 as sale, c.store_id, c.tenant_id, c.connection_id, k.number,
       (k.number - k.number %% %(batch)s) / c.weight * turns.count + first.slot + 1 as batch_id,  -- by its first sale
       -- Twelve hours of each day, the last of them until now.
       now() - make_interval(days => %(days)s - 1 - (t * %(days)s / %(sales)s)::integer)
             - interval '12 h' * (1 - (t * %(days)s %% %(sales)s)::float8 / %(sales)s) as at
  from generate_series(0::bigint, %(sales)s - 1) t
 cross join (select count(*) from bench_turns) turns
  join bench_turns c on c.slot = t %% turns.count
 cross join lateral (select t / turns.count * c.weight + c.nth as number) k
  join bench_turns first on first.store_id = c.store_id and first.nth = (k.number - k.number %% %(batch)s) %% c.weight
 order by t;
analyze bench_sales;

-- makes: messages
insert into event_messages (store_id, message_id, tenant_id, transaction_id, transaction_type, inserted_at, recorded_at, lines_new)
select store_id, md5('message ' || sale), tenant_id, 'R-' || number, 'sale', at - interval '1 s', at, 2
  from bench_sales;

-- makes: event lines
insert into event_lines (store_id, sequence, tenant_id, line_id, revision, content_hash, message_id, inserted_at, transaction_id,
                         transaction_type, ocs_type, wire_sign, ocs_sku, upc, quantity, unit_cost, value, unit_price,
                         occurred_at, effective_at, recorded_at)
select store_id, 2 * number + line, tenant_id, md5('line ' || sale || ' ' || line)::uuid, 1,
       decode(md5(sale::text) || md5(line::text), 'hex'), md5('message ' || sale), at - interval '1 s', 'R-' || number,
       case when sale %% 40 = 0 then 'purchase' else 'sale' end, case when sale %% 40 = 0 then 'RECEIVING' else 'PURCHASE' end,
       'absolute', 100000 + item || '_3.5g___', lpad((6285820000 + item)::text, 13, '0') || '0',
       case when sale %% 40 = 0 then 24 else -1 end, 20, case when sale %% 40 = 0 then 480 else -20 end, 49.95,
       at - interval '3 s', at - interval '3 s', at
  from bench_sales
 cross join generate_series(1, 2) line
 cross join lateral (select (sale * 7919 + line * 104729) %% %(items)s as item) i;

-- makes: the outbox, a few lines of the last three days parked and of the last minutes pending
insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, batch_id, parked_cause, parked_reason, received_at, settled_at)
select store_id, 'events', 2 * number + line, tenant_id, md5('line ' || sale || ' ' || line)::uuid, state,
       case when state <> 'pending' then batch_id end,
       case when state = 'parked' then 'platform_rejected' end,
       case when state = 'parked' then 'The OCS platform refused this line: HTTP 400: {"error": "ocsSku"}' end,
       at - interval '1 s', case when state <> 'pending' then at + interval '1 s' * (1 + sale %% 3) end
  from bench_sales
 cross join generate_series(1, 2) line
 cross join lateral (select case when sale %% 997 = 0 and line = 1 and at > now() - interval '3 d' then 'parked'
                                 when at > now() - interval '2 min' then 'pending'
                                 else 'accepted' end as state) s;

-- makes: batches, tries and calls
insert into delivery_batches (batch_id, store_id, kind, tenant_id, first_sequence, last_sequence, lines, state, reference_id,
                              opened_at, settled_at)
overriding system value
select batch_id, store_id, 'events', tenant_id, min(2 * number + 1), max(2 * number + 2), 2 * count(*), 'accepted',
       'ref-' || batch_id, max(at), max(at) + interval '3 s'
  from bench_sales
 group by batch_id, store_id, tenant_id
 order by batch_id;
insert into delivery_attempts (batch_id, store_id, tenant_id, connection_id, fence, lines, started_at, finished_at, seconds,
                               outcome, http_status, reference_id, reply)
select b.batch_id, b.store_id, b.tenant_id, s.connection_id, 1, b.lines, b.opened_at, b.settled_at, 0.4, 'accepted', 200,
       b.reference_id, '{"referenceId": "' || b.reference_id || '"}'
  from delivery_batches b join stores s using (store_id)
 order by b.batch_id;
insert into audit_calls (call_id, at, tenant_id, store_id, connection_id, method, url, status, ms, request_bytes, request_sha256,
                         response_bytes, response_sha256, correlation_id, batch_id, attempt_id, content_hash, place,
                         previous_hash, hash)
select uuidv7(started_at - clock_timestamp()), started_at, tenant_id, store_id, connection_id, 'POST',
       'https://platform.invalid/func/PosInventoryEventHttpTrigger?posVendor=BenchPOS&posVendorVersion=1.0&retailerCRSA=CRSA8000000',
       200, 400, 1900, h.digest, 40, h.digest, md5('call ' || attempt_id), batch_id, attempt_id, h.digest, attempt_id,
       h.digest, h.digest
  from delivery_attempts
 cross join lateral (select decode(md5(attempt_id::text) || md5(batch_id::text), 'hex') as digest) h
 order by attempt_id;
update audit_chains set place = (select max(place) from audit_calls) where chain = 'calls';

-- makes: positions of every night
insert into snapshots (store_id, tenant_id, business_date, revision, as_of, reason, made_by, made_at, sequence, ocs_skus, upcs,
                       quantities, amounts)
select s.store_id, s.tenant_id, current_date - d, 1, current_date - d + interval '29 h', 'night', 'the night',
       current_date - d + interval '30 h', %(days)s - d + 1, l.ocs_skus, l.upcs, l.quantities, l.amounts
  from generate_series(%(days)s, 1, -1) d
 cross join stores s
 cross join (select array_agg(100000 + i || '_3.5g___') as ocs_skus, array_agg(lpad((62858200000 + i)::text, 14, '0')) as upcs,
                    array_agg((i %% 60)::numeric) as quantities, array_agg((i %% 60 * 20)::numeric) as amounts
               from generate_series(1, %(items)s) i) l;
insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, batch_id, received_at, settled_at)
select store_id, 'positions', sequence, tenant_id, md5('snapshot ' || snapshot_id)::uuid, 'accepted',
       1000000000 + snapshot_id, made_at, made_at + interval '5 s'
  from snapshots;
insert into delivery_batches (batch_id, store_id, kind, tenant_id, first_sequence, last_sequence, lines, state, reference_id,
                              opened_at, settled_at)
overriding system value
select 1000000000 + snapshot_id, store_id, 'positions', tenant_id, sequence, sequence, 1, 'accepted', 'ref-p' || snapshot_id,
       made_at, made_at + interval '5 s'
  from snapshots;
insert into nights (store_id, tenant_id, made_through) select store_id, tenant_id, current_date - 1 from stores;

-- makes: streams, alerts, dead letters and what staff did
insert into delivery_streams (store_id, kind, tenant_id, connection_id, last_sequence, due_at)
select o.store_id, o.kind, s.tenant_id, s.connection_id, max(o.sequence),
       case when bool_or(o.state = 'pending') then now() end
  from outbox o join stores s using (store_id)
 group by o.store_id, o.kind, s.tenant_id, s.connection_id;
insert into alerts (tenant_id, store_id, cause, message, opened_at, closed_at)
select tenant_id, store_id, 'undeliverable', 'Lines could not be delivered after 7 tries', now() - d * interval '1 d',
       case when d > 1 or right(crsa, 2) <> '00' then now() - d * interval '1 d' + interval '1 h' end
  from stores cross join generate_series(1, %(days)s) d
 where (hashtext(crsa) + d) %% 30 = 0;
insert into dead_letters (queue, message_id, tenant_id, body, cause, reason, state, inserted_at, buried_at, settled_at)
select 'pos-transactions', 'letter ' || n, t.tenant_id, '{"tenant_id": "CROL8000001"}', 'message', 'store_id: found nothing',
       case when n %% 20 = 0 then 'open' else 'redriven' end, t.at, t.at, case when n %% 20 <> 0 then t.at end
  from (select row_number() over (order by sale) as n, tenant_id, at from bench_sales where sale %% 2000 = 0) t;
insert into audit_acts (act_id, at, who_subject, who_name, what, tenant_id, store_id, subject, why, way, correlation_id,
                        content_hash, place, previous_hash, hash)
select uuidv7(at - clock_timestamp()), at, 'person-' || sale %% 50, 'Person ' || sale %% 50, 'line.corrected', tenant_id, store_id,
       'R-' || number, '', 'POST /api/ocs/events/lines/{line_id}/correct', md5('act ' || sale), decode(md5(sale::text), 'hex'),
       row_number() over (order by sale), decode(md5(sale::text), 'hex'), decode(md5(sale::text), 'hex')
  from bench_sales where sale %% 500 = 0;
drop table bench_sales, bench_turns;
