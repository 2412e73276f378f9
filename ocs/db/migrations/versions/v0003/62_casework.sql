-- room: events -------------------------------------------------------------------------------------------------------

-- For casework/queries.sql, with ten million lines behind it: keys_by_time, keys_by_sku (with either SKU).
create index event_lines_newest on event_lines (store_id, recorded_at, sequence);
create index event_lines_of_ocs_sku on event_lines (store_id, ocs_sku, recorded_at, sequence) where ocs_sku is not null;
create index event_lines_of_pos_sku on event_lines (store_id, pos_sku, recorded_at, sequence) where pos_sku is not null;
-- Most lines are sales, found among the newest at once; a rare type would be looked for through all of a store's history.
create index event_lines_of_type on event_lines (store_id, transaction_type, recorded_at, sequence)
    where transaction_type <> 'sale';

create view line_revisions as
select store_id, tenant_id, sequence, line_id, revision, message_id, inserted_at, transaction_id, transaction_type, ocs_type,
       wire_sign, pos_sku, ocs_sku, upc, quantity, unit_cost, value, unit_price, counterparty_crsa, reason, occurred_at,
       process_on, effective_at, warnings, recorded_at
  from event_lines;

create view taken_messages as
select store_id, message_id, tenant_id, transaction_id, transaction_type, inserted_at, recorded_at, lines_new,
       lines_corrected, lines_unchanged
  from event_messages;
-- room: delivery -----------------------------------------------------------------------------------------------------

create table outbox_earlier_batches (         -- in which batch an item was before it was sent again
    store_id  uuid not null,
    kind      text not null,
    sequence  bigint not null,
    batch_id  bigint not null references delivery_batches,
    tenant_id uuid not null references tenants,
    again_at  timestamptz not null default clock_timestamp(),
    primary key (store_id, kind, sequence, batch_id),
    foreign key (store_id, kind, sequence) references outbox
);
create index outbox_earlier_batches_of_batch on outbox_earlier_batches (batch_id);

-- What is not settled, oldest first in each store: the pages and counts of what waits (casework/pending.py).
create index outbox_unsettled on outbox (store_id, kind, received_at, sequence)
    include (tenant_id, state, parked_cause) where state in ('pending', 'frozen', 'parked');
create index outbox_superseded on outbox (store_id, kind, sequence) where state = 'superseded';
create index delivery_batches_of_reference on delivery_batches (reference_id, store_id, batch_id)
    where reference_id is not null;

create view items_earlier_batches as
select store_id, kind, sequence, batch_id, tenant_id, again_at from outbox_earlier_batches;

create view sent_batches as
select batch_id, parent_id, store_id, kind, tenant_id, state, first_sequence, lines, failures, reference_id, opened_at, settled_at
  from delivery_batches;

create view delivery_waits as                 -- why a store's stream is, or is not, being sent this moment
select d.store_id, d.kind, d.tenant_id, d.due_at, d.wait_cause, d.waiting_since, d.lease_until,
       p.connection_id, p.state as breaker, p.hold_until, p.hold_cause,
       coalesce(is_due(d.due_at, d.wait_cause, d.waiting_since, coalesce(p.recovered_at, 'epoch')), false) as is_due,
       p.connection_id is null                -- never called yet: it gets its calls with the first one
       or exists (select from call_slots c
                   where c.connection_id = p.connection_id and c.slot <= p.allowed
                     and c.held_until <= clock_timestamp()) as has_free_slot
  from delivery_streams d
  join reporting_stores s using (store_id)
  left join connection_pace p on p.connection_id = s.connection_id;
-- room: casework -----------------------------------------------------------------------------------------------------

create table line_corrections (               -- which revisions staff made, and why
    store_id   uuid not null references stores,
    line_id    uuid not null,
    revision   integer not null check (revision > 1),
    tenant_id  uuid not null references tenants,
    made_by    text not null,
    why        text not null,
    made_at    timestamptz not null default clock_timestamp(),
    primary key (store_id, line_id, revision)
);

create table retry_jobs (                    -- lines sent again by a filter, a few at a time
    job_id        uuid primary key default gen_random_uuid(),
    tenant_id     uuid not null references tenants,
    what          text not null check (what in ('retry', 'replay')),  -- what is parked; what was accepted
    cause         text,                       -- of what is parked: only this one
    recorded_from timestamptz,
    recorded_to   timestamptz,
    asked_by      text not null,
    asked_at      timestamptz not null default clock_timestamp(),
    state         text not null default 'running' check (state in ('running', 'done', 'cancelled')),
    finished_at   timestamptz,
    check ((state = 'running') = (finished_at is null))
);
create index retry_jobs_newest on retry_jobs (asked_at, job_id);
create index retry_jobs_of_tenant on retry_jobs (tenant_id, asked_at, job_id);
create index retry_jobs_running on retry_jobs (job_id) where state = 'running';

create table retry_job_stores (              -- how far a job is in each of its stores
    job_id           uuid not null references retry_jobs,
    store_id         uuid not null references stores,
    tenant_id        uuid not null references tenants,
    lines            integer not null,        -- as counted when it was asked for
    sent_again       integer not null default 0,
    left_as_is       integer not null default 0,  -- settled, corrected or parked for another cause meanwhile
    after_sequence   bigint not null,
    through_sequence bigint not null,
    state            text not null default 'running' check (state in ('running', 'done', 'cancelled')),
    stepped_at       timestamptz not null default clock_timestamp(),
    primary key (job_id, store_id)
);
create index retry_job_stores_running on retry_job_stores (stepped_at) where state = 'running';
