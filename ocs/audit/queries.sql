-- acts.py ------------------------------------------------------------------------------------------------------------

-- name: note_act
-- purpose: notes what one of the staff did; it is linked into the chain when the transaction commits
insert into audit_acts (act_id, at, who_subject, who_name, what, tenant_id, store_id, subject, before, after, why, way,
                        correlation_id, content_hash)
values (%(act_id)s, %(at)s, %(who_subject)s, %(who_name)s, %(what)s, %(tenant_id)s, %(store_id)s, %(subject)s,
        %(before)s, %(after)s, %(why)s, %(way)s, %(correlation_id)s, %(content_hash)s)

-- calls.py -----------------------------------------------------------------------------------------------------------

-- name: keep_call
-- purpose: keeps a call to the regulator, once; without waiting for the disk, which the settling that follows does
insert into audit_calls (call_id, at, tenant_id, store_id, connection_id, method, url, status, error, ms, request_bytes,
                         request_sha256, response_bytes, response_sha256, correlation_id, batch_id, attempt_id, content_hash)
select %(call_id)s, %(at)s, %(tenant_id)s, %(store_id)s, %(connection_id)s, %(method)s, %(url)s, %(status)s, %(error)s,
       %(ms)s, %(request_bytes)s, %(request_sha256)s, %(response_bytes)s, %(response_sha256)s, %(correlation_id)s,
       %(batch_id)s, %(attempt_id)s, %(content_hash)s
 where set_config('synchronous_commit', 'off', true) is not null
on conflict (call_id) do nothing

-- name: link_calls
-- purpose: links the oldest calls that are not linked into their chain, unless another worker is at it; gives how many
select audit_link_calls(%(most)s) as linked

-- chain.py -----------------------------------------------------------------------------------------------------------

-- name: acts_in_order
-- purpose: a stretch of the chain of acts, in its order
select act_id, at, who_subject, who_name, what, tenant_id, store_id, subject, before, after, why, way, correlation_id,
       content_hash, place, previous_hash, hash
  from audit_acts
 where place > %(after)s and place <= %(through)s
 order by place
 limit %(most)s

-- name: state_of_acts
-- purpose: the end of the chain of acts, its checkpoint, and what lies beside it
select c.place as "end", c.hash as end_hash, p.place as cut, p.hash as cut_hash, p.gone, p.at as cut_at,
       (select count(*) from audit_acts where hash is null) as unlinked,
       exists (select from audit_acts where place > c.place) as beyond
  from audit_chains c join audit_checkpoints p using (chain)
 where chain = 'acts'

-- name: calls_in_order
-- purpose: a stretch of the chain of calls, in its order
select call_id, at, tenant_id, store_id, connection_id, method, url, status, error, ms, request_bytes, request_sha256,
       response_bytes, response_sha256, correlation_id, batch_id, attempt_id,
       content_hash, place, previous_hash, hash
  from audit_calls
 where place > %(after)s and place <= %(through)s
 order by place
 limit %(most)s

-- name: state_of_calls
-- purpose: the end of the chain of calls, its checkpoint, and what lies beside it
select c.place as "end", c.hash as end_hash, p.place as cut, p.hash as cut_hash, p.gone, p.at as cut_at,
       (select count(*) from audit_calls where hash is null) as unlinked,
       exists (select from audit_calls where place > c.place) as beyond
  from audit_chains c join audit_checkpoints p using (chain)
 where chain = 'calls'

-- search.py ----------------------------------------------------------------------------------------------------------

-- name: search
-- purpose: acts and calls, newest first, behind the last row of the page before; each kind by its index; none is skipped but to count
select e.*, s.crsa
  from (select kind, id, at, tenant_id, store_id, correlation_id, place, hash,
               who_subject, who_name, what, subject, before, after, why, way, connection_id, method, url, status, error,
               ms, request_bytes, request_sha256, response_bytes, response_sha256, batch_id, attempt_id
          from audit_entries
         where (%(kind)s::text is null or kind = %(kind)s)
           and (%(since)s::timestamptz is null or at >= %(since)s) and (%(until)s::timestamptz is null or at < %(until)s)
           and (%(after_at)s::timestamptz is null or (at, id) < (%(after_at)s, %(after_id)s::uuid))
           and (%(tenants)s::uuid[] is null or tenant_id = any(%(tenants)s::uuid[]))
           and (%(tenant_id)s::uuid is null or tenant_id = %(tenant_id)s)
           and (%(store_id)s::uuid is null or store_id = %(store_id)s)
           and (%(who)s::text is null or who_subject = %(who)s or who_name = %(who)s)
           and (%(what)s::text is null or what like %(what)s)
           and (%(subject)s::text is null or subject = %(subject)s)
           and (%(low)s::integer is null or (status >= %(low)s and status <= %(high)s)
                or (%(unanswered)s and status is null))
           and (%(correlation_id)s::text is null or correlation_id = %(correlation_id)s)
         order by at desc, id desc
         limit %(most)s offset %(skip)s) e
  left join reporting_stores s using (store_id)
 order by e.at desc, e.id desc

-- retention.py -------------------------------------------------------------------------------------------------------

-- name: claim_timer
-- purpose: takes the retention's work for a while, where it is due and nobody has it
insert into audit_timers as t (timer, due_at) values ('retention', clock_timestamp() + %(lease)s)
on conflict (timer) do update set due_at = excluded.due_at where t.due_at <= clock_timestamp()
returning t.timer

-- name: timer_due_again
-- purpose: says when the retention is due again
update audit_timers set due_at = clock_timestamp() + %(wait)s where timer = 'retention'

-- name: open_the_trigger
-- purpose: lets this transaction delete rows of the audit
select set_config('ocs.audit_retires', 'on', true)

-- name: ends_of_chains
-- purpose: the place and the hash at which each chain ends now
select chain, place, hash from audit_chains order by chain

-- name: cut_calls
-- purpose: deletes calls from the chain's oldest end, none behind one that is not old, and moves the checkpoint
with checkpoint as (select place from audit_checkpoints where chain = 'calls' for update),
first as (
    select place, at, hash from audit_calls where place > (select place from checkpoint) order by place limit %(most)s),
old as (
    select place, hash from first
     where place < coalesce((select min(place) from first where at >= %(before)s), 9223372036854775807)),
gone as (delete from audit_calls using old where audit_calls.place = old.place returning old.place, old.hash),
last as (select place, hash from gone order by place desc limit 1)
update audit_checkpoints p
   set place = last.place, hash = last.hash, gone = p.gone + (select count(*) from gone), at = clock_timestamp()
  from last
 where p.chain = 'calls'
returning (select count(*) from gone) as gone

-- name: cut_acts
-- purpose: deletes acts from the chain's oldest end, none behind one that is not old, and moves the checkpoint
with checkpoint as (select place from audit_checkpoints where chain = 'acts' for update),
first as (
    select place, at, hash from audit_acts where place > (select place from checkpoint) order by place limit %(most)s),
old as (
    select place, hash from first
     where place < coalesce((select min(place) from first where at >= %(before)s), 9223372036854775807)),
gone as (delete from audit_acts using old where audit_acts.place = old.place returning old.place, old.hash),
last as (select place, hash from gone order by place desc limit 1)
update audit_checkpoints p
   set place = last.place, hash = last.hash, gone = p.gone + (select count(*) from gone), at = clock_timestamp()
  from last
 where p.chain = 'acts'
returning (select count(*) from gone) as gone
