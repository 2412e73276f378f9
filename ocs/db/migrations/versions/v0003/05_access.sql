-- room: access -------------------------------------------------------------------------------------------------------

create table grants (
    grant_id   bigint generated always as identity primary key,
    subject    text not null check (subject <> ''),  -- the person's object id in the directory
    tenant_id  uuid references tenants,              -- null: all tenants, a super admin
    role       text not null check (role in ('viewer', 'staff', 'manager', 'tenant-admin', 'super-admin')),
    name       text not null,
    granted_by text not null,
    granted_at timestamptz not null default now(),
    check ((role = 'super-admin') = (tenant_id is null)),
    unique nulls not distinct (subject, tenant_id)
);
create index grants_of_tenant on grants (tenant_id, name);

create table idempotency_keys (               -- answers to the staff's POSTs, for a day
    subject      text not null,
    key          text not null,
    fingerprint  bytea not null,              -- of path, query and body
    claimed_at   timestamptz not null default clock_timestamp(),
    status       integer,                     -- null: under way
    content_type text,
    body         bytea,                       -- null with a status: it held a secret, which is never kept
    primary key (subject, key)
);
create index idempotency_keys_old on idempotency_keys (claimed_at);
