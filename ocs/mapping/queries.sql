-- name: mapped_skus
-- purpose: the OCS SKU and barcode of a tenant's own SKUs
select pos_sku, ocs_sku, upc from sku_mappings where tenant_id = %(tenant_id)s and pos_sku = any(%(pos_skus)s)

-- name: map_sku
-- purpose: says what a tenant's own SKU is at the OCS
insert into sku_mappings (tenant_id, pos_sku, ocs_sku, upc) values (%(tenant_id)s, %(pos_sku)s, %(ocs_sku)s, %(upc)s)
on conflict (tenant_id, pos_sku) do update set ocs_sku = excluded.ocs_sku, upc = excluded.upc
