-- room: pos ----------------------------------------------------------------------------------------------------------

create table pos_keys (                        -- what a POS system shows when it calls, and signs its messages with
    key_id       text primary key check (key_id ~ '^[0-9a-f]{12}$'),
    tenant_id    uuid not null references tenants,
    label        text not null check (label <> ''),
    hash         bytea,                        -- SHA-256 of the whole key, which itself lies in the vault only
    of_this_app  boolean not null default false,  -- this app signs with it what it puts on the queues itself
    made_by      text not null,
    made_at      timestamptz not null default clock_timestamp(),
    expires_at   timestamptz,                  -- null: never
    revoked_at   timestamptz,
    last_used_at timestamptz,                  -- to the minute
    check (of_this_app = (hash is null))       -- the app's own key opens no door
);
create index pos_keys_of_tenant on pos_keys (tenant_id, made_at, key_id) where not of_this_app;
create unique index pos_keys_one_of_this_app on pos_keys (tenant_id) where of_this_app and revoked_at is null;

create table pos_signatures (                  -- tenants whose messages must be signed
    tenant_id     uuid primary key references tenants,
    required_from timestamptz                  -- for messages that were put on the queue then or later; null: never
);
