-- room: tenants ------------------------------------------------------------------------------------------------------

-- A pause holds delivery for a while, and says who holds it and why; `stores.reporting` is the switch on or off.
alter table tenants
    add paused_at  timestamptz,
    add paused_by  text,
    add paused_why text,
    add check ((paused_at is null) = (paused_by is null) and (paused_at is null) = (paused_why is null));
alter table connections
    add paused_at  timestamptz,
    add paused_by  text,
    add paused_why text,
    add check ((paused_at is null) = (paused_by is null) and (paused_at is null) = (paused_why is null));
alter table stores
    add paused_at          timestamptz,
    add paused_by          text,
    add paused_why         text,
    add check ((paused_at is null) = (paused_by is null) and (paused_at is null) = (paused_why is null)),
    add licence_number     text,       -- as printed on the store's authorization, where it differs from the CRSA
    add licence_expires_on date;

create index stores_of_tenant on stores (tenant_id, crsa);

-- What is paused, itself or through its connection or its tenant, does not report: whoever asks for `reporting` heeds it.
create or replace view reporting_stores as
select s.store_id, s.tenant_id, s.connection_id, t.crol, s.crsa, s.name, s.time_zone, s.pos_vendor, s.pos_vendor_version,
       s.hash_key_name,
       s.reporting and t.paused_at is null and c.paused_at is null and s.paused_at is null as reporting,
       c.environment, c.base_url, c.token_url, c.scope, c.client_id, c.client_secret_name,
       c.concurrent_calls, c.process_on_field, s.snapshot_at, s.hourly_positions, s.anchored_at, s.counted_from,
       t.parking_warnings, s.created_at, s.reporting as switched_on,
       case when t.paused_at is not null then 'tenant'
            when c.paused_at is not null then 'connection'
            when s.paused_at is not null then 'store' end as paused_through,
       case when t.paused_at is not null then t.paused_at
            when c.paused_at is not null then c.paused_at
            else s.paused_at end as paused_at,
       case when t.paused_at is not null then t.paused_by
            when c.paused_at is not null then c.paused_by
            else s.paused_by end as paused_by,
       case when t.paused_at is not null then t.paused_why
            when c.paused_at is not null then c.paused_why
            else s.paused_why end as paused_why
  from stores s
  join tenants t using (tenant_id)
  join connections c using (connection_id);

-- A secret's name may serve several tenants: OCS issues one client per POS provider. Staff of one tenant see no other's
-- rows, so this asks with its owner's rights, and answers no more than yes or no.
create function serves_other_tenants(secret_name text, own_tenant uuid)
returns boolean language sql stable security definer set search_path = public, pg_temp as $$
    -- Key Vault's names know no upper and lower case.
    select exists (select from connections where lower(client_secret_name) = lower(secret_name) and tenant_id <> own_tenant)
        or exists (select from stores where lower(hash_key_name) = lower(secret_name) and tenant_id <> own_tenant)
$$;

-- room: onboarding ---------------------------------------------------------------------------------------------------

create table kept_secrets (                   -- what staff put into Key Vault: who and when, never what
    tenant_id     uuid not null references tenants,
    secret_name   text not null check (secret_name = lower(secret_name)),  -- Key Vault's names know no case
    kept_at       timestamptz not null default clock_timestamp(),
    kept_by       text not null,
    checked       boolean not null,           -- the platform's sign-in took it before it was kept
    overlap_until timestamptz,                -- until when the one before it is used too
    primary key (tenant_id, secret_name)
);

create table sign_in_tries (                  -- the newest try by a person, of each connection
    connection_id uuid primary key references connections,
    tenant_id     uuid not null references tenants,
    tried_at      timestamptz not null default clock_timestamp(),
    tried_by      text not null,
    outcome       text not null check (outcome in ('accepted', 'refused', 'not_answered')),
    version       text not null check (version in ('current', 'before')),
    said          text not null,
    ms            integer not null
);
