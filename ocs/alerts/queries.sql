-- open_close.py -------------------------------------------------------------------------------------------------------

-- name: open_alerts
-- purpose: opens alerts of one cause and notes whom to tell; one that is open gets the newest words. Gives the new ones
with given as (
    select * from unnest(%(tenant_ids)s::uuid[], %(connection_ids)s::uuid[], %(store_ids)s::uuid[],
                         %(messages)s::text[], %(facts)s::jsonb[])
               as one (tenant_id, connection_id, store_id, message, facts)),
opened as (
    insert into alerts (tenant_id, connection_id, store_id, cause, severity, message, facts)
    select tenant_id, connection_id, store_id, %(cause)s, %(severity)s, message, facts from given
    on conflict (cause, store_id, connection_id, tenant_id) where closed_at is null do update
       set message = excluded.message, facts = excluded.facts, severity = excluded.severity, last_seen_at = now()
    returning alert_id, tenant_id, connection_id, store_id, message, xmax = 0 as is_new),
told as (
    insert into alert_notifications (alert_id, event, destination_id, tenant_id)
    select o.alert_id, 'opened', d.destination_id, o.tenant_id
      from opened o
      join alert_destinations d on d.tenant_id is not distinct from o.tenant_id and d.removed_at is null
     where o.is_new)
select alert_id, tenant_id, connection_id, store_id, message from opened where is_new

-- name: close_alerts_of_store
-- purpose: closes a store's open alerts of the given causes; whoever was to be told of the opening is told of the end
with closed as (
    update alerts set closed_at = now()
     where store_id = %(store_id)s and cause = any(%(causes)s) and closed_at is null
    returning alert_id)
insert into alert_notifications (alert_id, event, destination_id, tenant_id)
select n.alert_id, 'closed', n.destination_id, n.tenant_id
  from closed join alert_notifications n using (alert_id)
 where n.event = 'opened' and n.state <> 'dropped'

-- name: close_alerts_of_scope
-- purpose: the same for the alerts of exactly one scope
with closed as (
    update alerts set closed_at = now()
     where tenant_id is not distinct from %(tenant_id)s and connection_id is not distinct from %(connection_id)s
       and store_id is not distinct from %(store_id)s and cause = any(%(causes)s) and closed_at is null
    returning alert_id)
insert into alert_notifications (alert_id, event, destination_id, tenant_id)
select n.alert_id, 'closed', n.destination_id, n.tenant_id
  from closed join alert_notifications n using (alert_id)
 where n.event = 'opened' and n.state <> 'dropped'

-- name: close_alerts_by_id
-- purpose: the same for alerts by their numbers; gives those that were open
with closed as (
    update alerts set closed_at = now() where alert_id = any(%(alert_ids)s) and closed_at is null
    returning alert_id, tenant_id, store_id, cause),
told as (
    insert into alert_notifications (alert_id, event, destination_id, tenant_id)
    select n.alert_id, 'closed', n.destination_id, n.tenant_id
      from closed join alert_notifications n using (alert_id)
     where n.event = 'opened' and n.state <> 'dropped')
select alert_id, tenant_id, store_id, cause from closed

-- heartbeats.py -------------------------------------------------------------------------------------------------------

-- name: beat
-- purpose: notes that a timer runs; a silence that was too long begins a new count of how long it has been regular
insert into timer_heartbeats as t (timer, seen_at, since) values (%(timer)s, clock_timestamp(), clock_timestamp())
on conflict (timer) do update
   set seen_at = clock_timestamp(),
       since = case when t.seen_at < clock_timestamp() - %(silence)s::interval then clock_timestamp() else t.since end

-- name: expect_beats
-- purpose: waits from now on for timers that were never seen
insert into timer_heartbeats (timer, seen_at, since)
select timer, clock_timestamp(), clock_timestamp() from unnest(%(timers)s::text[]) as expected (timer)
on conflict do nothing

-- rules.py: what holds now ---------------------------------------------------------------------------------------------
-- Each gives tenant_id, connection_id, store_id, whether it is bad enough to open an alert (else it only keeps one open
-- that is), and the facts that its sentence is made of.

-- name: breaker_open
-- purpose: connections whose breaker opened again, or is open for a minute, until it closes; and whether most have one
select b.tenant_id, b.connection_id, null::uuid as store_id,
       b.state = 'open' and (b.times_opened >= 2 or b.opened_at < now() - interval '60 s') as opens,
       jsonb_build_object('where', 'the connection ' || c.name, 'stores',
           (select count(distinct d.store_id) from unsent_streams d where d.connection_id = b.connection_id)) as facts
  from connection_breakers b
  join named_connections c using (connection_id)
 where b.state <> 'closed'
