-- name: find_store
-- purpose: a tenant's store and its connection, by id or CRSA, with how one transaction type is mapped there
select s.*, m.ocs_type, m.direction, m.wire_sign, m.reason as mapped_reason, m.confirmed
  from reporting_stores s
  left join transaction_mappings m on m.connection_id = s.connection_id and m.transaction_type = %(transaction_type)s
 where (s.crol = %(tenant)s or s.tenant_id = %(tenant_id)s)
   and (s.crsa = %(store)s or s.store_id = %(store_id)s)

-- name: store_of
-- purpose: one store of a tenant and its connection
select * from reporting_stores where crol = %(crol)s and crsa = %(crsa)s

-- name: known_stores
-- purpose: which of several tenant and store references exist
select given.tenant, given.store
  from unnest(%(tenants)s::text[], %(stores)s::text[]) as given (tenant, store)
  join reporting_stores s
    on (s.crol = given.tenant or s.tenant_id::text = lower(given.tenant))
   and (s.crsa = given.store or s.store_id::text = lower(given.store))

-- name: save_tenant
-- purpose: makes a tenant, or renames the one with this CROL
insert into tenants (crol, name) values (%(crol)s, %(name)s)
on conflict (crol) do update set name = excluded.name
returning tenant_id

-- name: save_connection
-- purpose: makes a tenant's connection, or changes the one with this name
insert into connections (tenant_id, name, environment, base_url, token_url, scope, client_id, client_secret_name,
                         concurrent_calls, process_on_field)
values (%(tenant_id)s, %(name)s, %(environment)s, %(base_url)s, %(token_url)s, %(scope)s, %(client_id)s,
        %(client_secret_name)s, %(concurrent_calls)s, %(process_on_field)s)
on conflict (tenant_id, name) do update
   set environment = excluded.environment, base_url = excluded.base_url, token_url = excluded.token_url,
       scope = excluded.scope, client_id = excluded.client_id, client_secret_name = excluded.client_secret_name,
       concurrent_calls = excluded.concurrent_calls, process_on_field = excluded.process_on_field
returning connection_id

-- name: save_default_mapping
-- purpose: gives a connection the plan of record's reading of one type, unless it has its own already
insert into transaction_mappings (connection_id, transaction_type, ocs_type, direction, wire_sign, reason, confirmed)
values (%(connection_id)s, %(transaction_type)s, %(ocs_type)s, %(direction)s, %(wire_sign)s, %(reason)s, %(confirmed)s)
on conflict do nothing

-- name: save_own_mapping
-- purpose: gives a connection its own reading of one type
insert into transaction_mappings (connection_id, transaction_type, ocs_type, direction, wire_sign, reason, confirmed)
values (%(connection_id)s, %(transaction_type)s, %(ocs_type)s, %(direction)s, %(wire_sign)s, %(reason)s, %(confirmed)s)
on conflict (connection_id, transaction_type) do update
   set ocs_type = excluded.ocs_type, direction = excluded.direction, wire_sign = excluded.wire_sign,
       reason = excluded.reason, confirmed = excluded.confirmed

-- name: save_store
-- purpose: makes a store, or changes the one with this CRSA; a CRSA never moves to another tenant
insert into stores (tenant_id, connection_id, crsa, name, time_zone, pos_vendor, pos_vendor_version, hash_key_name,
                    snapshot_at, hourly_positions, anchored_at, reporting)
values (%(tenant_id)s, %(connection_id)s, %(crsa)s, %(name)s, %(time_zone)s, %(pos_vendor)s, %(pos_vendor_version)s,
        %(hash_key_name)s, %(snapshot_at)s, %(hourly_positions)s, case when %(already_reporting)s then now() end,
        coalesce(%(reporting)s, true))
on conflict (crsa) do update
   set connection_id = excluded.connection_id, name = excluded.name, time_zone = excluded.time_zone,
       pos_vendor = excluded.pos_vendor, pos_vendor_version = excluded.pos_vendor_version,
       hash_key_name = excluded.hash_key_name, snapshot_at = excluded.snapshot_at,
       hourly_positions = excluded.hourly_positions, anchored_at = coalesce(stores.anchored_at, excluded.anchored_at),
       reporting = coalesce(%(reporting)s, stores.reporting)
 where stores.tenant_id = excluded.tenant_id
returning store_id

-- name: switch_reporting
-- purpose: switches a tenant's store on or off; what is recorded while off is sent when it is on again
update stores set reporting = %(reporting)s
 where crsa = %(crsa)s and tenant_id = (select tenant_id from tenants where crol = %(crol)s)
returning store_id

-- name: find_tenant
-- purpose: a tenant's id by its CROL
select tenant_id from tenants where crol = %(crol)s

-- name: store_by_reference
-- purpose: one store and its connection, by id or CRSA; the caller's reach is checked on the row
select * from reporting_stores where crsa = %(reference)s or store_id = %(store_id)s

-- name: tenant_by_reference
-- purpose: a tenant's id, by id or CROL
select tenant_id from tenants where crol = %(reference)s or tenant_id = %(tenant_id)s

-- name: store_by_id
-- purpose: one store and its connection, for work that a row names by id
select * from reporting_stores where store_id = %(store_id)s

-- name: store_of_tenant
-- purpose: whether a CRSA is one of a tenant's stores
select store_id from reporting_stores where tenant_id = %(tenant_id)s and crsa = %(crsa)s

-- name: anchor_store
-- purpose: notes that a store's first position was accepted, and of which instant it was; a later one changes nothing
update stores set anchored_at = clock_timestamp(), counted_from = %(counted_from)s
 where store_id = %(store_id)s and anchored_at is null
returning store_id

-- name: confirm_mapping
-- purpose: notes that how a type is reported was proved by reading back
update transaction_mappings set confirmed = true
 where connection_id = %(connection_id)s and transaction_type = %(transaction_type)s
returning transaction_type

-- name: set_parking_warnings
-- purpose: says for which warnings a tenant's lines wait for a person
update tenants set parking_warnings = %(codes)s where tenant_id = %(tenant_id)s

-- name: parking_warnings
-- purpose: for which warnings a tenant's lines wait for a person
select parking_warnings from tenants where tenant_id = %(tenant_id)s
