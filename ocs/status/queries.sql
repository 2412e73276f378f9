-- overview.py --------------------------------------------------------------------------------------------------------

-- name: stores_in_reach
-- purpose: the stores of some tenants, or of all, with what decides which days and nights of theirs are looked at
select s.store_id, s.tenant_id, s.connection_id, s.crol, s.crsa, s.name, s.time_zone, s.snapshot_at, s.created_at,
       s.switched_on, s.paused_through, s.paused_at, s.paused_why, s.anchored_at is not null as anchored
  from reporting_stores s
 where (%(tenant_ids)s::uuid[] is null or s.tenant_id = any(%(tenant_ids)s))
   and (%(store_id)s::uuid is null or s.store_id = %(store_id)s)
 order by s.crsa

-- name: store_figures
-- purpose: for each store what came in and was accepted today, what waits or is parked, its positions and its alerts
select asked.store_id, stream.wait_cause, stream.waiting_since,
       coalesce(stream.last_sequence - first_today.sequence + 1, 0) as taken_in,
       accepted.lines as accepted, waiting.lines + frozen.lines as pending, parked.lines as parked,
       oldest_unsent.received_at as oldest_unsent_at, oldest_parked.received_at as oldest_parked_at,
       night.state as night_state, newest.business_date as snapshot_date, newest.revision as snapshot_revision,
       position.state as snapshot_state, position.settled_at as snapshot_settled_at, alerts.standing as alerts
  from unnest(%(store_ids)s::uuid[], %(tenant_ids)s::uuid[], %(days)s::timestamptz[], %(nights)s::date[])
       as asked (store_id, tenant_id, day_begins, night)
  left join stream_progress stream on stream.store_id = asked.store_id and stream.kind = 'events'
  left join lateral (
       select l.sequence from line_revisions l
        where l.store_id = asked.store_id and l.recorded_at >= asked.day_begins
        order by l.recorded_at, l.sequence
        limit 1) first_today on true
 cross join lateral (
       select coalesce(sum(b.lines), 0)::bigint as lines from sent_batches b
        where b.store_id = asked.store_id and b.kind = 'events' and b.state = 'accepted'
          and b.settled_at >= asked.day_begins) accepted
 cross join lateral (
       select count(*) as lines, min(o.sequence) as first from outbox_items o
        where o.store_id = asked.store_id and o.kind = 'events' and o.state = 'pending') waiting
 cross join lateral (
       select coalesce(sum(b.lines), 0)::bigint as lines, min(b.first_sequence) as first from sent_batches b
        where b.store_id = asked.store_id and b.kind = 'events' and b.state = 'open') frozen
 cross join lateral (
       select count(*) as lines, min(o.sequence) as first from outbox_items o
        where o.tenant_id = asked.tenant_id and o.store_id = asked.store_id and o.kind = 'events'
          and o.state = 'parked') parked
  left join outbox_items oldest_unsent
         on oldest_unsent.store_id = asked.store_id and oldest_unsent.kind = 'events'
        and oldest_unsent.sequence = least(waiting.first, frozen.first)
  left join outbox_items oldest_parked
         on oldest_parked.store_id = asked.store_id and oldest_parked.kind = 'events'
        and oldest_parked.sequence = parked.first
  left join lateral (
       select p.state from reported_positions p
        where p.store_id = asked.store_id and p.business_date = asked.night and p.reason <> 'hourly'
        order by p.state = 'accepted' desc, p.revision desc
        limit 1) night on true
  left join lateral (  -- without the outbox: joined in here, all of a store's positions would be looked up for the newest
       select f.business_date, f.revision, f.sequence from frozen_positions f
        where f.store_id = asked.store_id
        order by f.business_date desc, f.revision desc
        limit 1) newest on true
  left join outbox_items position
         on position.store_id = asked.store_id and position.kind = 'positions' and position.sequence = newest.sequence
 cross join lateral (
       select count(*) as standing from alert_states a where a.store_id = asked.store_id and a.closed_at is null) alerts