union all
select null, null, null, b.failing >= 3 and 2 * b.failing >= b.connections,
       jsonb_build_object('where', b.failing || ' of ' || b.connections || ' connections', 'stores',
           (select count(distinct d.store_id) from unsent_streams d))
  from (select count(*) as connections, count(*) filter (where state <> 'closed') as failing from connection_breakers) as b
 where b.failing > 0

-- name: oldest_unsent
-- purpose: stores with something unsent for over 5 min; while their connection is held, only what is open stays open
select s.tenant_id, s.connection_id, s.store_id,
       min(u.received_at) < now() - interval '5 min'
       and coalesce(b.state, 'closed') = 'closed' and coalesce(b.hold_until, 'epoch') <= now()
       and not coalesce(bool_or(u.wait_cause = 'credentials'), false) as opens,
       jsonb_build_object('minutes', floor(extract(epoch from now() - min(u.received_at)) / 60), 'connection', c.name,
                          'crsa', s.crsa, 'store', s.name) as facts
  from unsent_streams u
  join reporting_stores s using (store_id)
  join named_connections c on c.connection_id = s.connection_id
  left join connection_breakers b on b.connection_id = s.connection_id
 where s.reporting and (s.anchored_at is not null or u.kind = 'positions') and u.received_at < now() - interval '2 min'
 group by s.tenant_id, s.connection_id, s.store_id, s.crsa, s.name, c.name, b.state, b.hold_until

-- name: success_rate_low
-- purpose: connections where under 95 of 100 calls of the last hour were accepted, of 20 or more; kept up to 97
select c.tenant_id, c.connection_id, null::uuid as store_id, h.accepted < 0.95 * h.calls as opens,
       jsonb_build_object('connection', c.name, 'calls', h.calls, 'accepted', h.accepted,
                          'percent', round(100.0 * h.accepted / h.calls, 1)) as facts
  from named_connections c
 cross join lateral (
       select count(*) as calls, count(*) filter (where f.outcome = 'accepted') as accepted
         from connection_attempts f
        where f.connection_id = c.connection_id and f.finished_at > now() - interval '1 h'
          and f.outcome in ('accepted', 'rejected', 'credentials', 'upstream')) as h
 where h.calls >= 20 and h.accepted < 0.97 * h.calls

-- name: latency_high
-- purpose: connections where 5 of 100 sales of the last quarter of an hour took over 5 s to be accepted; kept above 4 s
with sales as (
    select s.tenant_id, s.connection_id, extract(epoch from a.settled_at - a.received_at) as seconds
      from accepted_lines a join reporting_stores s using (store_id)
     where a.settled_at > now() - interval '15 min' and a.received_at > now() - interval '30 min' and a.kind = 'events'),
slow as (
    select tenant_id, connection_id, count(*) as lines, percentile_cont(0.95) within group (order by seconds) as p95
      from sales
     group by tenant_id, connection_id)
select w.tenant_id, w.connection_id, null::uuid as store_id, w.p95 > 5 as opens,
       jsonb_build_object('connection', c.name, 'lines', w.lines, 'seconds', round(w.p95::numeric, 1)) as facts
  from slow w join named_connections c using (connection_id)
 where w.lines >= 20 and w.p95 > 4

-- name: lines_refused
-- purpose: stores with lines that the platform refused or failed on and that nobody has mended yet
select s.tenant_id, s.connection_id, s.store_id, true as opens,
       jsonb_build_object('lines', r.lines, 'reason', left(r.newest, 300)) as facts
  from (select store_id, count(*) as lines, (array_agg(parked_reason order by settled_at desc))[1] as newest
          from refused_lines group by store_id) as r
  join reporting_stores s using (store_id)

-- name: dead_letters
-- purpose: tenants, or nobody known, whose messages lie in the dead letters
select w.tenant_id, null::uuid as connection_id, null::uuid as store_id, true as opens,
       jsonb_build_object('letters', count(*), 'reason', left((array_agg(w.reason order by w.buried_at desc))[1], 300)) as facts
  from letters_waiting w
 group by w.tenant_id

