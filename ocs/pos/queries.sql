-- keys.py ------------------------------------------------------------------------------------------------------------

-- name: count_keys
-- purpose: how many keys of a tenant work just now
select count(*) as keys from pos_keys
 where tenant_id = %(tenant_id)s and not of_this_app and revoked_at is null
   and (expires_at is null or expires_at > clock_timestamp())

-- name: save_key
-- purpose: records a new key by its hash
insert into pos_keys (key_id, tenant_id, label, hash, made_by, expires_at)
values (%(key_id)s, %(tenant_id)s, %(label)s, %(hash)s, %(made_by)s, %(expires_at)s)
returning key_id, label, made_by, made_at, expires_at, revoked_at, last_used_at

-- name: keys_of_tenant
-- purpose: a tenant's keys, the oldest first, from after a given one
select key_id, label, made_by, made_at, expires_at, revoked_at, last_used_at
  from pos_keys
 where tenant_id = %(tenant_id)s and not of_this_app
   and (%(after_at)s::timestamptz is null or (made_at, key_id) > (%(after_at)s, %(after_id)s))
 order by made_at, key_id
 limit %(limit)s

-- name: key_of_tenant
-- purpose: one key of a tenant, locked for a change
select key_id, label, made_by, made_at, expires_at, revoked_at, last_used_at
  from pos_keys
 where tenant_id = %(tenant_id)s and key_id = %(key_id)s and not of_this_app
   for update

-- name: end_key
-- purpose: lets a key work until a time, never longer than it would have
update pos_keys set expires_at = least(expires_at, clock_timestamp() + %(overlap)s)
 where key_id = %(key_id)s
returning key_id, label, made_by, made_at, expires_at, revoked_at, last_used_at

-- name: revoke_key
-- purpose: ends a key for good and at once
update pos_keys set revoked_at = coalesce(revoked_at, clock_timestamp())
 where key_id = %(key_id)s
returning key_id, label, made_by, made_at, expires_at, revoked_at, last_used_at

-- name: find_key
-- purpose: whose key has an id, what it hashes to, and whether it still works
select k.key_id, k.tenant_id, t.crol, k.label, k.hash, k.expires_at, k.revoked_at,
       coalesce(k.expires_at <= clock_timestamp(), false) as is_over,
       coalesce(k.last_used_at < clock_timestamp() - interval '1 minute', true) as note_use
  from pos_keys k
  join known_tenants t using (tenant_id)
 where k.key_id = %(key_id)s

-- name: note_use
-- purpose: notes that a key was used, at most once a minute
update pos_keys set last_used_at = clock_timestamp()
 where key_id = %(key_id)s and coalesce(last_used_at < clock_timestamp() - interval '1 minute', true)

-- signatures.py ------------------------------------------------------------------------------------------------------

-- name: required_from
-- purpose: from when on a tenant's messages must be signed, if at all
select required_from from pos_signatures where tenant_id = %(tenant_id)s

-- name: require_signatures
-- purpose: says from when on a tenant's messages must be signed; asked for twice, the first time stands
insert into pos_signatures (tenant_id, required_from)
values (%(tenant_id)s, clock_timestamp() + %(grace)s)
on conflict (tenant_id) do update set required_from = coalesce(pos_signatures.required_from, excluded.required_from)
returning required_from

-- name: free_of_signatures
-- purpose: says that a tenant's messages need no signature any more
update pos_signatures set required_from = null where tenant_id = %(tenant_id)s

-- name: named_tenant
-- purpose: the tenant that a message names, by id or CROL
select tenant_id from known_tenants where crol = %(named)s or tenant_id = %(named_id)s

-- seal.py ------------------------------------------------------------------------------------------------------------

-- name: seal_of_tenant
-- purpose: whether a tenant's messages must be signed, now or soon, and with which key this app does it
select s.required_from, k.key_id
  from pos_signatures s
  left join pos_keys k on k.tenant_id = s.tenant_id and k.of_this_app and k.revoked_at is null
 where s.tenant_id = %(tenant_id)s and s.required_from is not null

-- name: save_own_key
-- purpose: records the key with which this app signs for a tenant, unless another worker was first
insert into pos_keys (key_id, tenant_id, label, of_this_app, made_by)
values (%(key_id)s, %(tenant_id)s, 'this app', true, 'this app')
on conflict (tenant_id) where of_this_app and revoked_at is null do nothing
