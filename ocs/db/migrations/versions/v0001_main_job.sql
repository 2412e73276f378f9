-- The main job: tenants and stores, events in, the outbox and its delivery.
-- Every table that belongs to a tenant carries its tenant_id. The room named above a table is the only one that writes it.

-- room: tenants ------------------------------------------------------------------------------------------------------

create table tenants (
    tenant_id  uuid primary key default gen_random_uuid(),
    crol       text not null unique check (crol ~ '^CROL[0-9]{7}$'),
    name       text not null check (name <> ''),
    created_at timestamptz not null default now()
);

create table connections (
    connection_id      uuid primary key default gen_random_uuid(),
    tenant_id          uuid not null references tenants,
    name               text not null,
    environment        text not null check (environment in ('uat', 'production')),
    base_url           text not null,
    token_url          text not null,
    scope              text not null,
    client_id          text not null,
    client_secret_name text not null,  -- the secret's name in Key Vault, never the secret
    concurrent_calls   integer not null default 16 check (concurrent_calls between 1 and 64),
    process_on_field   text,           -- the wire's word for the process on date, once OCS has told it
    created_at         timestamptz not null default now(),
    unique (tenant_id, name),
    unique (connection_id, tenant_id)
);

create table transaction_mappings (
    connection_id    uuid not null references connections,
    transaction_type text not null,
    ocs_type         text not null,
    direction        smallint not null check (direction in (-1, 0, 1)),          -- 0: as the POS signs it
    wire_sign        text not null check (wire_sign in ('absolute', 'ledger')),
    reason           text not null default '',
    confirmed        boolean not null,                                            -- read back, or said by staff
    primary key (connection_id, transaction_type)
);

create table stores (
    store_id           uuid primary key default gen_random_uuid(),
    tenant_id          uuid not null references tenants,
    connection_id      uuid not null,
    crsa               text not null unique check (crsa ~ '^CRSA[0-9]{7}$'),
    name               text not null check (name <> ''),
    time_zone          text not null,  -- IANA: America/Toronto, America/Winnipeg, America/Atikokan
    pos_vendor         text not null,
    pos_vendor_version text not null,
    hash_key_name      text not null,  -- the retailer hash key's name in Key Vault, never the key
    reporting          boolean not null default true,
    created_at         timestamptz not null default now(),
    foreign key (connection_id, tenant_id) references connections (connection_id, tenant_id)
);

create view reporting_stores as
select s.store_id, s.tenant_id, s.connection_id, t.crol, s.crsa, s.name, s.time_zone, s.pos_vendor, s.pos_vendor_version,
       s.hash_key_name, s.reporting, c.environment, c.base_url, c.token_url, c.scope, c.client_id, c.client_secret_name,
       c.concurrent_calls, c.process_on_field
  from stores s
  join tenants t using (tenant_id)
  join connections c using (connection_id);

create view connection_caps as
select connection_id, tenant_id, concurrent_calls from connections;

-- room: alerts -------------------------------------------------------------------------------------------------------

create table alerts (
    alert_id  bigint generated always as identity primary key,
    tenant_id uuid not null references tenants,
    store_id  uuid not null references stores,
    cause     text not null,
    message   text not null,
    opened_at timestamptz not null default now(),
    closed_at timestamptz
);
create unique index alerts_one_open_per_cause on alerts (store_id, cause) where closed_at is null;

-- room: mapping ------------------------------------------------------------------------------------------------------

create table sku_mappings (
    tenant_id uuid not null references tenants,
    pos_sku   text not null,
    ocs_sku   text not null,
    upc       text not null default '',
    primary key (tenant_id, pos_sku)
);

-- room: levels -------------------------------------------------------------------------------------------------------