-- name: poison_depth
-- purpose: poison queues that have not been empty for five minutes
select null::uuid as tenant_id, null::uuid as connection_id, null::uuid as store_id, true as opens,
       jsonb_build_object('queues', string_agg(q.queue || ' (' || q.length || ')', ', ' order by q.queue)) as facts
  from queue_lengths q
 where q.length > 0 and q.since < now() - interval '5 min'
having count(*) > 0

-- name: no_heartbeat
-- purpose: timers that are silent for longer than they may be, while this one has been regular for as long
select null::uuid as tenant_id, null::uuid as connection_id, null::uuid as store_id, true as opens,
       jsonb_build_object('timers', string_agg(
           t.timer || ' (last seen ' || to_char(t.seen_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC)', ', '
           order by t.timer)) as facts
  from timer_beats t
  join unnest(%(timers)s::text[], %(silences)s::interval[]) as known (timer, silence) using (timer)
  join timer_beats own on own.timer = %(own)s
 where t.seen_at < now() - known.silence and own.since < now() - known.silence
having count(*) > 0

-- name: catalogue_unread
-- purpose: environments whose last reading of the item catalogue failed or cannot be right
select null::uuid as tenant_id, null::uuid as connection_id, null::uuid as store_id, true as opens,
       jsonb_build_object('readings', string_agg(f.environment || ': ' || f.state || ', ' || coalesce(f.said, ''), '; '
                                                 order by f.environment)) as facts
  from finished_syncs f
 where f.state in ('failed', 'suspicious')
having count(*) > 0

-- name: alerts_undelivered
-- purpose: tenants, or the operator, of whose destinations one has taken no message for an hour
select d.tenant_id, null::uuid as connection_id, null::uuid as store_id, true as opens,
       jsonb_build_object('targets', string_agg(d.target || ': ' || coalesce(d.last_problem, ''), '; ' order by d.target)) as facts
  from alert_destinations d
 where d.removed_at is null and d.failing_since < now() - interval '1 h'
 group by d.tenant_id

-- rules.py ------------------------------------------------------------------------------------------------------------

-- name: one_at_a_time
-- purpose: takes a rule for this transaction, unless another evaluation has it; bounds how long its query may take
select pg_try_advisory_xact_lock(hashtext('ocs.alerts'), hashtext(%(cause)s)) as taken,
       set_config('statement_timeout', %(milliseconds)s, true) as bounded

-- name: open_of_cause
-- purpose: the open alerts of a cause, with how long ago what they tell of was last found
select a.alert_id, a.tenant_id, a.store_id, coalesce(a.connection_id, s.connection_id) as connection_id,
       extract(epoch from clock_timestamp() - a.last_seen_at)::float8 as seconds_since_seen
  from alerts a left join reporting_stores s on s.store_id = a.store_id
 where a.cause = %(cause)s and a.closed_at is null

-- name: faded_alerts
-- purpose: open alerts of causes that end by themselves once nothing more was heard of them
select a.alert_id
  from alerts a
  join unnest(%(causes)s::text[], %(waits)s::interval[]) as fading (cause, wait) using (cause)
 where a.closed_at is null and a.last_seen_at < clock_timestamp() - fading.wait

-- name: save_depths
-- purpose: keeps how long the queues are, and since when they have not been empty
insert into queue_depths as d (queue, length, since, seen_at)
select queue, length, case when length > 0 then clock_timestamp() end, clock_timestamp()
  from unnest(%(queues)s::text[], %(lengths)s::integer[]) as given (queue, length)
on conflict (queue) do update
   set length = excluded.length, seen_at = excluded.seen_at,
       since = case when excluded.length > 0 then coalesce(d.since, excluded.since) end

-- deliver.py ----------------------------------------------------------------------------------------------------------

-- name: destinations_with_news
-- purpose: destinations for which something has been waiting for a while, and to which nothing is unsent
select distinct n.destination_id
  from alert_notifications n join alert_destinations d using (destination_id)
 where n.state = 'waiting' and n.made_at <= now() - %(age)s::interval and d.removed_at is null
   and not exists (select from alert_messages m where m.destination_id = n.destination_id and m.sent_at is null)

-- name: lock_destination
-- purpose: takes a destination for packing, with how many messages it got in the last hour and whether one is unsent
select d.destination_id, d.tenant_id, d.kind,
       exists (select from alert_messages m where m.destination_id = d.destination_id and m.sent_at is null) as has_unsent,
       (select count(*) from alert_messages m
         where m.destination_id = d.destination_id and m.sent_at > clock_timestamp() - interval '1 h') as sent_in_last_hour
  from alert_destinations d
 where d.destination_id = %(destination_id)s and d.removed_at is null
   for update skip locked

