-- outbox.py ----------------------------------------------------------------------------------------------------------

-- name: lock_stream
-- purpose: takes the row lock under which a store's numbers are given and its outbox is changed
select last_sequence, due_at from delivery_streams where store_id = %(store_id)s and kind = %(kind)s for update

-- name: open_stream
-- purpose: makes a store's stream of one kind before its first use
insert into delivery_streams (store_id, kind, tenant_id, connection_id)
values (%(store_id)s, %(kind)s, %(tenant_id)s, %(connection_id)s)
on conflict do nothing

-- name: supersede_items
-- purpose: retires earlier revisions that were not sent: only the newest word on a line may still go out
update outbox set state = 'superseded', parked_cause = null, parked_reason = null, settled_at = now()
 where store_id = %(store_id)s and kind = %(kind)s and item_id = any(%(item_ids)s) and state in ('pending', 'parked')

-- name: enqueue_items
-- purpose: puts items into the outbox, pending or parked from the start with the reason
insert into outbox (store_id, kind, sequence, tenant_id, item_id, state, parked_cause, parked_reason, received_at,
                    traceparent)
select %(store_id)s, %(kind)s, i.sequence, %(tenant_id)s, i.item_id,
       case when i.parked_reason is null then 'pending' else 'parked' end, i.parked_cause, i.parked_reason,
       %(received_at)s, %(traceparent)s
  from unnest(%(sequences)s::bigint[], %(item_ids)s::uuid[], %(parked_causes)s::text[], %(parked_reasons)s::text[])
       as i (sequence, item_id, parked_cause, parked_reason)

-- name: advance_stream
-- purpose: keeps the last number given, and makes the stream due now unless it is due or waiting already
update delivery_streams
   set last_sequence = %(last_sequence)s, connection_id = %(connection_id)s,
       due_at = case when %(something_to_send)s then coalesce(due_at, clock_timestamp()) else due_at end
 where store_id = %(store_id)s and kind = %(kind)s

-- name: redrive_items
-- purpose: makes items that the platform refused or failed on pending again, except where a newer revision was enqueued since
with again as (
    select o.store_id, o.kind, o.sequence, o.tenant_id, o.batch_id
      from outbox o
     where o.store_id = %(store_id)s and o.kind = %(kind)s and o.sequence = any(%(sequences)s) and o.state = 'parked'
       and o.parked_cause in ('platform_rejected', 'platform_failed', 'warned')
       and not exists (select from outbox newer
                        where newer.store_id = o.store_id and newer.kind = o.kind and newer.item_id = o.item_id
                          and newer.sequence > o.sequence)),
kept as (
    insert into outbox_earlier_batches (store_id, kind, sequence, batch_id, tenant_id)
    select store_id, kind, sequence, batch_id, tenant_id from again where batch_id is not null
    on conflict do nothing)
update outbox o set state = 'pending', parked_cause = null, parked_reason = null, batch_id = null, settled_at = null
  from again
 where o.store_id = again.store_id and o.kind = again.kind and o.sequence = again.sequence
returning o.sequence

-- name: replay_items
-- purpose: makes accepted items pending again in their old places, except where a newer revision is known; late from now on
with again as (
    select o.store_id, o.kind, o.sequence, o.tenant_id, o.batch_id
      from outbox o
     where o.store_id = %(store_id)s and o.kind = %(kind)s and o.sequence = any(%(sequences)s) and o.state = 'accepted'
       and not exists (select from outbox newer
                        where newer.store_id = o.store_id and newer.kind = o.kind and newer.item_id = o.item_id
                          and newer.sequence > o.sequence)),
kept as (
    insert into outbox_earlier_batches (store_id, kind, sequence, batch_id, tenant_id)
    select store_id, kind, sequence, batch_id, tenant_id from again where batch_id is not null
    on conflict do nothing)
