-- lookup.py ----------------------------------------------------------------------------------------------------------

-- name: mapped_skus
-- purpose: the OCS SKU and barcode of a tenant's own SKUs
select pos_sku, ocs_sku, upc from sku_mappings where tenant_id = %(tenant_id)s and pos_sku = any(%(pos_skus)s)

-- change.py ----------------------------------------------------------------------------------------------------------

-- name: lock_mappings
-- purpose: lets one transaction at a time change a tenant's mappings, so that what it saw before is what it changes
select pg_advisory_xact_lock(hashtextextended('sku_mappings ' || %(tenant_id)s::text, 0))

-- name: mappings_before
-- purpose: what a tenant's own SKUs are mapped to, with the note
select pos_sku, ocs_sku, upc, note from sku_mappings where tenant_id = %(tenant_id)s and pos_sku = any(%(pos_skus)s)

-- name: save_mappings
-- purpose: says what a tenant's own SKUs are at the OCS, and writes each down in the history
with saved as (
    insert into sku_mappings (tenant_id, pos_sku, ocs_sku, upc, note, changed_by, changed_at)
    select %(tenant_id)s, given.pos_sku, given.ocs_sku, given.upc, given.note, %(changed_by)s, %(changed_at)s
      from unnest(%(pos_skus)s::text[], %(ocs_skus)s::text[], %(upcs)s::text[], %(notes)s::text[])
           as given (pos_sku, ocs_sku, upc, note)
    on conflict (tenant_id, pos_sku) do update
       set ocs_sku = excluded.ocs_sku, upc = excluded.upc, note = excluded.note, changed_by = excluded.changed_by,
           changed_at = excluded.changed_at
    returning pos_sku, ocs_sku, upc, note
)
insert into sku_mapping_changes (tenant_id, pos_sku, change, ocs_sku, upc, note, changed_by, changed_at)
select %(tenant_id)s, s.pos_sku, case when s.pos_sku = any(%(known)s::text[]) then 'changed' else 'added' end,
       s.ocs_sku, s.upc, s.note, %(changed_by)s, %(changed_at)s
  from saved s order by s.pos_sku

-- name: remove_mapping
-- purpose: forgets what a tenant's own SKU is, and writes it down in the history; gives what it was
with gone as (
    delete from sku_mappings where tenant_id = %(tenant_id)s and pos_sku = %(pos_sku)s
    returning pos_sku, ocs_sku, upc, note
)
insert into sku_mapping_changes (tenant_id, pos_sku, change, ocs_sku, upc, note, changed_by, changed_at)
select %(tenant_id)s, pos_sku, 'removed', ocs_sku, upc, note, %(changed_by)s, %(changed_at)s from gone
returning pos_sku, ocs_sku, upc, note

-- item_master.py -----------------------------------------------------------------------------------------------------

-- name: environments_of_tenant
-- purpose: in which environments a tenant's stores report
select distinct environment from reporting_stores where tenant_id = %(tenant_id)s

-- unmapped.py --------------------------------------------------------------------------------------------------------

-- name: unmapped_skus
-- purpose: a tenant's own SKUs for whose mapping lines wait, by SKU from one on, with the barcodes that came along
select l.pos_sku, count(distinct (l.store_id, l.line_id)) as lines, count(distinct l.store_id) as stores,
       min(l.recorded_at) as first_seen_at, max(l.recorded_at) as last_seen_at,
       coalesce(array_agg(distinct l.upc) filter (where l.upc <> ''), '{}') as upcs
  from reported_lines l
 where l.tenant_id = %(tenant_id)s and l.state = 'parked' and l.parked_cause = 'sku_unmapped'
   and l.pos_sku > %(after)s
   and not exists (select from sku_mappings m where m.tenant_id = l.tenant_id and m.pos_sku = l.pos_sku)
 group by l.pos_sku
 order by l.pos_sku limit %(most)s

-- admin.py -----------------------------------------------------------------------------------------------------------

-- name: mappings
-- purpose: a tenant's mappings by POS SKU, from one on; a search finds a part of any of the texts
select pos_sku, ocs_sku, upc, note, changed_by, changed_at
  from sku_mappings
 where tenant_id = %(tenant_id)s and pos_sku > %(after)s
   and (strpos(lower(pos_sku), lower(%(search)s)) > 0 or strpos(lower(ocs_sku), lower(%(search)s)) > 0
        or strpos(upc, %(search)s) > 0 or strpos(lower(note), lower(%(search)s)) > 0)
 order by pos_sku limit %(most)s

-- name: mapping_changes
-- purpose: what was said of a tenant's SKUs, or of one of them, the newest first, from one on
select change_id, pos_sku, change, ocs_sku, upc, note, changed_by, changed_at
  from sku_mapping_changes
 where tenant_id = %(tenant_id)s and change_id < %(before)s
   and (%(pos_sku)s::text is null or pos_sku = %(pos_sku)s)
 order by change_id desc limit %(most)s
