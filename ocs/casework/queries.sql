-- lines.py -----------------------------------------------------------------------------------------------------------
-- A page is asked for in two steps: which lines (keys_…, each by an index of its own), then what is shown of them. Each
-- store gives at most a page, by an index that is in the right order, so the cost does not grow with the history.

-- name: stores_in_view
-- purpose: the stores of some tenants, or of all
select store_id, crsa from reporting_stores
 where %(tenant_ids)s::uuid[] is null or tenant_id = any(%(tenant_ids)s)

-- name: keys_by_time
-- purpose: the newest lines of stores, from a key on
select page.store_id, page.sequence, page.recorded_at
  from unnest(%(store_ids)s::uuid[]) as s (store_id)
 cross join lateral (
       select l.store_id, l.sequence, l.recorded_at
         from line_revisions l
        where l.store_id = s.store_id and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
          and l.recorded_at <= %(after_at)s
          and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
          and (%(type)s::text is null or l.transaction_type = %(type)s)
          and (%(status)s::text is null
               or exists (select from outbox_items o
                           where o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
                             and o.state = %(status)s))
        order by l.recorded_at desc, l.sequence desc
        limit %(most)s) as page
 order by page.recorded_at desc, page.store_id desc, page.sequence desc
 limit %(most)s

-- name: keys_by_sku
-- purpose: the newest lines of stores with an OCS SKU or a POS SKU, from a key on
select page.store_id, page.sequence, page.recorded_at
  from unnest(%(store_ids)s::uuid[]) as s (store_id)
 cross join lateral (
       (select l.store_id, l.sequence, l.recorded_at
          from line_revisions l
         where l.store_id = s.store_id and l.ocs_sku = %(sku)s
           and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s and l.recorded_at <= %(after_at)s
           and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
           and (%(type)s::text is null or l.transaction_type = %(type)s)
           and (%(status)s::text is null
                or exists (select from outbox_items o
                            where o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
                              and o.state = %(status)s))
         order by l.recorded_at desc, l.sequence desc
         limit %(most)s)
        union all
       (select l.store_id, l.sequence, l.recorded_at
          from line_revisions l
         where l.store_id = s.store_id and l.pos_sku = %(sku)s and l.ocs_sku is distinct from %(sku)s
           and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s and l.recorded_at <= %(after_at)s
           and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
           and (%(type)s::text is null or l.transaction_type = %(type)s)
           and (%(status)s::text is null
                or exists (select from outbox_items o
                            where o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
                              and o.state = %(status)s))
         order by l.recorded_at desc, l.sequence desc
         limit %(most)s)) as page
 order by page.recorded_at desc, page.store_id desc, page.sequence desc
 limit %(most)s

-- name: keys_of_transaction
-- purpose: the newest lines of stores in one transaction of the POS, from a key on
select l.store_id, l.sequence, l.recorded_at
  from reported_lines l
 where l.store_id = any(%(store_ids)s::uuid[]) and l.transaction_id = %(transaction_id)s
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
   and (%(sku)s::text is null or l.ocs_sku = %(sku)s or l.pos_sku = %(sku)s)
   and (%(type)s::text is null or l.transaction_type = %(type)s)
   and (%(status)s::text is null or l.state = %(status)s)
 order by l.recorded_at desc, l.store_id desc, l.sequence desc
 limit %(most)s

-- name: keys_of_line
-- purpose: the revisions of one line, newest first, from a key on
select l.store_id, l.sequence, l.recorded_at
  from reported_lines l
 where l.store_id = any(%(store_ids)s::uuid[]) and l.line_id = %(line_id)s
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
   and (%(transaction_id)s::text is null or l.transaction_id = %(transaction_id)s)
   and (%(sku)s::text is null or l.ocs_sku = %(sku)s or l.pos_sku = %(sku)s)
   and (%(type)s::text is null or l.transaction_type = %(type)s)
   and (%(status)s::text is null or l.state = %(status)s)
 order by l.recorded_at desc, l.store_id desc, l.sequence desc
 limit %(most)s