update outbox o set state = 'pending', batch_id = null, settled_at = null, received_at = clock_timestamp()
  from again
 where o.store_id = again.store_id and o.kind = again.kind and o.sequence = again.sequence
returning o.sequence

-- name: hurry_stream
-- purpose: ends a store's wait between two tries; a wait that the platform asked for stays
update delivery_streams set due_at = clock_timestamp()
 where store_id = %(store_id)s and kind = %(kind)s and wait_cause is distinct from 'slow_down'

-- name: release_items
-- purpose: makes items pending again that a room parked for a cause which is gone
update outbox set state = 'pending', parked_cause = null, parked_reason = null
 where store_id = %(store_id)s and kind = %(kind)s and sequence = any(%(sequences)s) and state = 'parked'
   and parked_cause = %(cause)s

-- name: park_for_another
-- purpose: gives a parked item another cause to wait
update outbox set parked_cause = %(cause)s, parked_reason = %(reason)s
 where store_id = %(store_id)s and kind = %(kind)s and sequence = %(sequence)s and state = 'parked'

-- name: parked_items
-- purpose: what is parked in one tenant's stores, oldest first
select o.store_id, s.crsa, o.kind, o.sequence, o.item_id, o.parked_cause, o.parked_reason, o.received_at
  from outbox o join reporting_stores s using (store_id)
 where s.crol = %(crol)s and o.state = 'parked'
 order by o.store_id, o.kind, o.sequence

-- lease.py -----------------------------------------------------------------------------------------------------------

-- name: claim_stream
-- purpose: takes the lease of a named store's stream if it is due, nobody holds it and the store is reporting
update delivery_streams d
   set fence = d.fence + 1, holder = %(holder)s, lease_until = clock_timestamp() + %(lease)s
  from reporting_stores s left join connection_pace p on p.connection_id = s.connection_id
 where d.store_id = %(store_id)s and d.kind = %(kind)s and s.store_id = d.store_id and s.reporting
   and (s.anchored_at is not null or d.kind = any(%(anchors)s))
   and coalesce(d.lease_until, 'epoch') <= clock_timestamp()
   and is_due(d.due_at, d.wait_cause, d.waiting_since, coalesce(p.recovered_at, 'epoch'))
returning d.fence, d.wait_cause, d.kind, s.*

-- name: claim_next_stream
-- purpose: takes the connection's stream that has been due longest, for a worker whose call slot is still allowed
with next as (
    select d.store_id, d.kind
      from delivery_streams d
      join reporting_stores s using (store_id)
      join connection_pace p on p.connection_id = d.connection_id
     where d.connection_id = %(connection_id)s and d.due_at is not null
       and s.connection_id = d.connection_id and s.reporting
       and (s.anchored_at is not null or d.kind = any(%(anchors)s))
       and p.allowed >= %(slot)s and p.hold_until <= clock_timestamp()
       and coalesce(d.lease_until, 'epoch') <= clock_timestamp()
       and is_due(d.due_at, d.wait_cause, d.waiting_since, p.recovered_at)
     order by d.due_at
     limit 1
       for update of d skip locked)
update delivery_streams d
   set fence = d.fence + 1, holder = %(holder)s, lease_until = clock_timestamp() + %(lease)s
  from next join reporting_stores s using (store_id)
 where d.store_id = next.store_id and d.kind = next.kind
returning d.fence, d.wait_cause, d.kind, s.*

-- name: take_slot
-- purpose: takes one of the connection's call slots, unless all that are allowed now are in use or calls are held
update call_slots
   set held_until = clock_timestamp() + %(lease)s, holder = %(holder)s
 where (connection_id, slot) = (
       select c.connection_id, c.slot
         from call_slots c join connection_pace p using (connection_id)
        where c.connection_id = %(connection_id)s and c.slot <= p.allowed
          and c.held_until <= clock_timestamp() and p.hold_until <= clock_timestamp()
        order by c.slot
        limit 1
          for update of c skip locked)
