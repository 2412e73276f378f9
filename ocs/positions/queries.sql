-- freeze.py ----------------------------------------------------------------------------------------------------------

-- name: freeze_snapshot
-- purpose: keeps a position for good; gives nothing where a tick has made it, or late changes have changed nothing of it
with newest as (
    select as_of, ocs_skus, upcs, quantities, amounts from snapshots
     where store_id = %(store_id)s and business_date = %(business_date)s
     order by revision desc
     limit 1),
held as (
    select coalesce(array_agg(ocs_sku order by ocs_sku, upc), '{}') as ocs_skus,
           coalesce(array_agg(upc order by ocs_sku, upc), '{}') as upcs,
           coalesce(array_agg(quantity order by ocs_sku, upc), '{}') as quantities,
           coalesce(array_agg(value order by ocs_sku, upc), '{}') as amounts
      from levels_at(%(store_id)s, %(as_of)s, %(moved_since)s))
insert into snapshots (store_id, tenant_id, business_date, revision, as_of, reason, made_by, sequence, ocs_skus, upcs,
                       quantities, amounts)
select %(store_id)s, %(tenant_id)s, %(business_date)s,
       (select coalesce(max(revision), 0) + 1 from snapshots
         where store_id = %(store_id)s and business_date = %(business_date)s),
       %(as_of)s, %(reason)s, %(made_by)s, %(sequence)s, held.ocs_skus, held.upcs, held.quantities, held.amounts
  from held
 where case %(reason)s
       when 'late_changes' then exists (
            select from newest
             where newest.as_of = %(as_of)s
               and (newest.ocs_skus, newest.upcs, newest.quantities, newest.amounts)
                   is distinct from (held.ocs_skus, held.upcs, held.quantities, held.amounts))
       else true end
on conflict do nothing
returning snapshot_id, revision, made_at, cardinality(ocs_skus) as lines

-- name: retire_snapshots
-- purpose: deletes positions made long ago, none that is not delivered
with old as (
    select s.snapshot_id from snapshots s
     where s.made_at < %(before)s
       and not exists (select from outbox_items o
                        where o.store_id = s.store_id and o.kind = 'positions' and o.sequence = s.sequence
                          and (o.state in ('pending', 'frozen', 'parked') or o.settled_at >= %(before)s))
     limit %(most)s
       for update skip locked),
gone as (delete from snapshots s using old where s.snapshot_id = old.snapshot_id returning s.snapshot_id)
select count(*) as gone from gone

-- report.py ----------------------------------------------------------------------------------------------------------

-- name: dates_of_batch
-- purpose: of which date and instant the position is that a batch carries, without its lines
select s.business_date, s.as_of
  from batch_items b join snapshots s on s.store_id = b.store_id and s.sequence = b.sequence
 where b.batch_id = %(batch_id)s and b.kind = 'positions'

-- name: snapshot_of_batch
-- purpose: the frozen position that a batch carries, numbers as texts: whole eaches, dollars to the cent
select s.snapshot_id, s.business_date, s.as_of, s.ocs_skus, s.upcs, s.quantities::text[] as quantities,
       array(select round(amount, 2)::text from unnest(s.amounts) with ordinality as a (amount, place) order by place) as amounts
  from batch_items b join snapshots s on s.store_id = b.store_id and s.sequence = b.sequence
 where b.batch_id = %(batch_id)s and b.kind = 'positions'

-- name: newest_night
-- purpose: the last business date of which a store's nightly position was made
select made_through from nights where store_id = %(store_id)s

-- night.py -----------------------------------------------------------------------------------------------------------

-- name: opened_stores
-- purpose: the active stores whose levels are known, with what was made of their positions
select s.*, n.made_through,
       (select max(h.as_of) from snapshots h where h.store_id = s.store_id and h.reason = 'hourly') as made_hour
  from reporting_stores s
  join opened_stores o using (store_id)
  left join nights n using (store_id)
 where s.reporting and o.opened_at is not null
 order by s.store_id

-- name: note_night
-- purpose: notes that a store's nightly position was made through a date
insert into nights as n (store_id, tenant_id, made_through) values (%(store_id)s, %(tenant_id)s, %(business_date)s)
on conflict (store_id) do update set made_through = greatest(n.made_through, excluded.made_through)

-- coverage.py --------------------------------------------------------------------------------------------------------

-- name: active_stores
-- purpose: all stores that report, with whether their levels are known and through which date positions were made
select s.*, o.opened_at, n.made_through
  from reporting_stores s
  left join opened_stores o using (store_id)
  left join nights n using (store_id)
 where s.reporting