create table inventory_levels (
    store_id   uuid not null references stores,
    ocs_sku    text not null,
    upc        text not null,
    tenant_id  uuid not null references tenants,
    quantity   numeric(14, 0) not null,  -- eaches; below zero where sales came before their receipt
    value      numeric(18, 4) not null,  -- Canadian dollars at cost
    updated_at timestamptz not null default now(),
    primary key (store_id, ocs_sku, upc)
);

-- room: delivery -----------------------------------------------------------------------------------------------------

create table delivery_streams (
    store_id      uuid not null references stores,
    kind          text not null,
    tenant_id     uuid not null references tenants,
    connection_id uuid not null references connections,  -- as of the newest lines: finds the next store to call for
    last_sequence bigint not null default 0,
    due_at        timestamptz,              -- null: nothing to send
    wait_cause    text check (wait_cause in ('upstream', 'slow_down', 'credentials', 'ours')),
    waiting_since timestamptz,
    lease_until   timestamptz,
    holder        text,
    fence         bigint not null default 0,
    primary key (store_id, kind)
);
create index delivery_streams_due on delivery_streams (connection_id, due_at) where due_at is not null;

create table outbox (
    store_id      uuid not null,
    kind          text not null,
    sequence      bigint not null,
    tenant_id     uuid not null references tenants,
    item_id       uuid not null,            -- the line id: what the regulator replaces by
    state         text not null check (state in ('pending', 'frozen', 'accepted', 'parked', 'superseded')),
    batch_id      bigint,
    parked_cause  text,
    parked_reason text,
    received_at   timestamptz not null,     -- when the sale reached us: latency counts from here
    settled_at    timestamptz,
    primary key (store_id, kind, sequence),
    foreign key (store_id, kind) references delivery_streams,
    check ((state = 'parked') = (parked_reason is not null))
);
create unique index outbox_one_pending_per_item on outbox (store_id, kind, item_id) where state = 'pending';
create index outbox_pending on outbox (store_id, kind, sequence) where state = 'pending';
create index outbox_item on outbox (store_id, kind, item_id);
create index outbox_parked on outbox (tenant_id, store_id, kind, sequence) where state = 'parked';
create index outbox_batch on outbox (batch_id) where batch_id is not null;

create table delivery_batches (
    batch_id       bigint generated always as identity primary key,
    store_id       uuid not null,
    kind           text not null,
    tenant_id      uuid not null references tenants,
    parent_id      bigint references delivery_batches,
    first_sequence bigint not null,
    last_sequence  bigint not null,
    lines          integer not null check (lines > 0),
    state          text not null default 'open' check (state in ('open', 'accepted', 'split', 'parked')),
    failures       integer not null default 0,  -- counted attempts only: the upstream's faults
    reference_id   text,
    opened_at      timestamptz not null default now(),
    settled_at     timestamptz,
    foreign key (store_id, kind) references delivery_streams
);
create index delivery_batches_open on delivery_batches (store_id, kind, first_sequence) where state = 'open';

create table delivery_attempts (
    attempt_id    bigint generated always as identity primary key,
    batch_id      bigint not null references delivery_batches,
    store_id      uuid not null references stores,
    tenant_id     uuid not null references tenants,
    connection_id uuid not null references connections,
    fence         bigint not null,
    lines         integer not null,
    started_at    timestamptz not null default clock_timestamp(),
    finished_at   timestamptz,
    seconds       numeric(9, 3),
    outcome       text not null default 'sent'
                  check (outcome in ('sent', 'accepted', 'rejected', 'slow_down', 'credentials', 'upstream', 'ours')),
    counted       boolean not null default false,
    http_status   integer,
    reference_id  text,
    message       text,
    reply         text                         -- the platform's whole body: its shape is not public
);
create index delivery_attempts_batch on delivery_attempts (batch_id);
create index delivery_attempts_recent on delivery_attempts (connection_id, finished_at);