-- name: keys_of_reference
-- purpose: the newest lines that the platform accepted with one reference id, now or before they were sent again
-- A reference id is a batch's own; should the platform give one to many batches, the newest hundred are enough.
select l.store_id, l.sequence, l.recorded_at
  from (select batch_id from sent_batches
         where reference_id = %(reference_id)s and store_id = any(%(store_ids)s::uuid[]) and kind = 'events'
         order by batch_id desc limit 100) as b
 cross join lateral (
       select o.store_id, o.sequence from outbox_items o where o.batch_id = b.batch_id and o.kind = 'events'
        union
       select e.store_id, e.sequence from items_earlier_batches e where e.batch_id = b.batch_id) as member
  join reported_lines l on l.store_id = member.store_id and l.sequence = member.sequence
 where l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
   and (%(line_id)s::uuid is null or l.line_id = %(line_id)s)
   and (%(transaction_id)s::text is null or l.transaction_id = %(transaction_id)s)
   and (%(sku)s::text is null or l.ocs_sku = %(sku)s or l.pos_sku = %(sku)s)
   and (%(type)s::text is null or l.transaction_type = %(type)s)
   and (%(status)s::text is null or l.state = %(status)s)
 order by l.recorded_at desc, l.store_id desc, l.sequence desc
 limit %(most)s

-- name: keys_unsettled
-- purpose: the newest lines of stores in one of the states of what is not settled, from a key on
select l.store_id, l.sequence, l.recorded_at
  from outbox_items o
  join line_revisions l on l.store_id = o.store_id and l.sequence = o.sequence
 where o.store_id = any(%(store_ids)s::uuid[]) and o.kind = 'events' and o.state in ('pending', 'frozen', 'parked')
   and o.state = %(status)s
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
   and (%(sku)s::text is null or l.ocs_sku = %(sku)s or l.pos_sku = %(sku)s)
   and (%(type)s::text is null or l.transaction_type = %(type)s)
 order by l.recorded_at desc, l.store_id desc, l.sequence desc
 limit %(most)s

-- name: keys_superseded
-- purpose: the newest lines of stores that a newer revision replaced before they were sent, from a key on
select l.store_id, l.sequence, l.recorded_at
  from outbox_items o
  join line_revisions l on l.store_id = o.store_id and l.sequence = o.sequence
 where o.store_id = any(%(store_ids)s::uuid[]) and o.kind = 'events' and o.state = 'superseded'
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and (l.recorded_at, l.store_id, l.sequence) < (%(after_at)s, %(after_store)s, %(after_sequence)s)
   and (%(sku)s::text is null or l.ocs_sku = %(sku)s or l.pos_sku = %(sku)s)
   and (%(type)s::text is null or l.transaction_type = %(type)s)
 order by l.recorded_at desc, l.store_id desc, l.sequence desc
 limit %(most)s

-- name: lines_shown
-- purpose: what is shown of lines, by their keys and in the keys' order
select l.store_id, s.crsa, l.tenant_id, l.sequence, l.line_id, l.revision, l.transaction_id, l.transaction_type, l.ocs_type,
       l.pos_sku, l.ocs_sku, l.upc, l.quantity, l.value, l.unit_price, l.counterparty_crsa, l.reason, l.occurred_at,
       l.recorded_at, l.warnings, o.state as status, o.parked_cause, o.parked_reason, o.received_at,
       case when o.state = 'accepted' then o.settled_at end as accepted_at, b.reference_id
  from unnest(%(store_ids)s::uuid[], %(sequences)s::bigint[]) with ordinality as k (store_id, sequence, place)
  join line_revisions l on l.store_id = k.store_id and l.sequence = k.sequence
  join reporting_stores s on s.store_id = k.store_id
  join outbox_items o on o.store_id = k.store_id and o.kind = 'events' and o.sequence = k.sequence
  left join sent_batches b on b.batch_id = o.batch_id
 order by k.place

-- line.py ------------------------------------------------------------------------------------------------------------

-- name: line_in_view
-- purpose: in which of some stores a line is
select distinct l.store_id from line_revisions l where l.store_id = any(%(store_ids)s::uuid[]) and l.line_id = %(line_id)s

-- name: revisions_of_line
-- purpose: every revision of a line, newest first, with the message that brought it and who made it where staff did
select l.sequence, l.revision, l.transaction_id, l.transaction_type, l.ocs_type, l.wire_sign, l.pos_sku, l.ocs_sku, l.upc,
       l.quantity, l.unit_cost, l.value, l.unit_price, l.counterparty_crsa, l.reason, l.occurred_at, l.process_on, l.effective_at,
       l.warnings, l.recorded_at, o.state as status, o.parked_cause, o.parked_reason, o.batch_id,
       case when o.state = 'accepted' then o.settled_at end as accepted_at, b.reference_id,
       m.message_id, m.inserted_at, m.lines_new, m.lines_corrected, m.lines_unchanged, c.made_by, c.why as made_why
  from line_revisions l
  join outbox_items o on o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
  join taken_messages m on m.store_id = l.store_id and m.message_id = l.message_id
  left join sent_batches b on b.batch_id = o.batch_id
  left join line_corrections c on c.store_id = l.store_id and c.line_id = l.line_id and c.revision = l.revision
 where l.store_id = %(store_id)s and l.line_id = %(line_id)s
 order by l.revision desc
 limit %(most)s

