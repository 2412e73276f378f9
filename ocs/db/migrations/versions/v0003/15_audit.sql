-- room: audit --------------------------------------------------------------------------------------------------------

create table audit_acts (
    act_id      bigint generated always as identity primary key,
    at          timestamptz not null default clock_timestamp(),
    who_subject text not null,
    who_name    text not null,
    what        text not null,
    tenant_id   uuid references tenants,
    store_id    uuid references stores,
    subject     text not null,
    before      jsonb,
    after       jsonb,
    why         text not null,
    way         text not null
);