-- name: newest_of_dates
-- purpose: for each store and date, the newest position of the whole day and what became of it
select asked.store_id, p.business_date, p.state, p.parked_reason, p.settled_at,
       p.state in ('pending', 'frozen') and p.made_at > clock_timestamp() - %(grace)s as is_fresh
  from unnest(%(store_ids)s::uuid[], %(dates)s::date[]) as asked (store_id, business_date)
 cross join lateral (
       select r.business_date, r.state, r.parked_reason, r.settled_at, r.made_at from reported_positions r
        where r.store_id = asked.store_id and r.business_date = asked.business_date and r.reason <> 'hourly'
        order by r.state = 'accepted' desc, r.revision desc
        limit 1) p

-- backfill.py --------------------------------------------------------------------------------------------------------

-- name: ask_backfill
-- purpose: notes that a store's positions of some dates are to be made and sent
insert into backfills (store_id, tenant_id, first_date, last_date, asked_by)
values (%(store_id)s, %(tenant_id)s, %(first_date)s, %(last_date)s, %(asked_by)s)
returning backfill_id

-- name: running_backfills
-- purpose: backfills that are not made yet, oldest first
select backfill_id, store_id from backfills where state = 'running' order by asked_at

-- name: lock_backfill
-- purpose: takes a backfill for one step, unless another worker has it or it was cancelled, with what of its store is under way
select b.backfill_id, b.store_id, b.first_date, b.last_date, b.made_through, b.asked_by,
       (select count(*) from outbox_items o
         where o.store_id = b.store_id and o.kind = 'positions' and o.state in ('pending', 'frozen')) as under_way
  from backfills b
 where b.backfill_id = %(backfill_id)s and b.state = 'running'
   for update of b skip locked

-- name: step_backfill
-- purpose: notes through which date a backfill was made
update backfills
   set made_through = %(made_through)s, state = case when %(made_through)s >= last_date then 'made' else state end
 where backfill_id = %(backfill_id)s

-- name: cancel_backfill
-- purpose: stops a backfill where it is; what was made is sent all the same
update backfills set state = 'cancelled'
 where backfill_id = %(backfill_id)s and tenant_id = %(tenant_id)s and state = 'running'
returning backfill_id

-- name: backfill
-- purpose: a backfill with how far it is: dates in all, made, and accepted by the platform
select b.backfill_id, b.store_id, b.tenant_id, b.first_date, b.last_date, b.made_through, b.state, b.asked_by, b.asked_at,
       b.last_date - b.first_date + 1 as dates, coalesce(b.made_through - b.first_date + 1, 0) as made,
       (select count(distinct r.business_date) from reported_positions r
         where r.store_id = b.store_id and r.business_date between b.first_date and b.last_date
           and r.state = 'accepted' and r.made_at >= b.asked_at) as accepted
  from backfills b
 where b.backfill_id = %(backfill_id)s

-- admin.py -----------------------------------------------------------------------------------------------------------

-- name: position_history
-- purpose: a store's positions, newest date first, each with what became of it; goes on after the last one of a page
with page as materialized (  -- apart: else all of the store's positions are looked up, and their lines counted, for a page
    select s.snapshot_id from snapshots s
     where s.store_id = %(store_id)s and s.tenant_id = %(tenant_id)s
       and (%(after_date)s::date is null or (s.business_date, s.revision) < (%(after_date)s, %(after_revision)s))
     order by s.business_date desc, s.revision desc
     limit %(most)s)
select r.snapshot_id, r.business_date, r.revision, r.as_of, r.reason, r.made_at, r.lines, r.state, r.parked_reason,
       r.settled_at, b.reference_id
  from page
  join reported_positions r using (snapshot_id)
  left join batch_results b on b.batch_id = r.batch_id
 order by r.business_date desc, r.revision desc

-- name: position
-- purpose: one position of a store, with its lines as they were frozen
select r.snapshot_id, r.store_id, r.tenant_id, r.business_date, r.revision, r.as_of, r.reason, r.made_at, r.state,
       r.parked_reason, r.settled_at, r.batch_id, s.made_by, s.ocs_skus, s.upcs, s.quantities, s.amounts
  from reported_positions r join snapshots s using (snapshot_id)
 where r.snapshot_id = %(snapshot_id)s

-- name: attempts_of_batch
-- purpose: every try to send one position
select started_at, finished_at, seconds, outcome, http_status, reference_id, message
  from batch_attempts
 where batch_id = %(batch_id)s and store_id = %(store_id)s
 order by attempt_id

-- name: is_opened
-- purpose: whether what a store holds is known
select store_id from opened_stores where store_id = %(store_id)s and opened_at is not null