-- name: attempts_of_line
-- purpose: every try to send a line's revisions, newest first: in their batches, those they came from, and earlier ones
with recursive carried as (
    (select o.sequence, o.batch_id from outbox_items o
      where o.store_id = %(store_id)s and o.kind = 'events' and o.sequence = any(%(sequences)s) and o.batch_id is not null
      union
     select e.sequence, e.batch_id from items_earlier_batches e
      where e.store_id = %(store_id)s and e.kind = 'events' and e.sequence = any(%(sequences)s))
     union
    select carried.sequence, b.parent_id
      from carried join sent_batches b on b.batch_id = carried.batch_id
     where b.parent_id is not null)
select carried.sequence, a.attempt_id, a.batch_id, b.lines, a.started_at, a.finished_at, a.seconds, a.outcome, a.counted,
       a.http_status, a.reference_id, a.message
  from carried
  join sent_batches b on b.batch_id = carried.batch_id
  join batch_attempts a on a.batch_id = carried.batch_id
 order by a.attempt_id desc
 limit %(most)s

-- name: facts_of_line
-- purpose: all that decides why a line's newest revision is where it is
select clock_timestamp() as now, l.line_id, l.revision, l.pos_sku, s.crol, s.crsa, s.switched_on,
       s.paused_through, s.paused_by, s.paused_why, s.anchored_at is not null as anchored, o.state, o.parked_cause, o.parked_reason, b.reference_id,
       w.due_at, coalesce(w.is_due, false) as is_due, w.wait_cause, w.lease_until, w.hold_until, w.hold_cause,
       coalesce(w.has_free_slot, true) as has_free_slot, o.batch_id is not distinct from first.batch_id as goes_first,
       said.message as said
  from line_revisions l
  join outbox_items o on o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
  join reporting_stores s on s.store_id = l.store_id
  left join delivery_waits w on w.store_id = l.store_id and w.kind = 'events'
  left join sent_batches b on b.batch_id = o.batch_id
  left join lateral (
       select f.batch_id from sent_batches f
        where f.store_id = l.store_id and f.kind = 'events' and f.state = 'open'
        order by f.first_sequence limit 1) as first on true
  left join lateral (
       select a.message from batch_attempts a
        where a.batch_id = first.batch_id and a.message is not null
        order by a.attempt_id desc limit 1) as said on true
 where l.store_id = %(store_id)s and l.line_id = %(line_id)s
 order by l.revision desc
 limit 1

-- pending.py ---------------------------------------------------------------------------------------------------------

-- name: counts_of_unsettled
-- purpose: how many lines of stores are not settled, by store, state and why they are parked
select o.store_id, o.state, o.parked_cause, count(*) as lines
  from outbox_items o
 where o.store_id = any(%(store_ids)s::uuid[]) and o.kind = 'events' and o.state in ('pending', 'frozen', 'parked')
 group by o.store_id, o.state, o.parked_cause

-- name: streams_of_stores
-- purpose: all that decides why what is pending in stores is not being sent
select clock_timestamp() as now, s.store_id, s.crol, s.crsa, s.switched_on, s.paused_through, s.paused_by,
       s.paused_why, s.anchored_at is not null as anchored,
       w.due_at, coalesce(w.is_due, false) as is_due, w.wait_cause, w.lease_until, w.hold_until, w.hold_cause,
       coalesce(w.has_free_slot, true) as has_free_slot, said.message as said
  from reporting_stores s
  left join lateral (  -- one store at a time: behind the wall the planner expects one row, and would go through all for each
       select * from delivery_waits one where one.store_id = s.store_id and one.kind = 'events' limit 1) as w on true
  left join lateral (
       select f.batch_id from sent_batches f
        where f.store_id = s.store_id and f.kind = 'events' and f.state = 'open'
        order by f.first_sequence limit 1) as first on true
  left join lateral (
       select a.message from batch_attempts a
        where a.batch_id = first.batch_id and a.message is not null
        order by a.attempt_id desc limit 1) as said on true
 where s.store_id = any(%(store_ids)s::uuid[])