create table connection_pace (
    connection_id  uuid primary key references connections,
    tenant_id      uuid not null references tenants,
    cap            integer not null,
    allowed        integer not null,
    state          text not null default 'closed' check (state in ('closed', 'open', 'ramping')),
    hold_until     timestamptz not null default 'epoch',
    hold_cause     text,
    failures       integer not null default 0,  -- in a row
    times_opened   integer not null default 0,  -- since it was last closed
    opened_at      timestamptz not null default 'epoch',
    recovered_at   timestamptz not null default 'epoch'
);

create table call_slots (
    connection_id uuid not null references connection_pace,
    slot          integer not null,
    held_until    timestamptz not null default 'epoch',
    holder        text,
    primary key (connection_id, slot)
);

create function is_due(due_at timestamptz, wait_cause text, waiting_since timestamptz, recovered_at timestamptz)
returns boolean language sql stable as $$
    -- A store that waits because the platform was down need not wait on once the platform is seen to be back.
    select due_at <= clock_timestamp() or (wait_cause = 'upstream' and waiting_since < recovered_at)
$$;

create view batch_items as
select batch_id, store_id, kind, sequence from outbox where batch_id is not null;

-- room: dead_letters --------------------------------------------------------------------------------------------------

create table dead_letters (
    letter_id     uuid primary key default gen_random_uuid(),
    queue         text not null,
    message_id    text not null,
    tenant_id     uuid references tenants,
    store_id      uuid references stores,
    body          text not null,                 -- the message, whole
    cause         text not null check (cause in ('message', 'ours')),
    reason        text not null,
    state         text not null default 'open' check (state in ('open', 'redriven')),
    tries         integer not null default 0,
    due_at        timestamptz,                   -- when it is tried again by itself; null: a person decides
    inserted_at   timestamptz not null,          -- when the sender put it on the queue
    buried_at     timestamptz not null default now(),
    settled_at    timestamptz,
    unique (queue, message_id)
);
create index dead_letters_due on dead_letters (queue, due_at) where state = 'open' and due_at is not null;
create index dead_letters_open on dead_letters (buried_at, letter_id) where state = 'open';

-- room: events -------------------------------------------------------------------------------------------------------

create table event_messages (
    store_id         uuid not null references stores,
    message_id       text not null,
    tenant_id        uuid not null references tenants,
    transaction_id   text not null,
    transaction_type text not null,
    inserted_at      timestamptz not null,       -- when the POS put it on the queue
    recorded_at      timestamptz not null default now(),
    lines_new        integer not null default 0,
    lines_corrected  integer not null default 0,
    lines_unchanged  integer not null default 0,
    primary key (store_id, message_id)
);

create table event_lines (
    store_id           uuid not null references stores,
    sequence           bigint not null,
    tenant_id          uuid not null references tenants,
    line_id            uuid not null,
    revision           integer not null check (revision > 0),
    content_hash       bytea not null,           -- of what the POS gave, before anything was derived from it
    message_id         text not null,
    inserted_at        timestamptz not null,     -- when the POS put the message on the queue
    transaction_id     text not null,
    transaction_type   text not null,
    ocs_type           text not null,
    wire_sign          text not null,
    pos_sku            text,
    ocs_sku            text,                     -- null: the POS's own SKU has no mapping yet
    upc                text not null,
    quantity           numeric(12, 0) not null,  -- eaches, in the ledger's direction: a sale is below zero
    unit_cost          numeric(12, 4),           -- Canadian dollars; null: not given and no average known
    value              numeric(18, 4) not null,  -- quantity x unit cost
    unit_price         numeric(12, 4),           -- Canadian dollars an each, as really charged
    counterparty_crsa  text not null default '',
    reason             text not null default '',
    occurred_at        timestamptz not null,
    process_on         date,
    warnings           text[] not null default '{}',
    recorded_at        timestamptz not null default now(),
    primary key (store_id, sequence),
    unique (store_id, line_id, revision)
);
create index event_lines_transaction on event_lines (store_id, transaction_id);
