-- room: mapping ------------------------------------------------------------------------------------------------------

create view known_mappings as
select tenant_id, pos_sku, ocs_sku, upc from sku_mappings;