-- name: keys_of_waiting
-- purpose: the oldest lines of stores that are not settled, by cause, from a key on
select page.store_id, page.sequence, page.received_at
  from unnest(%(store_ids)s::uuid[]) as s (store_id)
 cross join lateral (
       select o.store_id, o.sequence, o.received_at
         from outbox_items o
        where o.store_id = s.store_id and o.kind = 'events' and o.state in ('pending', 'frozen', 'parked')
          and o.received_at >= %(after_at)s
          and (o.received_at, o.store_id, o.sequence) > (%(after_at)s, %(after_store)s, %(after_sequence)s)
          and ((o.state = 'parked'
                and case when o.parked_cause = any(%(known_causes)s::text[]) then o.parked_cause else 'parked' end
                    = any(%(parked_causes)s::text[]))
               or (o.state = 'pending' and o.store_id = any(%(stores_of_pending)s::uuid[]))
               or (o.state = 'frozen' and o.store_id = any(%(stores_of_frozen)s::uuid[])))
        order by o.received_at, o.sequence
        limit %(most)s) as page
 order by page.received_at, page.store_id, page.sequence
 limit %(most)s

-- again.py -----------------------------------------------------------------------------------------------------------

-- name: lines_of_transaction
-- purpose: the newest revision of each line of one transaction of the POS
select distinct on (l.line_id) l.line_id, l.sequence, l.revision, l.state as status, l.parked_reason
  from reported_lines l
 where l.store_id = %(store_id)s and l.transaction_id = %(transaction_id)s
 order by l.line_id, l.revision desc

-- name: named_lines
-- purpose: the newest revision of lines by their ids, and any lines by their numbers in the store's order
select distinct on (l.line_id) l.line_id, l.sequence, l.revision, l.state, l.parked_cause
  from reported_lines l
 where l.store_id = %(store_id)s and l.line_id = any(%(line_ids)s::uuid[])
 order by l.line_id, l.revision desc

-- name: numbered_lines
-- purpose: lines by their numbers in the store's order
select l.line_id, l.sequence, l.revision, l.state, l.parked_cause
  from reported_lines l
 where l.store_id = %(store_id)s and l.sequence = any(%(sequences)s::bigint[])
 order by l.sequence

-- name: parked_to_retry
-- purpose: how many parked lines of stores can be sent again, by store, and between which numbers they lie
select o.store_id, o.tenant_id, count(*)::integer as lines, min(o.sequence) as first, max(o.sequence) as last
  from outbox_items o
  join line_revisions l on l.store_id = o.store_id and l.sequence = o.sequence
 where o.store_id = any(%(store_ids)s::uuid[]) and o.kind = 'events' and o.state in ('pending', 'frozen', 'parked')
   and o.state = 'parked' and o.parked_cause = any(%(causes)s::text[])
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
 group by o.store_id, o.tenant_id
 order by o.store_id

-- name: accepted_to_replay
-- purpose: how many accepted lines of stores were recorded in a time and are the newest revision, by store
select l.store_id, l.tenant_id, count(*)::integer as lines, min(l.sequence) as first, max(l.sequence) as last
  from reported_lines l
 where l.store_id = any(%(store_ids)s::uuid[]) and l.state = 'accepted'
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and not exists (select from line_revisions newer
                    where newer.store_id = l.store_id and newer.line_id = l.line_id and newer.revision > l.revision)
 group by l.store_id, l.tenant_id
 order by l.store_id

-- jobs.py ------------------------------------------------------------------------------------------------------------

-- name: ask_job
-- purpose: makes a job with its stores and how many lines each has
with job as (
    insert into retry_jobs (tenant_id, what, cause, recorded_from, recorded_to, asked_by)
    values (%(tenant_id)s, %(what)s, %(cause)s, %(recorded_from)s, %(recorded_to)s, %(asked_by)s)
    returning job_id, tenant_id)
insert into retry_job_stores (job_id, store_id, tenant_id, lines, after_sequence, through_sequence)
select job.job_id, given.store_id, job.tenant_id, given.lines, given.first - 1, given.last
  from job
 cross join unnest(%(store_ids)s::uuid[], %(lines)s::integer[], %(firsts)s::bigint[], %(lasts)s::bigint[])
       as given (store_id, lines, first, last)
returning job_id

-- name: jobs
-- purpose: the jobs of some tenants, or of all, newest first, from a key on, or one of them, each with how far it is
select j.job_id, j.tenant_id, j.what, j.cause, j.recorded_from, j.recorded_to, j.asked_by, j.asked_at, j.state, j.finished_at,
       so_far.stores, so_far.stores_done, so_far.lines, so_far.sent_again, so_far.left_as_is
  from retry_jobs j
 cross join lateral (
       select count(*)::integer as stores, (count(*) filter (where s.state = 'done'))::integer as stores_done,
              coalesce(sum(s.lines), 0)::integer as lines, coalesce(sum(s.sent_again), 0)::integer as sent_again,
              coalesce(sum(s.left_as_is), 0)::integer as left_as_is
         from retry_job_stores s where s.job_id = j.job_id) as so_far
 where (%(tenant_ids)s::uuid[] is null or j.tenant_id = any(%(tenant_ids)s))
   and (%(job_id)s::uuid is null or j.job_id = %(job_id)s)
   and (j.asked_at, j.job_id) < (%(after_at)s, %(after_job)s)
 order by j.asked_at desc, j.job_id desc
 limit %(most)s

