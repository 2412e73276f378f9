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

-- name: connection_ids
-- purpose: a tenant's connections by name
select name, connection_id from connections where tenant_id = %(tenant_id)s

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
                    snapshot_at, hourly_positions, anchored_at, reporting, licence_number, licence_expires_on)
values (%(tenant_id)s, %(connection_id)s, %(crsa)s, %(name)s, %(time_zone)s, %(pos_vendor)s, %(pos_vendor_version)s,
        %(hash_key_name)s, %(snapshot_at)s, %(hourly_positions)s, case when %(already_reporting)s then now() end,
        coalesce(%(reporting)s, true), %(licence_number)s, %(licence_expires_on)s)
on conflict (crsa) do update
   set connection_id = excluded.connection_id, name = excluded.name, time_zone = excluded.time_zone,
       pos_vendor = excluded.pos_vendor, pos_vendor_version = excluded.pos_vendor_version,
       hash_key_name = excluded.hash_key_name, snapshot_at = excluded.snapshot_at,
       hourly_positions = excluded.hourly_positions, anchored_at = coalesce(stores.anchored_at, excluded.anchored_at),
       reporting = coalesce(%(reporting)s, stores.reporting),
       licence_number = coalesce(excluded.licence_number, stores.licence_number),
       licence_expires_on = coalesce(excluded.licence_expires_on, stores.licence_expires_on)
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

-- pause.py -----------------------------------------------------------------------------------------------------------

-- name: pause_tenant
-- purpose: pauses delivery for all of a tenant's stores, unless it is paused already
update tenants set paused_at = clock_timestamp(), paused_by = %(by)s, paused_why = %(why)s
 where tenant_id = %(place_id)s and paused_at is null
returning paused_at

-- name: pause_connection
-- purpose: pauses delivery for all stores of a connection, unless it is paused already
update connections set paused_at = clock_timestamp(), paused_by = %(by)s, paused_why = %(why)s
 where connection_id = %(place_id)s and paused_at is null
returning paused_at

-- name: pause_store
-- purpose: pauses a store's delivery, unless it is paused already
update stores set paused_at = clock_timestamp(), paused_by = %(by)s, paused_why = %(why)s
 where store_id = %(place_id)s and paused_at is null
returning paused_at

-- name: pause_of_tenant
-- purpose: locks a tenant and gives its own pause
select paused_at, paused_by, paused_why from tenants where tenant_id = %(place_id)s for no key update

-- name: pause_of_connection
-- purpose: locks a connection and gives its own pause
select paused_at, paused_by, paused_why from connections where connection_id = %(place_id)s for no key update

-- name: pause_of_store
-- purpose: locks a store and gives its own pause
select paused_at, paused_by, paused_why from stores where store_id = %(place_id)s for no key update

-- name: resume_tenant
-- purpose: ends a tenant's own pause
update tenants set paused_at = null, paused_by = null, paused_why = null where tenant_id = %(place_id)s

-- name: resume_connection
-- purpose: ends a connection's own pause
update connections set paused_at = null, paused_by = null, paused_why = null where connection_id = %(place_id)s

-- name: resume_store
-- purpose: ends a store's own pause
update stores set paused_at = null, paused_by = null, paused_why = null where store_id = %(place_id)s

-- configuration.py ---------------------------------------------------------------------------------------------------

-- name: tenants_page
-- purpose: some tenants, or all, by CROL, each with its own pause and how many stores it has
select t.tenant_id, t.crol, t.name, t.created_at, t.paused_at, t.paused_by, t.paused_why,
       (select count(*) from stores s where s.tenant_id = t.tenant_id) as stores
  from tenants t
 where (%(tenant_ids)s::uuid[] is null or t.tenant_id = any(%(tenant_ids)s)) and t.crol > %(after)s
 order by t.crol
 limit %(most)s

-- name: rename_tenant
-- purpose: gives a tenant another name
update tenants set name = %(name)s where tenant_id = %(tenant_id)s

-- name: lock_tenant
-- purpose: lets one change at a time of who a tenant's people are, or which of its connections and stores exist
select tenant_id from tenants where tenant_id = %(tenant_id)s for no key update

-- name: connections_page
-- purpose: a tenant's connections by name, or the one with this name or id
select connection_id, tenant_id, name, environment, base_url, token_url, scope, client_id, client_secret_name,
       concurrent_calls, process_on_field, paused_at, paused_by, paused_why, created_at
  from connections
 where tenant_id = %(tenant_id)s and name > %(after)s
   and (%(reference)s::text is null or name = %(reference)s or connection_id = %(connection_id)s)
 order by name
 limit %(most)s

-- name: connection_by_id
-- purpose: which tenant a connection is of
select connection_id, tenant_id from connections where connection_id = %(connection_id)s

-- name: change_connection
-- purpose: changes a connection
update connections
   set environment = %(environment)s, base_url = %(base_url)s, token_url = %(token_url)s, scope = %(scope)s,
       client_id = %(client_id)s, client_secret_name = %(client_secret_name)s,
       concurrent_calls = %(concurrent_calls)s, process_on_field = %(process_on_field)s
 where connection_id = %(connection_id)s

-- name: change_client_id
-- purpose: gives a connection the client id that its new secret is of; gives the one before
with before as (select connection_id, client_id from connections where connection_id = %(connection_id)s for no key update)
update connections c set client_id = %(client_id)s
  from before
 where c.connection_id = before.connection_id
returning before.client_id

-- name: mappings_of_connection
-- purpose: how a connection tells each transaction type
select transaction_type, ocs_type, direction, wire_sign, reason, confirmed
  from transaction_mappings
 where connection_id = %(connection_id)s and (%(transaction_type)s::text is null or transaction_type = %(transaction_type)s)
 order by transaction_type

-- name: stores_page
-- purpose: a tenant's stores by CRSA, or one of them, each with its whole configuration and what pauses it
select s.store_id, s.tenant_id, r.crol, s.crsa, s.name, s.time_zone, s.pos_vendor, s.pos_vendor_version,
       s.connection_id, c.name as connection, r.environment, s.hash_key_name, s.snapshot_at, s.hourly_positions,
       s.reporting, r.reporting as delivering, r.paused_through, r.paused_at, r.paused_by, r.paused_why,
       s.licence_number, s.licence_expires_on, s.anchored_at, s.created_at
  from stores s
  join reporting_stores r using (store_id)
  join connections c on c.connection_id = s.connection_id
 where s.tenant_id = %(tenant_id)s and s.crsa > %(after)s
   and (%(store_id)s::uuid is null or s.store_id = %(store_id)s)
 order by s.crsa
 limit %(most)s

-- name: change_store
-- purpose: changes a store's configuration
update stores
   set connection_id = %(connection_id)s, name = %(name)s, time_zone = %(time_zone)s, pos_vendor = %(pos_vendor)s,
       pos_vendor_version = %(pos_vendor_version)s, hash_key_name = %(hash_key_name)s, snapshot_at = %(snapshot_at)s,
       hourly_positions = %(hourly_positions)s, reporting = %(reporting)s, licence_number = %(licence_number)s,
       licence_expires_on = %(licence_expires_on)s
 where store_id = %(store_id)s

-- name: secrets_of_tenant
-- purpose: the names of all secrets that a tenant's connections and stores use
select client_secret_name as secret_name from connections where tenant_id = %(tenant_id)s
union
select hash_key_name from stores where tenant_id = %(tenant_id)s

-- name: serves_others
-- purpose: whether another tenant uses a secret of this name too
select serves_other_tenants(%(secret_name)s, %(tenant_id)s) as shared