returning slot

-- name: hold_lease
-- purpose: locks the stream for settling and prolongs its lease and its call slot, if this worker still holds it
with stream as (
    update delivery_streams set lease_until = clock_timestamp() + %(lease)s
     where store_id = %(store_id)s and kind = %(kind)s and fence = %(fence)s and lease_until is not null
    returning fence),
slot as (
    update call_slots set held_until = clock_timestamp() + %(lease)s
     where connection_id = %(connection_id)s and slot = %(slot)s and holder = %(holder)s)
select fence from stream

-- name: release_stream
-- purpose: gives the stream back: with nothing to send, due again at once, or after a wait
update delivery_streams
   set lease_until = null, holder = null,
       due_at = case when %(empty)s then null else clock_timestamp() + %(wait)s end,
       wait_cause = %(wait_cause)s,
       waiting_since = case when %(wait_cause)s::text is null then null else clock_timestamp() end
 where store_id = %(store_id)s and kind = %(kind)s and fence = %(fence)s

-- name: release_slot
-- purpose: gives the call slot back
update call_slots set held_until = 'epoch', holder = null
 where connection_id = %(connection_id)s and slot = %(slot)s and holder = %(holder)s

-- name: streams_to_ring
-- purpose: stores with due work that nobody holds, the longest waiting first, as many as each connection may call now
select waiting.store_id
  from (select d.store_id, s.connection_id, d.due_at,
               row_number() over (partition by s.connection_id order by d.due_at) as place
          from delivery_streams d
          join reporting_stores s using (store_id)
          left join connection_pace p on p.connection_id = s.connection_id
         where d.due_at is not null and s.reporting
           and (s.anchored_at is not null or d.kind = any(%(anchors)s))
           and coalesce(d.lease_until, 'epoch') <= clock_timestamp()
           and coalesce(p.hold_until, 'epoch') <= clock_timestamp()
           and is_due(d.due_at, d.wait_cause, d.waiting_since, coalesce(p.recovered_at, 'epoch'))) as waiting
  join connection_pace p using (connection_id)
 where waiting.place <= (select count(*) from call_slots c
                          where c.connection_id = waiting.connection_id and c.slot <= p.allowed
                            and c.held_until <= clock_timestamp())
 order by waiting.due_at

-- batches.py ---------------------------------------------------------------------------------------------------------

-- name: next_batch
-- purpose: the oldest batch that is not settled, with the same members; else a new one, frozen before a byte is sent
with open_batch as (
    select batch_id, lines, failures from delivery_batches
     where store_id = %(store_id)s and kind = %(kind)s and state = 'open'
     order by first_sequence
     limit 1),
taken as (
    select sequence from outbox
     where store_id = %(store_id)s and kind = %(kind)s and state = 'pending' and not exists (select from open_batch)
     order by sequence
     limit %(most)s),
frozen as (
    insert into delivery_batches (store_id, kind, tenant_id, first_sequence, last_sequence, lines)
    select %(store_id)s, %(kind)s, %(tenant_id)s, min(sequence), max(sequence), count(*) from taken having count(*) > 0
    returning batch_id, lines, failures),
members as (
    update outbox o set state = 'frozen', batch_id = frozen.batch_id
      from taken, frozen
     where o.store_id = %(store_id)s and o.kind = %(kind)s and o.sequence = taken.sequence),
batch as (
    select batch_id, lines, failures from open_batch union all select batch_id, lines, failures from frozen),
attempt as (
    insert into delivery_attempts (batch_id, store_id, tenant_id, connection_id, fence, lines)
    select batch_id, %(store_id)s, %(tenant_id)s, %(connection_id)s, %(fence)s, lines from batch
    returning attempt_id)
select batch.batch_id, batch.lines, batch.failures, attempt.attempt_id from batch cross join attempt

