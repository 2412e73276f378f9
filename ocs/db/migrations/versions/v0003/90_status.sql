-- What the status of stores is told from, beside the views that are there for alerts and casework, and the indexes that
-- keep each figure as quick after three years as on the first day.

-- room: delivery -----------------------------------------------------------------------------------------------------

-- What was accepted of a store since an instant, one entry a batch.
create index delivery_batches_accepted on delivery_batches (store_id, kind, settled_at) include (lines, tenant_id)
 where state = 'accepted';
-- When credentials were last good, and since when they are not: the platform reads a line only after it has let us in.
create index delivery_attempts_let_in on delivery_attempts (connection_id, finished_at)
 where outcome in ('accepted', 'rejected');
create index delivery_attempts_refused on delivery_attempts (connection_id, finished_at) where outcome = 'credentials';

create view stream_progress as
select store_id, kind, tenant_id, last_sequence, wait_cause, waiting_since from delivery_streams;

create view connection_attempts as
select connection_id, tenant_id, finished_at, outcome from delivery_attempts;

-- room: positions ----------------------------------------------------------------------------------------------------

create view frozen_positions as
select store_id, tenant_id, business_date, revision, sequence from snapshots;

-- room: events -------------------------------------------------------------------------------------------------------

-- Under the store's lock, so in the order of the lines' numbers: now() is when the transaction began to wait for it.
alter table event_lines alter recorded_at set default clock_timestamp();
