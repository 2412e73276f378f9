-- name: mapped_skus
-- purpose: the OCS SKU and barcode of a tenant's own SKUs
select pos_sku, ocs_sku, upc from sku_mappings where tenant_id = %(tenant_id)s and pos_sku = any(%(pos_skus)s)
