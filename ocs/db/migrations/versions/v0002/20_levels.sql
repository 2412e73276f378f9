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

create function levels_at(of_store uuid, instant timestamptz, moved_since timestamptz)
returns table (ocs_sku text, upc text, quantity numeric, value numeric) language sql stable as $$
with known as materialized (
    select l.ocs_sku, l.upc, l.opened_at, l.quantity, l.value
      from inventory_levels l
     where l.store_id = of_store),
anchor as materialized (
    -- A level as it is now stands at infinity: what came after the instant is taken from it.
    select ocs_sku, upc, 'infinity'::timestamptz as at, quantity, value
      from known where opened_at is null or opened_at <= instant
    union all
    select k.ocs_sku, k.upc, o.as_of, o.quantity, o.value
      from known k
     cross join lateral (
           select as_of, quantity, value
             from (select as_of, quantity, value, true as is_own from inventory_openings own
                    where own.store_id = of_store and own.ocs_sku = k.ocs_sku and own.upc = k.upc
                    union all
                   select as_of, 0, 0, false from inventory_counts where store_id = of_store) as any_opening
            order by as_of > instant, case when as_of > instant then as_of end, as_of desc, is_own desc
            limit 1) o
     where k.opened_at > instant),
moved as (
    select c.ocs_sku, c.upc,
           sum(case when a.at <= instant and c.effective_at >= a.at and c.effective_at < instant then c.quantity
                    when a.at > instant and c.effective_at >= instant and c.effective_at < a.at then -c.quantity
                    else 0 end) as quantity,
           sum(case when a.at <= instant and c.effective_at >= a.at and c.effective_at < instant then c.value
                    when a.at > instant and c.effective_at >= instant and c.effective_at < a.at then -c.value
                    else 0 end) as value,
           bool_or(c.effective_at >= moved_since and c.effective_at < instant) as that_day
      from inventory_changes c join anchor a using (ocs_sku, upc)
     where c.store_id = of_store
       and c.effective_at >= (select least(min(at), moved_since, instant) from anchor)
       and c.effective_at < 'infinity'  -- always true; without an upper end the planner takes a third of the history
     group by c.ocs_sku, c.upc)
select a.ocs_sku, a.upc, a.quantity + coalesce(m.quantity, 0) as quantity, a.value + coalesce(m.value, 0) as value
  from anchor a left join moved m using (ocs_sku, upc)
 where a.quantity + coalesce(m.quantity, 0) <> 0 or m.that_day
$$;
