-- room: alerts -------------------------------------------------------------------------------------------------------
-- Where an alert belongs: to a store, to a connection (all its stores), to a tenant, or, without a tenant, to the whole
-- platform, which super admins see only.

alter table alerts
    alter tenant_id drop not null,
    alter store_id drop not null,
    add connection_id     uuid references connections,
    add severity          text not null default 'warning' check (severity in ('critical', 'warning')),
    add facts             jsonb not null default '{}',   -- the values that made it, as last seen
    add last_seen_at      timestamptz,                   -- what it tells of was last found to be so
    add acknowledged_at   timestamptz,
    add acknowledged_by   text,
    add acknowledged_note text,
    add silenced_until    timestamptz,                   -- this one; alert_silences has those of a cause
    add silenced_by       text,
    add silenced_why      text;
update alerts
   set last_seen_at = coalesce(closed_at, opened_at),
       severity = case when cause in ('credentials_refused', 'platform_down', 'position_missing') then 'critical' else 'warning' end;
alter table alerts
    alter last_seen_at set not null,
    alter last_seen_at set default now(),
    add check (tenant_id is not null or (connection_id is null and store_id is null)),
    add check (connection_id is null or store_id is null),
    add check ((acknowledged_at is null) = (acknowledged_by is null)),
    add check (silenced_until is null or silenced_by is not null);
drop index alerts_one_open_per_cause;
create unique index alerts_one_open on alerts (cause, store_id, connection_id, tenant_id) nulls not distinct where closed_at is null;
create index alerts_open_of_store on alerts (store_id) where closed_at is null;
create index alerts_of_tenant on alerts (tenant_id, alert_id);
create index alerts_of_store on alerts (store_id, alert_id) where store_id is not null;
create index alerts_open on alerts (alert_id) where closed_at is null;

create table alert_silences (                 -- nobody is told of a cause for a while; the alert itself is seen all the same
    silence_id bigint generated always as identity primary key,
    tenant_id  uuid references tenants,       -- null: of the whole platform's alerts
    store_id   uuid references stores,        -- null: all alerts of the cause in the tenant
    cause      text not null,
    until      timestamptz not null,          -- moved to now when it is ended early
    why        text not null,
    made_by    text not null,
    made_at    timestamptz not null default clock_timestamp()
);
create index alert_silences_of_cause on alert_silences (cause, until);
create index alert_silences_of_tenant on alert_silences (tenant_id, until);

create table alert_destinations (
    destination_id uuid primary key default gen_random_uuid(),
    tenant_id      uuid references tenants,   -- null: the operator's, for what belongs to no tenant
    kind           text not null check (kind in ('webhook', 'email')),
    target         text not null check (target <> ''),
    secret_name    text,                      -- of the signing secret in Key Vault, never the secret
    made_by        text not null,
    made_at        timestamptz not null default clock_timestamp(),
    removed_at     timestamptz,
    failing_since  timestamptz,               -- null: the last message went through
    last_problem   text,
    last_sent_at   timestamptz,
    check ((kind = 'webhook') = (secret_name is not null))
);
create unique index alert_destinations_one_each on alert_destinations (tenant_id, kind, target) nulls not distinct where removed_at is null;

create table alert_messages (                 -- frozen before the first byte is sent: a second delivery is the same one
    message_id     uuid primary key default gen_random_uuid(),
    destination_id uuid not null references alert_destinations,
    tenant_id      uuid references tenants,
    subject        text not null,             -- of the mail; the type of the webhook
    body           text not null,             -- the mail's text; the webhook's JSON
    made_at        timestamptz not null default clock_timestamp(),
    tries          integer not null default 0,
    due_at         timestamptz not null default clock_timestamp(),
    sent_at        timestamptz,
    problem        text                       -- why the last try came to nothing
);
create index alert_messages_due on alert_messages (due_at) where sent_at is null;
create index alert_messages_unsent on alert_messages (destination_id) where sent_at is null;
create index alert_messages_sent on alert_messages (destination_id, sent_at) where sent_at is not null;