-- name: connection_figures
-- purpose: for each connection its breaker, when its credentials were last good or first refused since, and its success
select c.connection_id, c.tenant_id, c.name, c.environment, b.state as breaker,
       case when b.hold_until > clock_timestamp() then b.hold_until end as held_until,
       case when b.hold_until > clock_timestamp() then b.hold_cause end as held_for,
       let_in.finished_at as last_good_use, refused.since as refused_since,
       recent.calls_hour, recent.accepted_hour, recent.calls_day, recent.accepted_day
  from named_connections c
  left join connection_breakers b using (connection_id)
  left join lateral (
       select a.finished_at from connection_attempts a
        where a.connection_id = c.connection_id and a.outcome in ('accepted', 'rejected') and a.finished_at is not null
        order by a.finished_at desc
        limit 1) let_in on true
 cross join lateral (
       select min(a.finished_at) as since from connection_attempts a
        where a.connection_id = c.connection_id and a.outcome = 'credentials'
          and a.finished_at > case when let_in.finished_at is null then 'epoch' else let_in.finished_at end) refused
 cross join lateral (
       select count(*) filter (where a.finished_at > %(hour_ago)s) as calls_hour,
              count(*) filter (where a.finished_at > %(hour_ago)s
                                 and a.outcome = 'accepted') as accepted_hour,
              count(*) as calls_day, count(*) filter (where a.outcome = 'accepted') as accepted_day
         from connection_attempts a
        where a.connection_id = c.connection_id and a.finished_at > %(day_ago)s
          and a.outcome in ('accepted', 'rejected', 'slow_down', 'credentials', 'upstream')) recent
 where %(tenant_ids)s::uuid[] is null or c.tenant_id = any(%(tenant_ids)s)
 order by c.name, c.connection_id

-- name: latency_of_last_hour
-- purpose: how long the lines that were accepted in the last hour took, from the sale's message to the acceptance
select count(*) as lines,
       percentile_cont(0.5) within group (order by extract(epoch from o.settled_at - o.received_at))::float8 as p50,
       percentile_cont(0.95) within group (order by extract(epoch from o.settled_at - o.received_at))::float8 as p95
  from unnest(%(store_ids)s::uuid[]) as asked (store_id)
  join sent_batches b on b.store_id = asked.store_id and b.kind = 'events' and b.state = 'accepted'
                    and b.settled_at > %(hour_ago)s
  join outbox_items o on o.batch_id = b.batch_id and o.state = 'accepted'

-- name: beside_stores
-- purpose: for each tenant the messages that could not be taken in, and the alerts of no store; of no tenant: nobody's yet
select tenant_id, count(letter_id) as letters, count(alert_id) as alerts
  from (select tenant_id, letter_id, null::bigint as alert_id from letters_waiting
         union all
        select tenant_id, null, alert_id from alert_states where closed_at is null and store_id is null) as found
 where %(tenant_ids)s::uuid[] is null or tenant_id = any(%(tenant_ids)s)
 group by tenant_id

-- counts.py ----------------------------------------------------------------------------------------------------------

-- name: stores_of_counts
-- purpose: one page of a tenant's stores by CRSA
select s.store_id, s.crsa, s.time_zone from reporting_stores s
 where s.tenant_id = %(tenant_id)s and (%(after)s::text is null or s.crsa > %(after)s)
 order by s.crsa
 limit %(most)s

-- name: counts_of_days
-- purpose: for each store and day the numbers that its stream gave, and how many of them are a line, an outbox row, and what
with bounds as materialized (  -- apart, so that they are plain values where rows are looked up by them, behind the wall too
    select asked.store_id, asked.day,
           coalesce((select l.sequence from line_revisions l
                      where l.store_id = asked.store_id and l.recorded_at >= asked.begins
                      order by l.recorded_at, l.sequence limit 1), stream.last_sequence + 1) as first,
           coalesce((select l.sequence - 1 from line_revisions l
                      where l.store_id = asked.store_id and l.recorded_at >= asked.ends
                      order by l.recorded_at, l.sequence limit 1), stream.last_sequence) as last
      from unnest(%(store_ids)s::uuid[], %(days)s::date[], %(begins)s::timestamptz[], %(ends)s::timestamptz[])
           as asked (store_id, day, begins, ends)
      join stream_progress stream on stream.store_id = asked.store_id and stream.kind = 'events')
