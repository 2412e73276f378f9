-- room: levels -------------------------------------------------------------------------------------------------------

create table inventory_changes (
    store_id     uuid not null references stores,
    effective_at timestamptz not null,        -- when it really happened: a late receipt on its process on date
    sequence     bigint not null,             -- of the event line
    undoes       boolean not null,            -- takes back what an earlier revision of the line did
    tenant_id    uuid not null references tenants,
    ocs_sku      text not null,
    upc          text not null,
    quantity     numeric(14, 0) not null,     -- eaches
    value        numeric(18, 4) not null,     -- Canadian dollars at cost
    primary key (store_id, effective_at, sequence, undoes)
);

create table inventory_openings (
    store_id    uuid not null references stores,
    ocs_sku     text not null,
    upc         text not null,
    as_of       timestamptz not null,         -- what happened from this instant on comes on top
    tenant_id   uuid not null references tenants,
    quantity    numeric(14, 0) not null,
    value       numeric(18, 4) not null,
    recorded_at timestamptz not null default now(),
    primary key (store_id, ocs_sku, upc, as_of)
);

create table inventory_counts (
    store_id  uuid not null references stores,
    as_of     timestamptz not null,           -- the whole store was counted: what was not named was not there
    tenant_id uuid not null references tenants,
    primary key (store_id, as_of)
);

create table inventory_states (
    store_id  uuid primary key references stores,
    tenant_id uuid not null references tenants,
    opened_at timestamptz,                    -- of the first upload of levels; null: what the store holds is not known
    late_from timestamptz                     -- the past has changed from here on since positions were last made of it
);

alter table inventory_levels add opened_at timestamptz;  -- as_of of the item's newest opening

create view opened_stores as
select store_id, tenant_id, opened_at, late_from from inventory_states;
