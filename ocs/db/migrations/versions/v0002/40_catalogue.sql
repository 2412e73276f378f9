-- room: catalogue ----------------------------------------------------------------------------------------------------
-- The item master is OCS's own, one for each environment, so its tables carry no tenant.

create table catalogue_syncs (
    sync_id       bigint generated always as identity primary key,
    environment   text not null check (environment in ('uat', 'production')),
    state         text not null default 'running' check (state in ('running', 'done', 'suspicious', 'failed')),
    asked_by      text not null,
    asked_at      timestamptz not null default clock_timestamp(),
    accepts_short boolean not null default false,  -- a person said that the catalogue has really become so short
    look          smallint not null default 1 check (look in (1, 2)),
    next_page     integer not null default 1 check (next_page > 0),
    first_digest  bytea,                           -- of the first page, and of the page before: a list that begins again or
    last_digest   bytea,                           -- stands still has ended
    items         integer not null default 0,      -- different SKUs seen
    added         integer not null default 0,
    changed       integer not null default 0,
    back          integer not null default 0,
    gone          integer not null default 0,
    unusable      integer not null default 0,      -- lines without an SKU, or with one that cannot be
    failures      integer not null default 0,      -- tries of this page that came to nothing, and the one under way
    said          text,                            -- why it waits, or why it is not done
    due_at        timestamptz not null default clock_timestamp(),
    lease_until   timestamptz,
    fence         bigint not null default 0,
    finished_at   timestamptz
);
create unique index catalogue_syncs_one_running on catalogue_syncs (environment) where state = 'running';
create index catalogue_syncs_done on catalogue_syncs (environment) where state = 'done';

create table catalogue_items (
    environment   text not null,
    ocs_sku       text not null,
    name          text not null,
    brand         text not null,
    size          text not null,
    item_number   text not null,
    barcode       text not null,                   -- of the each, 14 digits; empty: none that can be used
    words         text not null,                   -- what is searched: lower case, without accents and signs
    content       jsonb not null,                  -- the whole item, in our own words
    first_seen_at timestamptz not null default clock_timestamp(),
    changed_at    timestamptz not null default clock_timestamp(),
    gone_at       timestamptz,                     -- null: in the catalogue now
    seen_in       bigint not null references catalogue_syncs,
    primary key (environment, ocs_sku)
);
create index catalogue_items_words on catalogue_items using gin (to_tsvector('simple', words));

create table catalogue_barcodes (
    environment text not null,
    barcode     text not null,                     -- 14 digits
    ocs_sku     text not null,
    kind        text not null check (kind in ('item', 'each', 'case')),
    seen_in     bigint not null references catalogue_syncs,
    primary key (environment, barcode, ocs_sku),
    foreign key (environment, ocs_sku) references catalogue_items
);
create index catalogue_barcodes_of_item on catalogue_barcodes (environment, ocs_sku);

create table catalogue_changes (
    change_id   bigint generated always as identity primary key,
    environment text not null,
    ocs_sku     text not null,
    sync_id     bigint not null references catalogue_syncs,
    change      text not null check (change in ('added', 'changed', 'gone', 'back')),
    before      jsonb not null default '{}',       -- the fields that differ only
    after       jsonb not null default '{}',
    changed_at  timestamptz not null default clock_timestamp()
);
create index catalogue_changes_in_order on catalogue_changes (environment, change_id);
create index catalogue_changes_of_item on catalogue_changes (environment, ocs_sku, change_id);
