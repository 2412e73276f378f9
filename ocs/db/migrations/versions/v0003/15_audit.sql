-- room: audit --------------------------------------------------------------------------------------------------------
-- Rows are only ever added: triggers refuse the rest, whoever asks. Each row carries the SHA-256 of its content, and is
-- linked once into its chain: hash = sha256(hash before || place, 8 bytes big-endian || content hash). Who changes,
-- removes or slips in a row behind the triggers' back breaks the chain at that place (ocs/audit/chain.py looks).

create table audit_chains (
    chain text primary key,
    place bigint not null,                    -- of the newest link
    hash  bytea not null
);

create table audit_checkpoints (              -- where the retention has cut a chain: it is checked from here on
    chain text primary key references audit_chains,
    place bigint not null,                    -- of the last row that is gone
    hash  bytea not null,                     -- its hash
    gone  bigint not null,                    -- rows that are gone by now
    at    timestamptz not null default clock_timestamp()
);

insert into audit_chains (chain, place, hash)
select chain, 0, sha256(convert_to('ocs audit ' || chain, 'UTF8')) from unnest(array['acts', 'calls']) as names (chain);
insert into audit_checkpoints (chain, place, hash, gone) select chain, place, hash, 0 from audit_chains;

create table audit_acts (
    act_id         uuid primary key,          -- in the order of time (UUIDv7)
    at             timestamptz not null,
    who_subject    text not null,
    who_name       text not null,
    what           text not null,             -- `store.paused`
    tenant_id      uuid references tenants,   -- null: of no tenant, for super admins only
    store_id       uuid references stores,
    subject        text not null,             -- what was changed, as people name it
    before         jsonb,
    after          jsonb,
    why            text not null,
    way            text not null,             -- the route, or the command
    correlation_id text not null,             -- of the request: its calls to the regulator carry it too
    content_hash   bytea not null,
    place          bigint unique,
    previous_hash  bytea,
    hash           bytea
);
create index audit_acts_at on audit_acts (at, act_id);
create index audit_acts_tenant on audit_acts (tenant_id, at, act_id);
create index audit_acts_store on audit_acts (store_id, at, act_id);
create index audit_acts_who on audit_acts (who_subject, at, act_id);
create index audit_acts_who_name on audit_acts (who_name, at, act_id);
create index audit_acts_what on audit_acts (what text_pattern_ops, at, act_id);
create index audit_acts_subject on audit_acts (subject, at, act_id);
create index audit_acts_correlation on audit_acts (correlation_id);
create index audit_acts_unlinked on audit_acts (act_id) where hash is null;

-- No foreign keys: an insert takes no lock, and what was called stays true whatever becomes of the store.
create table audit_calls (
    call_id         uuid primary key,         -- in the order of time (UUIDv7)
    at              timestamptz not null,     -- when it began
    tenant_id       uuid,
    store_id        uuid,
    connection_id   uuid,
    method          text not null,
    url             text not null,            -- with its query, never with a user's name or a secret; no headers
    status          integer,                  -- null: no reply
    error           text,                     -- the class of the error where there was no reply
    ms              integer not null,
    request_bytes   integer not null,
    request_sha256  bytea,                    -- bodies are not kept; of a sign-in not even this
    response_bytes  integer,
    response_sha256 bytea,
    correlation_id  text not null,
    batch_id        bigint,
    attempt_id      bigint,
    content_hash    bytea not null,
    place           bigint unique,            -- null: not linked yet, a matter of seconds
    previous_hash   bytea,
    hash            bytea
);
create index audit_calls_at on audit_calls (at, call_id);
create index audit_calls_tenant on audit_calls (tenant_id, at, call_id);
create index audit_calls_store on audit_calls (store_id, at, call_id);
create index audit_calls_correlation on audit_calls (correlation_id);
create index audit_calls_failed on audit_calls (at, call_id) where status is null or status >= 400;
create index audit_calls_unlinked on audit_calls (call_id) where hash is null;