-- name: cancel_job
-- purpose: stops a running job and its stores; gives nothing when it was not running
with job as (
    update retry_jobs set state = 'cancelled', finished_at = clock_timestamp()
     where job_id = %(job_id)s and state = 'running'
    returning job_id),
stopped as (
    update retry_job_stores s set state = 'cancelled'
      from job
     where s.job_id = job.job_id and s.state = 'running')
select job_id from job

-- name: steps_due
-- purpose: stores in which a job goes on, those first that have waited longest for a step
select job_id, store_id from retry_job_stores where state = 'running' order by stepped_at limit %(most)s

-- name: lock_step
-- purpose: takes a job's store for one step, and says whether what was sent again before is still under way
select j.what, j.cause, j.recorded_from, j.recorded_to, s.after_sequence, s.through_sequence,
       exists (select from outbox_items o
                where o.store_id = s.store_id and o.kind = 'events' and o.state = 'pending'
                  and o.sequence <= s.after_sequence)
       or exists (select from sent_batches b
                   where b.store_id = s.store_id and b.kind = 'events' and b.state = 'open'
                     and b.first_sequence <= s.after_sequence) as is_under_way
  from retry_job_stores s
  join retry_jobs j on j.job_id = s.job_id
 where s.job_id = %(job_id)s and s.store_id = %(store_id)s and s.state = 'running'
   for update of s skip locked

-- name: next_parked
-- purpose: the next parked lines of a store that a job sends again
select o.sequence
  from outbox_items o
  join line_revisions l on l.store_id = o.store_id and l.sequence = o.sequence
 where o.store_id = %(store_id)s and o.tenant_id = %(tenant_id)s and o.kind = 'events' and o.state = 'parked'
   and o.parked_cause = any(%(causes)s::text[])
   and o.sequence > %(after_sequence)s and o.sequence <= %(through_sequence)s
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
 order by o.sequence
 limit %(most)s

-- name: next_accepted
-- purpose: the next accepted lines of a store that a job sends again
select l.sequence
  from reported_lines l
 where l.store_id = %(store_id)s and l.state = 'accepted'
   and l.sequence > %(after_sequence)s and l.sequence <= %(through_sequence)s
   and l.recorded_at >= %(recorded_from)s and l.recorded_at < %(recorded_to)s
   and not exists (select from line_revisions newer
                    where newer.store_id = l.store_id and newer.line_id = l.line_id and newer.revision > l.revision)
 order by l.sequence
 limit %(most)s

-- name: note_step
-- purpose: writes down how far a job is in a store
update retry_job_stores
   set after_sequence = %(after_sequence)s, sent_again = sent_again + %(sent_again)s,
       left_as_is = case when %(ended)s then greatest(lines - sent_again - %(sent_again)s, 0) else left_as_is end,
       state = case when %(ended)s then 'done' else state end, stepped_at = clock_timestamp()
 where job_id = %(job_id)s and store_id = %(store_id)s

-- name: finish_jobs
-- purpose: ends the jobs all of whose stores are done
update retry_jobs j set state = 'done', finished_at = clock_timestamp()
 where j.state = 'running'
   and not exists (select from retry_job_stores s where s.job_id = j.job_id and s.state = 'running')

-- correct.py ---------------------------------------------------------------------------------------------------------

-- name: newest_of_line
-- purpose: the newest revision of a line, as it was said
select l.sequence, l.revision, l.inserted_at, l.transaction_id, l.transaction_type, l.pos_sku, l.ocs_sku, l.upc, l.quantity,
       l.unit_cost, l.unit_price, l.counterparty_crsa, l.reason, l.occurred_at, l.process_on
  from line_revisions l
 where l.store_id = %(store_id)s and l.line_id = %(line_id)s
 order by l.revision desc
 limit 1

-- name: note_correction
-- purpose: notes that a revision was made by staff, and why
insert into line_corrections (store_id, line_id, revision, tenant_id, made_by, why)
values (%(store_id)s, %(line_id)s, %(revision)s, %(tenant_id)s, %(made_by)s, %(why)s)