-- name: drop_what_is_over
-- purpose: drops openings that nobody was told of and that are over, and their ends with them
with over as (
    select alert_id from alert_notifications
     where destination_id = %(destination_id)s and state = 'waiting'
     group by alert_id
    having count(*) = 2)
update alert_notifications n set state = 'dropped'
  from over
 where n.destination_id = %(destination_id)s and n.alert_id = over.alert_id and n.state = 'waiting'

-- name: waiting_news
-- purpose: what a destination is to be told now, the oldest first; what is silenced waits
select n.event, a.alert_id, a.cause, a.severity, a.message, a.opened_at, a.closed_at, t.crol, s.crsa, s.name as store_name,
       c.name as connection_name, s.time_zone
  from alert_notifications n
  join alert_states a using (alert_id)
  left join known_tenants t on t.tenant_id = a.tenant_id
  left join reporting_stores s on s.store_id = a.store_id
  left join named_connections c on c.connection_id = a.connection_id
 where n.destination_id = %(destination_id)s and n.state = 'waiting' and a.silenced_until is null
   and n.made_at <= now() - %(age)s::interval
 order by n.made_at, n.alert_id
 limit %(most)s

-- name: pack_message
-- purpose: freezes a message and notes what it tells of
with message as (
    insert into alert_messages (destination_id, tenant_id, subject, body)
    values (%(destination_id)s, %(tenant_id)s, %(subject)s, %(body)s)
    returning message_id)
update alert_notifications n set state = 'packed', message_id = message.message_id
  from message, unnest(%(alert_ids)s::bigint[], %(events)s::text[]) as told (alert_id, event)
 where n.destination_id = %(destination_id)s and n.alert_id = told.alert_id and n.event = told.event

-- name: claim_messages
-- purpose: takes messages whose time has come; should the worker die, they are due again after the lease
update alert_messages m
   set tries = m.tries + 1, due_at = clock_timestamp() + %(lease)s::interval
  from alert_destinations d
 where d.destination_id = m.destination_id
   and m.message_id in (select message_id from alert_messages
                         where sent_at is null and due_at <= clock_timestamp()
                         order by due_at limit %(most)s for update skip locked)
returning m.message_id, d.kind, d.target, d.secret_name, m.subject, m.body, m.tries

-- name: settle_message
-- purpose: notes that a message got through, and that its destination can be reached
with message as (
    update alert_messages set sent_at = clock_timestamp(), problem = null
     where message_id = %(message_id)s and sent_at is null
    returning destination_id)
update alert_destinations d set failing_since = null, last_problem = null, last_sent_at = clock_timestamp()
  from message
 where d.destination_id = message.destination_id

-- name: keep_message
-- purpose: leaves a message for its next try, with what was in the way
with message as (
    update alert_messages set due_at = clock_timestamp() + %(wait)s::interval, problem = %(problem)s
     where message_id = %(message_id)s and sent_at is null
    returning destination_id)
update alert_destinations d
   set failing_since = coalesce(d.failing_since, clock_timestamp()), last_problem = %(problem)s
  from message
 where d.destination_id = message.destination_id

-- destinations.py -----------------------------------------------------------------------------------------------------

-- name: destinations
-- purpose: where a tenant's alerts go, or the operator's
select destination_id, kind, target, secret_name, made_by, made_at, failing_since, last_problem, last_sent_at
  from alert_destinations
 where tenant_id is not distinct from %(tenant_id)s and removed_at is null
 order by kind, target

-- name: remove_other_destinations
-- purpose: ends a tenant's destinations that are not named any more; what they were still to be told is dropped
with gone as (
    update alert_destinations set removed_at = clock_timestamp()
     where tenant_id is not distinct from %(tenant_id)s and removed_at is null
       and (kind, target) not in (select * from unnest(%(kinds)s::text[], %(targets)s::text[]))
    returning destination_id),
unsent as (
    update alert_messages m set due_at = 'infinity', problem = 'its destination was removed'
      from gone
     where m.destination_id = gone.destination_id and m.sent_at is null)
update alert_notifications n set state = 'dropped'
  from gone
 where n.destination_id = gone.destination_id and n.state = 'waiting'

