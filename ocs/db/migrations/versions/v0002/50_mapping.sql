-- room: mapping ------------------------------------------------------------------------------------------------------

alter table sku_mappings
    add note       text not null default '',
    add changed_by text not null default 'before there was a history',
    add changed_at timestamptz not null default now();

-- Rows are only added; what a SKU was mapped to before is in the row before.
create table sku_mapping_changes (
    change_id  bigint generated always as identity primary key,
    tenant_id  uuid not null references tenants,
    pos_sku    text not null,
    change     text not null check (change in ('added', 'changed', 'removed')),
    ocs_sku    text not null,             -- what it was mapped to from then on; where removed, until then
    upc        text not null,
    note       text not null,
    changed_by text not null,
    changed_at timestamptz not null
);
create index sku_mapping_changes_of_sku on sku_mapping_changes (tenant_id, pos_sku, change_id);
create index sku_mapping_changes_of_tenant on sku_mapping_changes (tenant_id, change_id);

insert into sku_mapping_changes (tenant_id, pos_sku, change, ocs_sku, upc, note, changed_by, changed_at)
select tenant_id, pos_sku, 'added', ocs_sku, upc, note, changed_by, changed_at from sku_mappings order by tenant_id, pos_sku;
alter table sku_mappings alter changed_by drop default;

create view known_mappings as
select tenant_id, pos_sku, ocs_sku, upc from sku_mappings;
