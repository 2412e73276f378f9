-- room: positions ----------------------------------------------------------------------------------------------------

create table nights (
    store_id     uuid primary key references stores,
    tenant_id    uuid not null references tenants,
    made_through date not null                -- the last business date of which the nightly position was made
);

create table snapshots (
    snapshot_id   bigint generated always as identity primary key,
    store_id      uuid not null references stores,
    tenant_id     uuid not null references tenants,
    business_date date not null,
    revision      integer not null check (revision > 0),
    as_of         timestamptz not null,       -- what happened from this instant on is not in it
    reason        text not null
                  check (reason in ('night', 'first_load', 'late_changes', 'by_hand', 'backfill', 'hourly', 'tried_again')),
    made_by       text not null,
    made_at       timestamptz not null default clock_timestamp(),
    sequence      bigint not null,            -- its number in the store's stream of positions
    -- The frozen lines, one place of each array a line: a row of 400 items is written and read at once.
    ocs_skus      text[] not null,
    upcs          text[] not null,
    quantities    numeric[] not null,
    amounts       numeric[] not null,         -- book values in Canadian dollars
    unique (store_id, business_date, revision),
    unique (store_id, sequence)
);
create unique index snapshots_one_a_night on snapshots (store_id, business_date) where reason in ('night', 'first_load');
create unique index snapshots_one_an_hour on snapshots (store_id, as_of) where reason = 'hourly';

create table backfills (
    backfill_id  uuid primary key default gen_random_uuid(),
    store_id     uuid not null references stores,
    tenant_id    uuid not null references tenants,
    first_date   date not null,
    last_date    date not null check (last_date >= first_date),
    made_through date,                        -- the last date that was made
    state        text not null default 'running' check (state in ('running', 'made', 'cancelled')),
    asked_by     text not null,
    asked_at     timestamptz not null default now()
);
create index backfills_running on backfills (asked_at) where state = 'running';

create view snapshot_lines as
select s.snapshot_id, s.store_id, s.tenant_id, s.business_date, s.revision, s.as_of, line.ocs_sku, line.upc,
       line.quantity, line.value
  from snapshots s
 cross join lateral unnest(s.ocs_skus, s.upcs, s.quantities, s.amounts) as line (ocs_sku, upc, quantity, value);

create view reported_positions as
select s.snapshot_id, s.store_id, s.tenant_id, s.business_date, s.revision, s.as_of, s.reason, s.made_at,
       cardinality(s.ocs_skus) as lines, o.state, o.parked_cause, o.parked_reason, o.settled_at, o.batch_id
  from snapshots s
  join outbox_items o on o.store_id = s.store_id and o.kind = 'positions' and o.sequence = s.sequence;