create table alert_notifications (            -- what each destination is to be told, once each
    alert_id       bigint not null references alerts,
    event          text not null check (event in ('opened', 'closed')),
    destination_id uuid not null references alert_destinations,
    tenant_id      uuid references tenants,
    state          text not null default 'waiting' check (state in ('waiting', 'packed', 'dropped')),
    message_id     uuid references alert_messages,
    made_at        timestamptz not null default clock_timestamp(),
    primary key (alert_id, destination_id, event),
    check ((state = 'packed') = (message_id is not null))
);
create index alert_notifications_waiting on alert_notifications (destination_id, made_at) where state = 'waiting';
create index alert_notifications_of_message on alert_notifications (message_id) where message_id is not null;

create table timer_heartbeats (
    timer   text primary key,
    seen_at timestamptz not null,
    since   timestamptz not null              -- from here on it was never silent for longer than it may be
);

create table queue_depths (                   -- how many messages were on a queue when it was last looked at, about
    queue   text primary key,
    length  integer not null,
    since   timestamptz,                      -- it has not been empty since; null: it is empty
    seen_at timestamptz not null
);

create view alert_states as
select a.alert_id, a.tenant_id, a.connection_id, a.store_id, a.cause, a.severity, a.message, a.facts, a.opened_at, a.closed_at,
       a.last_seen_at, a.acknowledged_at, a.acknowledged_by, a.acknowledged_note, quiet.until as silenced_until,
       case when a.closed_at is not null then 'closed'
            when quiet.until is not null then 'silenced'
            when a.acknowledged_at is not null then 'acknowledged'
            else 'open' end as state
  from alerts a
 cross join lateral (
       select max(until) as until
         from (select a.silenced_until as until
               union all
               select s.until from alert_silences s
                where s.cause = a.cause and s.tenant_id is not distinct from a.tenant_id
                  and (s.store_id is null or s.store_id = a.store_id) and s.until > now()) as any_silence
        where until > now()) as quiet;

create view timer_beats as
select timer, seen_at, since from timer_heartbeats;

create view queue_lengths as
select queue, length, since, seen_at from queue_depths;

-- room: tenants ------------------------------------------------------------------------------------------------------

create view named_connections as
select connection_id, tenant_id, name, environment from connections;

-- room: delivery -----------------------------------------------------------------------------------------------------

-- What is counted of the last hour is in the index: the table is not looked at.
drop index delivery_attempts_recent;
create index delivery_attempts_recent on delivery_attempts (connection_id, finished_at) include (outcome);
create index delivery_batches_newly_accepted on delivery_batches (settled_at) where state = 'accepted';
create index outbox_refused on outbox (store_id, settled_at)
    where state = 'parked' and kind = 'events' and parked_cause in ('platform_rejected', 'platform_failed');

create view connection_breakers as
select connection_id, tenant_id, state, times_opened, opened_at, recovered_at, hold_until, hold_cause, cap, allowed
  from connection_pace;

create view refused_lines as
select store_id, tenant_id, sequence, parked_cause, parked_reason, settled_at
  from outbox
 where state = 'parked' and kind = 'events' and parked_cause in ('platform_rejected', 'platform_failed');

create view accepted_lines as
select b.store_id, b.kind, b.tenant_id, b.settled_at, o.sequence, o.received_at
  from delivery_batches b
  join outbox o on o.batch_id = b.batch_id
 where b.state = 'accepted';

create view unsent_streams as
select d.store_id, d.kind, d.tenant_id, d.connection_id, d.due_at, d.wait_cause, oldest.received_at
  from delivery_streams d
 cross join lateral (
       select min(received_at) as received_at
         from ((select o.received_at from outbox o
                 where o.store_id = d.store_id and o.kind = d.kind and o.state = 'pending'
                 order by o.sequence limit 1)
               union all
               (select o.received_at from delivery_batches b
                  join outbox o on o.store_id = b.store_id and o.kind = b.kind and o.sequence = b.first_sequence
                 where b.store_id = d.store_id and b.kind = d.kind and b.state = 'open'
                 order by b.first_sequence limit 1)) as either) as oldest
 where d.due_at is not null and oldest.received_at is not null;

-- room: catalogue ----------------------------------------------------------------------------------------------------

create view finished_syncs as
select distinct on (environment) sync_id, environment, state, said, finished_at
  from catalogue_syncs
 where state <> 'running'
 order by environment, sync_id desc;

-- room: dead_letters -------------------------------------------------------------------------------------------------

create view letters_waiting as
select letter_id, tenant_id, store_id, queue, cause, reason, buried_at from dead_letters where state = 'open';