-- name: traces_of_batch
-- purpose: in which traces a batch's members were put into the outbox, the oldest first
select traceparent from outbox
 where batch_id = %(batch_id)s and traceparent is not null
 group by traceparent
 order by min(sequence)
 limit %(most)s

-- name: finish_attempt
-- purpose: writes down how an attempt ended
update delivery_attempts
   set finished_at = clock_timestamp(), seconds = %(seconds)s, outcome = %(outcome)s,
       http_status = %(http_status)s, reference_id = %(reference_id)s, message = %(message)s, reply = %(reply)s
 where attempt_id = %(attempt_id)s and finished_at is null

-- name: accept_batch
-- purpose: settles an accepted batch and its members; gives how long its oldest sale took
with batch as (
    update delivery_batches set state = 'accepted', reference_id = %(reference_id)s, settled_at = clock_timestamp()
     where batch_id = %(batch_id)s and state = 'open'
    returning batch_id),
members as (
    update outbox o set state = 'accepted', settled_at = clock_timestamp()
      from batch
     where o.batch_id = batch.batch_id and o.state = 'frozen'
    returning o.received_at)
select extract(epoch from clock_timestamp() - min(received_at))::float8 as seconds from members having count(*) > 0

-- name: split_batch
-- purpose: replaces a batch by its two halves, in order, each with its own members and the failures so far
with parent as (
    update delivery_batches set state = 'split', settled_at = clock_timestamp()
     where batch_id = %(batch_id)s and state = 'open'
    returning batch_id, store_id, kind, tenant_id, failures),
members as (
    select o.sequence, ntile(2) over (order by o.sequence) as half from outbox o join parent using (batch_id)),
halves as (
    insert into delivery_batches
           (store_id, kind, tenant_id, parent_id, failures, first_sequence, last_sequence, lines)
    select p.store_id, p.kind, p.tenant_id, p.batch_id, p.failures, min(m.sequence), max(m.sequence), count(*)
      from parent p cross join members m
     group by p.store_id, p.kind, p.tenant_id, p.batch_id, p.failures, m.half
    returning batch_id, store_id, kind, first_sequence, last_sequence)
update outbox o set batch_id = h.batch_id
  from halves h
 where o.batch_id = %(batch_id)s and o.sequence between h.first_sequence and h.last_sequence

-- name: park_batch
-- purpose: parks the one line of a batch that the platform refuses; a line that was corrected since is superseded
with batch as (
    update delivery_batches set state = 'parked', settled_at = clock_timestamp()
     where batch_id = %(batch_id)s and state = 'open'
    returning batch_id),
judged as (
    select o.store_id, o.kind, o.sequence,
           exists (select from outbox newer
                    where newer.store_id = o.store_id and newer.kind = o.kind and newer.item_id = o.item_id
                      and newer.sequence > o.sequence) as corrected
      from outbox o join batch using (batch_id))
update outbox o
   set state = case when j.corrected then 'superseded' else 'parked' end,
       parked_cause = case when j.corrected then null else %(cause)s end,
       parked_reason = case when j.corrected then null else %(reason)s end,
       settled_at = clock_timestamp()
  from judged j
 where o.store_id = j.store_id and o.kind = j.kind and o.sequence = j.sequence
returning o.sequence, o.state

-- name: count_failure
-- purpose: counts an attempt that the upstream failed against its batch
with attempt as (update delivery_attempts set counted = true where attempt_id = %(attempt_id)s)
update delivery_batches set failures = failures + 1 where batch_id = %(batch_id)s returning failures

-- name: has_work
-- purpose: whether a stream still has something to send
select exists (select from delivery_batches b
                where b.store_id = %(store_id)s and b.kind = %(kind)s and b.state = 'open')
    or exists (select from outbox o
                where o.store_id = %(store_id)s and o.kind = %(kind)s and o.state = 'pending') as more

