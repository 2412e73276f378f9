-- keeping.py ---------------------------------------------------------------------------------------------------------

-- name: note_kept
-- purpose: notes that a secret was put into Key Vault, by whom and until when the one before it is used too
insert into kept_secrets (tenant_id, secret_name, kept_by, checked, overlap_until)
values (%(tenant_id)s, %(secret_name)s, %(kept_by)s, %(checked)s, %(overlap_until)s)
on conflict (tenant_id, secret_name) do update
   set kept_at = excluded.kept_at, kept_by = excluded.kept_by, checked = excluded.checked,
       overlap_until = excluded.overlap_until

-- name: note_try
-- purpose: notes what the sign-in of a connection said when a person had it tried
insert into sign_in_tries (connection_id, tenant_id, tried_by, outcome, version, said, ms)
values (%(connection_id)s, %(tenant_id)s, %(tried_by)s, %(outcome)s, %(version)s, %(said)s, %(ms)s)
on conflict (connection_id) do update
   set tried_at = excluded.tried_at, tried_by = excluded.tried_by, outcome = excluded.outcome,
       version = excluded.version, said = excluded.said, ms = excluded.ms
returning tried_at

-- state.py -----------------------------------------------------------------------------------------------------------

-- name: kept_secrets
-- purpose: when and by whom some secrets of a tenant were put into Key Vault here
select secret_name, kept_at, kept_by, checked,
       case when overlap_until > clock_timestamp() then overlap_until end as overlap_until
  from kept_secrets
 where tenant_id = %(tenant_id)s and secret_name = any(%(names)s)

-- name: sign_ins
-- purpose: of some connections, when the platform last let them in, when it last refused them, and the newest try
select asked.connection_id, good.finished_at as good_at, refused.finished_at as refused_at,
       t.tried_at, t.outcome, t.version, t.said, t.ms
  from unnest(%(connection_ids)s::uuid[]) as asked (connection_id)
  left join lateral (
       select a.finished_at from connection_attempts a
        where a.connection_id = asked.connection_id and a.outcome in ('accepted', 'rejected')
        order by a.finished_at desc limit 1) good on true
  left join lateral (
       select a.finished_at from connection_attempts a
        where a.connection_id = asked.connection_id and a.outcome = 'credentials'
        order by a.finished_at desc limit 1) refused on true
  left join sign_in_tries t on t.connection_id = asked.connection_id

-- name: hash_key_uses
-- purpose: of some stores, when the platform last accepted something of them, and since when it refuses them
select asked.store_id, good.settled_at as good_at, refused.waiting_since as refused_since
  from unnest(%(store_ids)s::uuid[]) as asked (store_id)
 cross join lateral (
       select max(newest.settled_at) as settled_at
         from unnest(array['events', 'positions']) as kinds (kind)
        cross join lateral (
              select b.settled_at from batch_results b
               where b.store_id = asked.store_id and b.kind = kinds.kind and b.state = 'accepted'
               order by b.settled_at desc limit 1) newest) good
 cross join lateral (
       select min(p.waiting_since) as waiting_since from stream_progress p
        where p.store_id = asked.store_id and p.wait_cause = 'credentials') refused
