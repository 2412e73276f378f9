-- room: delivery -----------------------------------------------------------------------------------------------------

create index outbox_unmapped on outbox (store_id, sequence) where parked_cause = 'sku_unmapped';

create view outbox_items as
select store_id, kind, sequence, tenant_id, item_id, state, batch_id, parked_cause, parked_reason, received_at, settled_at
  from outbox;

create view batch_results as
select batch_id, store_id, kind, state, failures, reference_id, opened_at, settled_at from delivery_batches;

create view batch_attempts as
select attempt_id, batch_id, store_id, started_at, finished_at, seconds, outcome, counted, http_status, reference_id, message
  from delivery_attempts;