-- name: save_destination
-- purpose: adds a destination, or keeps it, with its new secret where one was given
insert into alert_destinations as d (tenant_id, kind, target, secret_name, made_by)
values (%(tenant_id)s, %(kind)s, %(target)s, %(secret_name)s, %(made_by)s)
on conflict (tenant_id, kind, target) where removed_at is null do update set secret_name = excluded.secret_name

-- attend.py -----------------------------------------------------------------------------------------------------------

-- name: find_alerts
-- purpose: the alerts of a caller's tenants, the newest first
select a.alert_id, a.cause, a.severity, a.message, a.facts, a.state, a.tenant_id, a.connection_id, a.store_id, a.opened_at,
       a.closed_at, a.last_seen_at, a.acknowledged_at, a.acknowledged_by, a.acknowledged_note, a.silenced_until,
       t.crol, s.crsa, s.name as store_name, c.name as connection_name
  from alert_states a
  left join known_tenants t on t.tenant_id = a.tenant_id
  left join reporting_stores s on s.store_id = a.store_id
  left join named_connections c on c.connection_id = a.connection_id
 where (%(tenants)s::uuid[] is null or a.tenant_id = any(%(tenants)s))
   and (%(tenant_id)s::uuid is null or a.tenant_id = %(tenant_id)s)
   and (%(store_id)s::uuid is null or a.store_id = %(store_id)s)
   and (%(cause)s::text is null or a.cause = %(cause)s)
   and (%(state)s in ('all', 'closed') or a.closed_at is null)
   and (%(state)s in ('all', 'open') or a.state = %(state)s)
   and (%(after)s::bigint is null or a.alert_id < %(after)s)
 order by a.alert_id desc
 limit %(limit)s

-- name: one_alert
-- purpose: one alert, whoever's it is: the caller's reach is checked on the row
select a.alert_id, a.cause, a.severity, a.message, a.facts, a.state, a.tenant_id, a.connection_id, a.store_id, a.opened_at,
       a.closed_at, a.last_seen_at, a.acknowledged_at, a.acknowledged_by, a.acknowledged_note, a.silenced_until,
       t.crol, s.crsa, s.name as store_name, c.name as connection_name
  from alert_states a
  left join known_tenants t on t.tenant_id = a.tenant_id
  left join reporting_stores s on s.store_id = a.store_id
  left join named_connections c on c.connection_id = a.connection_id
 where a.alert_id = %(alert_id)s

-- name: told_of_alert
-- purpose: whom one alert was or will be told, and what was in the way
select n.event, n.state, d.kind, d.target, n.made_at, m.message_id, m.tries, m.sent_at, m.problem
  from alert_notifications n
  join alert_destinations d using (destination_id)
  left join alert_messages m using (message_id)
 where n.alert_id = %(alert_id)s
 order by n.made_at, d.kind, d.target

-- name: alert_for_change
-- purpose: locks one alert
select * from alerts where alert_id = %(alert_id)s for update

-- name: acknowledge
-- purpose: notes who looks after an alert
update alerts set acknowledged_at = now(), acknowledged_by = %(by)s, acknowledged_note = %(note)s
 where alert_id = %(alert_id)s

-- name: silence_alert
-- purpose: tells nobody of one alert until an instant
update alerts set silenced_until = %(until)s, silenced_why = %(why)s, silenced_by = %(by)s
 where alert_id = %(alert_id)s

-- name: end_silence_of_alert
-- purpose: ends the silence of one alert
update alerts set silenced_until = null where alert_id = %(alert_id)s

-- name: silence_cause
-- purpose: tells nobody of a cause, at a store or in a whole tenant, until an instant
insert into alert_silences (tenant_id, store_id, cause, until, why, made_by)
values (%(tenant_id)s, %(store_id)s, %(cause)s, %(until)s, %(why)s, %(by)s)

-- name: silences
-- purpose: the silences of causes that are in force
select q.silence_id, q.tenant_id, q.store_id, s.crsa, q.cause, q.until, q.why, q.made_by, q.made_at
  from alert_silences q left join reporting_stores s on s.store_id = q.store_id
 where q.until > now() and (%(tenants)s::uuid[] is null or q.tenant_id = any(%(tenants)s))
 order by q.until, q.silence_id
 limit 500

-- name: silence_for_change
-- purpose: locks one silence
select * from alert_silences where silence_id = %(silence_id)s for update

-- name: end_silence_of_cause
-- purpose: ends a silence now
update alert_silences set until = least(until, clock_timestamp()) where silence_id = %(silence_id)s
