-- room: events -------------------------------------------------------------------------------------------------------

alter table event_lines add effective_at timestamptz;
update event_lines l
   set effective_at = coalesce((l.process_on + time '12:00') at time zone s.time_zone, l.occurred_at)
  from stores s
 where s.store_id = l.store_id;
alter table event_lines alter effective_at set not null;

-- What each revision did, and what the revision after it took back.
insert into inventory_changes (store_id, effective_at, sequence, undoes, tenant_id, ocs_sku, upc, quantity, value)
select store_id, effective_at, sequence, false, tenant_id, ocs_sku, lpad(upc, case when upc ~ '^[0-9]{12,14}$' then 14 else length(upc) end, '0'),
       quantity, value
  from event_lines where ocs_sku is not null
union all
select l.store_id, l.effective_at, l.sequence, true, l.tenant_id, l.ocs_sku,
       lpad(l.upc, case when l.upc ~ '^[0-9]{12,14}$' then 14 else length(l.upc) end, '0'), -l.quantity, -l.value
  from event_lines l
 where l.ocs_sku is not null
   and exists (select from event_lines newer
                where newer.store_id = l.store_id and newer.line_id = l.line_id and newer.revision > l.revision);

-- A barcode with and without its leading zeros is the same item from now on.
delete from inventory_levels;
insert into inventory_levels (store_id, tenant_id, ocs_sku, upc, quantity, value)
select store_id, tenant_id, ocs_sku, upc, sum(quantity), sum(value)
  from inventory_changes
 group by store_id, tenant_id, ocs_sku, upc;

create view reported_lines as
select l.store_id, l.tenant_id, l.sequence, l.line_id, l.revision, l.transaction_id, l.transaction_type, l.ocs_type,
       l.wire_sign, l.pos_sku, l.ocs_sku, l.upc, l.quantity, l.unit_cost, l.value, l.unit_price, l.counterparty_crsa,
       l.reason, l.occurred_at, l.process_on, l.effective_at, l.warnings, l.recorded_at,
       o.state, o.parked_cause, o.parked_reason, o.settled_at, o.batch_id
  from event_lines l
  join outbox_items o on o.store_id = l.store_id and o.kind = 'events' and o.sequence = l.sequence;
