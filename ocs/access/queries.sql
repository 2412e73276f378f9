-- grants.py ----------------------------------------------------------------------------------------------------------

-- name: grants_of_subject
-- purpose: what a person was granted
select subject, tenant_id, role, name, granted_by, granted_at from grants where subject = %(subject)s

-- name: grants_of_tenant
-- purpose: who has a role in a tenant, or in all of them
select subject, tenant_id, role, name, granted_by, granted_at
  from grants where tenant_id is not distinct from %(tenant_id)s
 order by name, subject

-- name: save_grant
-- purpose: gives a person a role
insert into grants (subject, tenant_id, role, name, granted_by)
values (%(subject)s, %(tenant_id)s, %(role)s, %(name)s, %(granted_by)s)
on conflict (subject, tenant_id) do update
   set role = excluded.role, name = excluded.name, granted_by = excluded.granted_by, granted_at = now()

-- name: drop_grant
-- purpose: takes a person's role away and gives what it was
delete from grants where subject = %(subject)s and tenant_id is not distinct from %(tenant_id)s
returning subject, tenant_id, role, name, granted_by, granted_at

-- idempotency.py -----------------------------------------------------------------------------------------------------

-- name: claim_key
-- purpose: takes a key for a request, where nobody has it, its day is over, or its worker seems to have died
insert into idempotency_keys as k (subject, key, fingerprint) values (%(subject)s, %(key)s, %(fingerprint)s)
on conflict (subject, key) do update
   set fingerprint = excluded.fingerprint, claimed_at = clock_timestamp(), status = null, content_type = null, body = null
 where k.claimed_at < clock_timestamp() - interval '1 day'
    or (k.status is null and k.claimed_at < clock_timestamp() - interval '1 minute')
returning k.key

-- name: answer_of_key
-- purpose: what a key's first request was answered
select fingerprint, status, content_type, body from idempotency_keys where subject = %(subject)s and key = %(key)s

-- name: keep_answer
-- purpose: keeps the answer of a key's request
update idempotency_keys set status = %(status)s, content_type = %(content_type)s, body = %(body)s
 where subject = %(subject)s and key = %(key)s and fingerprint = %(fingerprint)s

-- name: free_key
-- purpose: frees a key whose request failed by our fault: it may be tried again at once
delete from idempotency_keys where subject = %(subject)s and key = %(key)s and status is null

-- name: drop_old_keys
-- purpose: forgets answers of more than a day ago
delete from idempotency_keys where claimed_at < clock_timestamp() - interval '1 day'
