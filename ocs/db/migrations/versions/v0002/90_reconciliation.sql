-- room: reconciliation -----------------------------------------------------------------------------------------------

create table read_backs (
    read_back_id  uuid primary key default gen_random_uuid(),
    store_id      uuid not null references stores,
    tenant_id     uuid not null references tenants,
    connection_id uuid not null references connections,
    window_from   timestamptz not null,       -- of posting time
    window_to     timestamptz not null check (window_to > window_from),
    asked_by      text not null,
    asked_at      timestamptz not null default clock_timestamp(),
    state         text not null default 'running' check (state in ('running', 'done', 'failed')),
    -- Which page is read next.
    subject       text not null default 'event' check (subject in ('event', 'position')),
    look          smallint not null default 1 check (look in (1, 2)),
    page          integer not null default 1 check (page > 0),
    last_digest   bytea,                      -- of the page before: a platform that gives the same one for ever is noticed
    pages_read    integer not null default 0,
    failures      integer not null default 0, -- tries of this page that came to nothing, and the one under way
    said          text,                       -- why it waits, or why it failed
    due_at        timestamptz not null,
    lease_until   timestamptz,
    fence         bigint not null default 0,
    kept          integer not null default 0, -- rows of differences; beyond a limit they are counted only
    finished_at   timestamptz
);
create unique index read_backs_one_running on read_backs (store_id) where state = 'running';
create index read_backs_of_store on read_backs (store_id, asked_at, read_back_id);

create table read_back_found (                -- what of ours was there; needed while the read-back runs, then deleted
    read_back_id uuid not null references read_backs,
    subject      text not null,
    key          text not null,               -- the line id, or the snapshot, SKU and barcode
    tenant_id    uuid not null references tenants,
    newest       boolean not null,            -- false: only in an older revision so far
    primary key (read_back_id, subject, key)
);

create table read_back_counts (
    read_back_id uuid not null references read_backs,
    subject      text not null,
    outcome      text not null,
    tenant_id    uuid not null references tenants,
    lines        integer not null,
    primary key (read_back_id, subject, outcome)
);

create table read_back_meanings (             -- how many lines came back in which way; signs are -1 and 1
    read_back_id     uuid not null references read_backs,
    transaction_type text not null,
    sent_type        text not null,
    wire_sign        text not null,
    there_type       text not null,
    sent_sign        smallint not null,
    ledger_sign      smallint not null,
    there_sign       smallint not null,       -- 0: another amount
    tenant_id        uuid not null references tenants,
    lines            integer not null,
    sent             numeric not null,        -- of one of them, in eaches
    there            numeric not null,
    primary key (read_back_id, transaction_type, sent_type, wire_sign, there_type, sent_sign, ledger_sign, there_sign)
);

create table read_back_differences (
    difference_id bigint generated always as identity primary key,
    read_back_id  uuid not null references read_backs,
    tenant_id     uuid not null references tenants,
    subject       text not null check (subject in ('event', 'position')),
    kind          text not null check (kind in ('missing_there', 'unknown_here', 'differs', 'turned', 'not_newest')),
    reference     text not null,              -- the line id, or the position's time
    ocs_sku       text not null,
    upc           text not null,
    field         text not null,              -- empty: the whole line
    ours          text not null,
    theirs        text not null
);
create index read_back_differences_in_order on read_back_differences (read_back_id, difference_id);