-- name: retire_batches
-- purpose: deletes batches settled long ago, with their attempts: none of which a half is left or an item is not delivered
with old as (
    select b.batch_id from delivery_batches b
     where b.opened_at < %(before)s and b.settled_at < %(before)s and b.state <> 'open'
       and not exists (select from delivery_batches half where half.parent_id = b.batch_id)
       and not exists (select from outbox o
                        where o.batch_id = b.batch_id and o.state in ('pending', 'frozen', 'parked'))
       and not exists (select from outbox_earlier_batches e join outbox o using (store_id, kind, sequence)
                        where e.batch_id = b.batch_id and o.state in ('pending', 'frozen', 'parked'))
     limit %(most)s
       for update skip locked),
attempts as (delete from delivery_attempts a using old where a.batch_id = old.batch_id),
earlier as (delete from outbox_earlier_batches e using old where e.batch_id = old.batch_id),
gone as (delete from delivery_batches b using old where b.batch_id = old.batch_id returning b.batch_id)
select count(*) as gone from gone

-- pace.py ------------------------------------------------------------------------------------------------------------

-- name: save_paces
-- purpose: gives every connection its pace, and follows a changed cap
insert into connection_pace as p (connection_id, tenant_id, cap, allowed)
select connection_id, tenant_id, concurrent_calls, concurrent_calls from connection_caps
 where %(connection_id)s::uuid is null or connection_id = %(connection_id)s
on conflict (connection_id) do update
   set cap = excluded.cap, allowed = case when p.state = 'closed' then excluded.cap else least(p.allowed, excluded.cap) end
 where p.cap <> excluded.cap

-- name: save_slots
-- purpose: gives every connection as many call slots as its cap
insert into call_slots (connection_id, slot)
select connection_id, generate_series(1, cap) from connection_pace
 where %(connection_id)s::uuid is null or connection_id = %(connection_id)s
on conflict do nothing

-- name: has_pace
-- purpose: whether a connection has been given its pace
select exists (select from connection_pace where connection_id = %(connection_id)s) as known

-- name: disturbed_pace
-- purpose: locks a connection's pace if a success changes it; on a calm day there is nothing to lock
select state, allowed, cap, failures, times_opened from connection_pace
 where connection_id = %(connection_id)s and (failures > 0 or state <> 'closed')
   for update

-- name: failing_pace
-- purpose: locks a connection's pace for a failure, with the last 30 seconds' calls and whether this one is old news
select p.state, p.allowed, p.cap, p.failures, p.times_opened,
       (select a.started_at < p.opened_at from delivery_attempts a where a.attempt_id = %(attempt_id)s) as old_news,
       recent.failed, recent.total
  from connection_pace p
 cross join (select count(*) filter (where outcome = 'upstream') as failed, count(*) as total
               from delivery_attempts
              where connection_id = %(connection_id)s and finished_at > clock_timestamp() - %(window)s
                and outcome in ('accepted', 'rejected', 'upstream')) as recent
 where p.connection_id = %(connection_id)s
   for update of p

-- name: save_pace
-- purpose: keeps a connection's pace after a success or a failure
update connection_pace
   set state = %(state)s, allowed = %(allowed)s, failures = %(failures)s, times_opened = %(times_opened)s,
       recovered_at = case when %(recovered)s then clock_timestamp() else recovered_at end,
       opened_at = case when %(opens)s then clock_timestamp() else opened_at end,
       hold_until = case when %(opens)s then clock_timestamp() + %(hold)s
                         when %(recovered)s then 'epoch' else hold_until end,
       hold_cause = case when %(opens)s then 'breaker' when %(recovered)s then null else hold_cause end
 where connection_id = %(connection_id)s

-- name: hold_connection
-- purpose: lets nobody call on a connection for a while, as the platform asked or its sign-in needs
update connection_pace
   set hold_until = greatest(hold_until, clock_timestamp() + %(hold)s), hold_cause = %(cause)s
 where connection_id = %(connection_id)s