select bounds.store_id, bounds.day, greatest(bounds.last - bounds.first + 1, 0) as numbers,
       kept.lines, kept.outbox_items, kept.accepted, kept.parked, kept.pending, kept.superseded,
       kept.lines_alone, kept.items_alone
  from bounds
 cross join lateral (
       select count(l.sequence) as lines, count(o.sequence) as outbox_items,
              count(*) filter (where o.state = 'accepted') as accepted,
              count(*) filter (where o.state = 'parked') as parked,
              count(*) filter (where o.state in ('pending', 'frozen')) as pending,
              count(*) filter (where o.state = 'superseded') as superseded,
              count(*) filter (where o.sequence is null) as lines_alone,
              count(*) filter (where l.sequence is null) as items_alone
         from (select sequence from line_revisions
                where store_id = bounds.store_id and sequence between bounds.first and bounds.last) l
         full join (select sequence, state from outbox_items
                     where store_id = bounds.store_id and kind = 'events'
                       and sequence between bounds.first and bounds.last) o using (sequence)) kept
 order by bounds.store_id, bounds.day

-- day.py -------------------------------------------------------------------------------------------------------------

-- name: quarters_of_day
-- purpose: a store's day in quarters of an hour: lines taken in, what became of them, and how long the accepted ones took
select date_bin('15 minutes', l.recorded_at, %(begins)s) as begins, count(*) as taken_in,
       count(*) filter (where o.state = 'accepted') as accepted,
       count(*) filter (where o.state in ('pending', 'frozen')) as pending,
       count(*) filter (where o.state = 'parked') as parked,
       percentile_cont(0.5) within group (order by extract(epoch from o.settled_at - o.received_at))
           filter (where o.state = 'accepted') ::float8 as p50,
       percentile_cont(0.95) within group (order by extract(epoch from o.settled_at - o.received_at))
           filter (where o.state = 'accepted') ::float8 as p95
  from line_revisions l
  left join outbox_items o on o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence
 where l.store_id = %(store_id)s and l.recorded_at >= %(begins)s and l.recorded_at < %(ends)s
 group by 1
 order by 1

-- metrics.py ---------------------------------------------------------------------------------------------------------

-- name: metrics_of_minute
-- purpose: of all stores together: what waits and for how long, and what was accepted in the last minute
with newly as materialized (
    select b.batch_id, b.lines, b.settled_at from sent_batches b
     where b.state = 'accepted' and b.kind = 'events' and b.settled_at > now() - interval '1 min'),
sampled as materialized (  -- enough for a percentile: while a backlog drains, a minute has millions of lines
    select batch_id from newly order by settled_at desc limit 400),
latency as (
    select percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from o.settled_at - o.received_at))
               as seconds
      from sampled join outbox_items o on o.batch_id = sampled.batch_id and o.state = 'accepted'),
calls as (
    select count(*) as answered, count(*) filter (where a.outcome = 'accepted') as accepted
      from named_connections c
     cross join lateral (
           select outcome from connection_attempts
            where connection_id = c.connection_id and finished_at > now() - interval '5 min'
              and outcome in ('accepted', 'rejected', 'credentials', 'upstream')) a)
select (select extract(epoch from now() - min(u.received_at))::float8
          from unsent_streams u join reporting_stores s using (store_id)
         where s.reporting and (s.anchored_at is not null or u.kind = 'positions')) as oldest_unsent,
       (select coalesce(sum(lines), 0)::float8 from newly) as accepted,
       calls.accepted::float8 / nullif(calls.answered, 0) as success_rate,
       latency.seconds[1]::float8 as p50, latency.seconds[2]::float8 as p95,
       (select count(*) from outbox_items where state = 'parked' and kind = 'events') as parked_events,
       (select count(*) from outbox_items where state = 'parked' and kind = 'positions') as parked_positions,
       (select count(*) from letters_waiting) as dead_letters,
       (select count(*) from connection_breakers where state <> 'closed') as breaker_open,
       (select count(*) from reporting_stores where reporting) as stores
  from calls cross join latency

-- name: measured_queues
-- purpose: how long the poison queues were when they were last looked at
select queue, length from queue_lengths where seen_at > now() - interval '5 min'
