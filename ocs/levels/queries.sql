-- change.py ----------------------------------------------------------------------------------------------------------

-- name: read_levels
-- purpose: a store's levels of several items
select l.ocs_sku, l.upc, l.quantity, l.value
  from unnest(%(ocs_skus)s::text[], %(upcs)s::text[]) as asked (ocs_sku, upc)
  join inventory_levels l on l.store_id = %(store_id)s and l.ocs_sku = asked.ocs_sku and l.upc = asked.upc

-- name: change_levels
-- purpose: keeps changes, and adds to the store's levels those that are not older than the item's opening
with change as (
    insert into inventory_changes (store_id, effective_at, sequence, undoes, tenant_id, ocs_sku, upc, quantity, value)
    select %(store_id)s, c.effective_at, c.sequence, c.undoes, %(tenant_id)s, c.ocs_sku, c.upc, c.quantity, c.value
      from unnest(%(effective_ats)s::timestamptz[], %(sequences)s::bigint[], %(undoes)s::boolean[], %(ocs_skus)s::text[],
                  %(upcs)s::text[], %(quantities)s::numeric[], %(values)s::numeric[])
           as c (effective_at, sequence, undoes, ocs_sku, upc, quantity, value)
    returning ocs_sku, upc, effective_at, quantity, value),
counted as (select max(as_of) as as_of from inventory_counts where store_id = %(store_id)s)
insert into inventory_levels as l (store_id, tenant_id, ocs_sku, upc, quantity, value, opened_at)
select %(store_id)s, %(tenant_id)s, c.ocs_sku, c.upc,
       coalesce(sum(c.quantity) filter (where c.effective_at >= opened.at), 0),
       coalesce(sum(c.value) filter (where c.effective_at >= opened.at), 0), max(counted.as_of)
  from change c
 cross join counted
  left join inventory_levels known on known.store_id = %(store_id)s and known.ocs_sku = c.ocs_sku and known.upc = c.upc
 cross join lateral (
       -- An item that nobody had heard of when the whole store was counted was not there then.
       select coalesce(case when known.store_id is null then counted.as_of else known.opened_at end, '-infinity') as at
       ) opened
 group by c.ocs_sku, c.upc
 order by c.ocs_sku, c.upc
on conflict (store_id, ocs_sku, upc) do update
   set quantity = l.quantity + excluded.quantity, value = l.value + excluded.value, updated_at = now()

-- name: note_late
-- purpose: notes from when on a store's past has changed, the earliest time if it has more than once
insert into inventory_states as s (store_id, tenant_id, late_from)
values (%(store_id)s, %(tenant_id)s, %(effective_at)s)
on conflict (store_id) do update set late_from = least(s.late_from, excluded.late_from)
 where s.late_from is null or s.late_from > excluded.late_from

-- name: take_late
-- purpose: gives from when on a store's past has changed, and forgets it
update inventory_states new set late_from = null
  from inventory_states old
 where new.store_id = %(store_id)s and old.store_id = new.store_id and new.late_from is not null
returning old.late_from

-- opening.py ---------------------------------------------------------------------------------------------------------

-- name: record_count
-- purpose: keeps that the whole store was counted at an instant
insert into inventory_counts (store_id, as_of, tenant_id) values (%(store_id)s, %(as_of)s, %(tenant_id)s)
on conflict do nothing

-- name: not_counted_then
-- purpose: the store's items that are known and have no opening of their own at an instant
select l.ocs_sku, l.upc
  from inventory_levels l
 where l.store_id = %(store_id)s
   and not exists (select from inventory_openings o
                    where o.store_id = l.store_id and o.ocs_sku = l.ocs_sku and o.upc = l.upc and o.as_of = %(as_of)s)

-- name: record_openings
-- purpose: keeps what each item was counted to be at an instant
insert into inventory_openings (store_id, ocs_sku, upc, as_of, tenant_id, quantity, value)
select %(store_id)s, o.ocs_sku, o.upc, %(as_of)s, %(tenant_id)s, o.quantity, o.value
  from unnest(%(ocs_skus)s::text[], %(upcs)s::text[], %(quantities)s::numeric[], %(values)s::numeric[])
       as o (ocs_sku, upc, quantity, value)
on conflict (store_id, ocs_sku, upc, as_of) do update
   set quantity = excluded.quantity, value = excluded.value, recorded_at = now()

-- name: reckon_from_openings
-- purpose: sets the levels of items anew: what was counted last, of them or of the whole store, and what happened since
with newest as (
    select named.ocs_sku, named.upc, o.as_of, o.quantity, o.value
      from unnest(%(ocs_skus)s::text[], %(upcs)s::text[]) as named (ocs_sku, upc)
     cross join lateral (
           select as_of, quantity, value
             from (select as_of, quantity, value, true as is_own from inventory_openings own
                    where own.store_id = %(store_id)s and own.ocs_sku = named.ocs_sku and own.upc = named.upc
                    union all
                   select as_of, 0, 0, false from inventory_counts where store_id = %(store_id)s) as any_opening
            order by as_of desc, is_own desc
            limit 1) o),
since as (
    select n.ocs_sku, n.upc, sum(c.quantity) as quantity, sum(c.value) as value
      from inventory_changes c join newest n using (ocs_sku, upc)
     where c.store_id = %(store_id)s and c.effective_at >= n.as_of
       and c.effective_at >= (select min(as_of) from newest)
     group by n.ocs_sku, n.upc)
insert into inventory_levels as l (store_id, tenant_id, ocs_sku, upc, quantity, value, opened_at)
select %(store_id)s, %(tenant_id)s, n.ocs_sku, n.upc, n.quantity + coalesce(s.quantity, 0),
       n.value + coalesce(s.value, 0), n.as_of
  from newest n left join since s using (ocs_sku, upc)
 order by n.ocs_sku, n.upc
on conflict (store_id, ocs_sku, upc) do update
   set quantity = excluded.quantity, value = excluded.value, opened_at = excluded.opened_at, updated_at = now()

-- name: note_opened
-- purpose: notes that a store's levels are known from an instant on; the first one stays
insert into inventory_states as s (store_id, tenant_id, opened_at) values (%(store_id)s, %(tenant_id)s, %(as_of)s)
on conflict (store_id) do update set opened_at = least(s.opened_at, excluded.opened_at)

-- at.py --------------------------------------------------------------------------------------------------------------

-- name: levels_at
-- purpose: each item's level just before an instant: from its opening before that, else back from one after it, else from now
select ocs_sku, upc, quantity, value from levels_at(%(store_id)s, %(instant)s, %(moved_since)s) order by ocs_sku, upc
