-- name: read_levels
-- purpose: a store's levels of several items
select l.ocs_sku, l.upc, l.quantity, l.value
  from unnest(%(ocs_skus)s::text[], %(upcs)s::text[]) as asked (ocs_sku, upc)
  join inventory_levels l on l.store_id = %(store_id)s and l.ocs_sku = asked.ocs_sku and l.upc = asked.upc

-- name: change_levels
-- purpose: adds to a store's levels, making those that are not there yet
insert into inventory_levels as l (store_id, tenant_id, ocs_sku, upc, quantity, value)
select %(store_id)s, %(tenant_id)s, c.ocs_sku, c.upc, c.quantity, c.value
  from unnest(%(ocs_skus)s::text[], %(upcs)s::text[], %(quantities)s::numeric[], %(values)s::numeric[])
       as c (ocs_sku, upc, quantity, value)
on conflict (store_id, ocs_sku, upc) do update
   set quantity = l.quantity + excluded.quantity, value = l.value + excluded.value, updated_at = now()