-- Both kinds side by side; a condition on one kind's columns, or on `kind`, leaves the other's table alone.
create view audit_entries as
select 'act'::text as kind, act_id as id, at, tenant_id, store_id, correlation_id, place, hash,
       who_subject, who_name, what, subject, before, after, why, way,
       null::uuid as connection_id, null::text as method, null::text as url, null::integer as status,
       null::text as error, null::integer as ms, null::integer as request_bytes, null::bytea as request_sha256,
       null::integer as response_bytes, null::bytea as response_sha256, null::bigint as batch_id,
       null::bigint as attempt_id
  from audit_acts
union all
select 'call'::text, call_id, at, tenant_id, store_id, correlation_id, place, hash,
       null::text, null::text, null::text, null::text, null::jsonb, null::jsonb, null::text, null::text,
       connection_id, method, url, status, error, ms, request_bytes, request_sha256, response_bytes, response_sha256,
       batch_id, attempt_id
  from audit_calls;

create table audit_timers (
    timer  text primary key,
    due_at timestamptz not null
);

create function audit_is_append_only() returns trigger language plpgsql as $$
declare
    link constant text[] := '{place,previous_hash,hash}';
begin
    if tg_op = 'UPDATE' then
        if old.hash is null and new.hash is not null and to_jsonb(new) - link = to_jsonb(old) - link then
            return new;
        end if;
    elsif tg_op = 'DELETE' then
        if current_setting('ocs.audit_retires', true) = 'on' then
            return old;
        end if;
    end if;
    raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
end $$;

create function audit_link_act() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    head audit_chains;
    link bytea;
begin
    select * into strict head from audit_chains where chain = 'acts' for update;
    link := sha256(head.hash || int8send(head.place + 1) || new.content_hash);
    update audit_acts set place = head.place + 1, previous_hash = head.hash, hash = link where act_id = new.act_id;
    update audit_chains set place = head.place + 1, hash = link where chain = 'acts';
    return null;
end $$;

-- Links the oldest calls that are not linked; gives how many. Another one that is at it is left to it.
create function audit_link_calls(most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
    head audit_chains;
    one  record;
    link bytea;
    done integer := 0;
begin
    select * into head from audit_chains where chain = 'calls' for update skip locked;
    if not found then
        return 0;
    end if;
    for one in select call_id, content_hash from audit_calls where hash is null order by call_id limit most loop
        link := sha256(head.hash || int8send(head.place + 1) || one.content_hash);
        update audit_calls set place = head.place + 1, previous_hash = head.hash, hash = link
         where call_id = one.call_id;
        head.place := head.place + 1;
        head.hash := link;
        done := done + 1;
    end loop;
    update audit_chains set place = head.place, hash = head.hash where chain = 'calls' and done > 0;
    return done;
end $$;

create trigger audit_acts_stay before update or delete on audit_acts
   for each row execute function audit_is_append_only();
create trigger audit_acts_begin_unlinked before insert on audit_acts
   for each row when (new.hash is not null or new.place is not null) execute function audit_is_append_only();
create trigger audit_acts_are_not_emptied before truncate on audit_acts
   for each statement execute function audit_is_append_only();
-- At the commit: the chain's row is locked last and for a moment, so no deed waits for another's and none in a circle.
create constraint trigger audit_acts_link after insert on audit_acts deferrable initially deferred
   for each row execute function audit_link_act();

create trigger audit_calls_stay before update or delete on audit_calls
   for each row execute function audit_is_append_only();
create trigger audit_calls_begin_unlinked before insert on audit_calls
   for each row when (new.hash is not null or new.place is not null) execute function audit_is_append_only();
create trigger audit_calls_are_not_emptied before truncate on audit_calls
   for each statement execute function audit_is_append_only();

-- room: delivery -----------------------------------------------------------------------------------------------------

-- What was settled long ago is found without an index to keep up on every batch: rows lie in the order of their time.
create index delivery_batches_old on delivery_batches using brin (opened_at);
create index delivery_batches_halves on delivery_batches (parent_id) where parent_id is not null;

-- room: positions ----------------------------------------------------------------------------------------------------

create index snapshots_old on snapshots using brin (made_at);
