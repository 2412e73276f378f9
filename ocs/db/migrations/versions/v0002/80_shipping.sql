-- room: shipping -----------------------------------------------------------------------------------------------------

create table shipping_fetches (               -- one reading of a store's shipping notices, until it is done
    fetch_id    uuid primary key default gen_random_uuid(),
    store_id    uuid not null references stores,
    tenant_id   uuid not null references tenants,
    usual       boolean not null,             -- the timer's window; else one that a person named
    window_from timestamptz not null,
    window_to   timestamptz not null check (window_to > window_from),
    asked_by    text not null,
    asked_at    timestamptz not null default clock_timestamp(),
    state       text not null default 'due' check (state in ('due', 'running', 'done', 'failed')),
    due_at      timestamptz not null default clock_timestamp(),
    lease_until timestamptz,
    tries       integer not null default 0,   -- grows with every claim, so it tells an old worker from the newest
    failures    integer not null default 0,
    said        text,                         -- why it waits or failed, or what was odd
    shipments   integer,
    lines       integer,
    added       integer,                      -- shipments that were not known
    changed     integer,                      -- lines that differ from what was known
    finished_at timestamptz
);
create unique index shipping_fetches_one_at_a_time on shipping_fetches (store_id, usual) where state in ('due', 'running');
create index shipping_fetches_due on shipping_fetches (due_at) where state in ('due', 'running');
create index shipping_fetches_covered on shipping_fetches (store_id, window_to) where usual and state = 'done';
create index shipping_fetches_finished on shipping_fetches (finished_at) where finished_at is not null;

create table shipments (
    store_id       uuid not null references stores,
    shipment_id    text not null,
    tenant_id      uuid not null references tenants,
    state          text not null default 'expected' check (state in ('expected', 'received', 'reconciled')),
    noticed_after  timestamptz not null,      -- OCS gave the notice later than this
    seen_to        timestamptz not null,      -- the latest end of a window in which it was
    first_seen_at  timestamptz not null default clock_timestamp(),
    last_seen_at   timestamptz not null default clock_timestamp(),
    received_at    timestamptz,               -- the first click; the day itself stands in the receipt
    received_by    text,
    elsewhere      boolean not null default false,  -- the POS made the receipt: there is none of ours
    reconciled_at  timestamptz,
    primary key (store_id, shipment_id)
);
create index shipments_by_number on shipments (shipment_id);
create index shipments_newest on shipments (store_id, first_seen_at, shipment_id);
create index shipments_open on shipments (store_id, shipment_id) where state = 'received' and not elsewhere;

create table shipment_lines (                 -- as the newest notice has them; quantities in eaches
    store_id                uuid not null,
    line_id                 uuid not null,    -- made of what identifies it; the event line has the same
    shipment_id             text not null,
    tenant_id               uuid not null references tenants,
    container_id            text not null,
    ocs_sku                 text not null,
    batch_lot               text not null,
    case_gtin               text not null,
    packaged_on             text not null,
    occurrence              integer not null,
    item_name               text not null,
    vendor                  text not null,
    brand                   text not null,
    each_gtin               text not null,
    quantity                numeric not null,
    uom                     text not null,
    uom_conversion          text not null,
    uom_conversion_quantity numeric,
    unit_price              numeric,          -- Canadian dollars, as OCS gives it
    unit_cost               numeric,          -- the same as we read it: of one each
    barcode                 text not null,
    barcode_gtin            text not null,
    barcode_expires_on      date,
    barcode_lot             text not null,
    barcode_note            text not null,
    warnings                text[] not null,
    in_notice               boolean not null default true,  -- false: the newest notice does not have it any more
    changed_at              timestamptz not null default clock_timestamp(),
    primary key (store_id, line_id),
    foreign key (store_id, shipment_id) references shipments
);
create index shipment_lines_of_shipment on shipment_lines (store_id, shipment_id);

create table notice_changes (                 -- what a notice that came again said differently
    change_id     bigint generated always as identity primary key,
    store_id      uuid not null,
    shipment_id   text not null,
    line_id       uuid not null,
    tenant_id     uuid not null references tenants,
    kind          text not null check (kind in ('added', 'changed', 'gone', 'back')),
    before        jsonb not null,
    after         jsonb not null,
    after_receipt boolean not null,
    seen_at       timestamptz not null default clock_timestamp(),
    foreign key (store_id, shipment_id) references shipments
);
create index notice_changes_of_shipment on notice_changes (store_id, shipment_id, change_id);

create table receipts (
    store_id    uuid not null,
    shipment_id text not null,
    number      integer not null check (number > 0),  -- 1, then one more with each correction
    tenant_id   uuid not null references tenants,
    received_on date,                         -- where it was an earlier day than that of the click
    occurred_at timestamptz not null,         -- of the first click, for all corrections
    made_by     text not null,
    made_at     timestamptz not null default clock_timestamp(),
    primary key (store_id, shipment_id, number),
    foreign key (store_id, shipment_id) references shipments
);

create table receipt_lines (
    store_id       uuid not null,
    shipment_id    text not null,
    number         integer not null,
    line_id        uuid not null,
    tenant_id      uuid not null references tenants,
    transaction_id text not null,
    upc            text not null,
    unit_cost      numeric,
    shipped        numeric not null,          -- as the notice was then
    received       numeric not null,
    sent           boolean not null,          -- false: nothing of it came, and nothing of it was ever reported
    primary key (store_id, shipment_id, number, line_id),
    foreign key (store_id, shipment_id, number) references receipts
);

create table receipt_messages (               -- the POS transactions of a receipt, written before they are queued
    store_id       uuid not null,
    shipment_id    text not null,
    number         integer not null,
    transaction_id text not null,
    tenant_id      uuid not null references tenants,
    message        text not null,
    lease_until    timestamptz,
    queued_at      timestamptz,
    primary key (store_id, shipment_id, number, transaction_id),
    foreign key (store_id, shipment_id, number) references receipts
);
create index receipt_messages_unqueued on receipt_messages (store_id, shipment_id, number) where queued_at is null;

create table receiving_errors (               -- differences that a person has to settle
    error_id    bigint generated always as identity primary key,
    store_id    uuid not null,
    shipment_id text not null,
    line_id     uuid not null,
    tenant_id   uuid not null references tenants,
    kind        text not null check (kind in ('count', 'notice')),  -- counted otherwise; the notice changed after receipt
    shipped     numeric not null,
    received    numeric,                      -- null: by the POS, so not known here
    reason      text not null,
    note        text not null,
    noted_by    text not null,
    noted_at    timestamptz not null default clock_timestamp(),
    resolved_at timestamptz,
    resolved_by text,
    how         text,
    foreign key (store_id, shipment_id) references shipments
);
create index receiving_errors_open on receiving_errors (store_id, shipment_id) where resolved_at is null;
create index receiving_errors_of_store on receiving_errors (store_id, error_id);
