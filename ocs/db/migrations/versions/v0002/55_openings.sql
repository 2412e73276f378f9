-- room: openings -----------------------------------------------------------------------------------------------------

create table inventory_uploads (
    upload_id    bigint generated always as identity primary key,
    store_id     uuid not null references stores,
    tenant_id    uuid not null references tenants,
    as_of        timestamptz not null,        -- the instant at which the store held what is given
    rest         text not null check (rest in ('keep', 'zero')),
    source       text not null check (source in ('http', 'queue')),
    uploaded_by  text not null,
    message_id   text,                        -- of the queue's message
    inserted_at  timestamptz not null,        -- when the sender put it on the queue; over HTTP, when it was written
    recorded_at  timestamptz not null default clock_timestamp(),
    content_type text not null,
    content      bytea not null,              -- whole, as it was given: for whoever must prove a count later
    lines        integer not null,            -- in the content
    lines_left   integer not null,            -- of them, wrong ones that were left out on the caller's word
    -- What was written, one place of each array an item; with `rest` zero also the items that were set to zero.
    ocs_skus     text[] not null,
    upcs         text[] not null,
    quantities   numeric[] not null,          -- eaches
    amounts      numeric[] not null           -- book values in Canadian dollars
);
create index inventory_uploads_of_store on inventory_uploads (store_id, upload_id);
create index inventory_uploads_as_of on inventory_uploads (store_id, as_of);
create unique index inventory_uploads_message on inventory_uploads (store_id, message_id) where message_id is not null;
