-- name: record_message
-- purpose: notes that a message was taken in; gives nothing when it was before, so a message counts once
insert into event_messages (store_id, message_id, tenant_id, transaction_id, transaction_type, inserted_at)
values (%(store_id)s, %(message_id)s, %(tenant_id)s, %(transaction_id)s, %(transaction_type)s, %(inserted_at)s)
on conflict do nothing
returning message_id

-- name: count_message_lines
-- purpose: notes what a message's lines came to
update event_messages
   set lines_new = %(lines_new)s, lines_corrected = %(lines_corrected)s, lines_unchanged = %(lines_unchanged)s
 where store_id = %(store_id)s and message_id = %(message_id)s

-- name: newest_revisions
-- purpose: the newest revision on record of each of several lines of a store, and what earlier ones said
select distinct on (line_id) line_id, sequence, revision, content_hash, ocs_sku, upc, quantity, unit_cost, value, effective_at,
       inserted_at, array_agg(content_hash) over (partition by line_id) as contents
  from event_lines
 where store_id = %(store_id)s and line_id = any(%(line_ids)s)
 order by line_id, revision desc

-- name: record_line
-- purpose: keeps one revision of an event line; revisions are never changed
insert into event_lines (store_id, sequence, tenant_id, line_id, revision, content_hash, message_id, inserted_at,
                         transaction_id, transaction_type, ocs_type, wire_sign, pos_sku, ocs_sku, upc, quantity, unit_cost, value,
                         unit_price, counterparty_crsa, reason, occurred_at, process_on, effective_at, warnings)
values (%(store_id)s, %(sequence)s, %(tenant_id)s, %(line_id)s, %(revision)s, %(content_hash)s, %(message_id)s,
        %(inserted_at)s, %(transaction_id)s, %(transaction_type)s, %(ocs_type)s, %(wire_sign)s, %(pos_sku)s, %(ocs_sku)s, %(upc)s,
        %(quantity)s, %(unit_cost)s, %(value)s, %(unit_price)s, %(counterparty_crsa)s, %(reason)s, %(occurred_at)s,
        %(process_on)s, %(effective_at)s, %(warnings)s)

-- name: lines_of_batch
-- purpose: the event lines of a frozen batch, in the store's order
select l.line_id, l.transaction_id, l.ocs_type, l.wire_sign, l.ocs_sku, l.upc, l.quantity, l.value, l.unit_price,
       l.counterparty_crsa, l.reason, l.occurred_at, l.process_on
  from batch_items b join event_lines l on l.store_id = b.store_id and l.sequence = b.sequence
 where b.batch_id = %(batch_id)s
 order by l.sequence

-- name: stores_to_release
-- purpose: stores with lines that wait for a mapping which is there by now
select distinct l.store_id
  from outbox_items o
  join event_lines l on l.store_id = o.store_id and l.sequence = o.sequence
  join known_mappings m on m.tenant_id = l.tenant_id and m.pos_sku = l.pos_sku
 where o.kind = 'events' and o.parked_cause = 'sku_unmapped'

-- name: lines_to_release
-- purpose: a store's lines that wait for a mapping which is there by now, oldest first, with the mapping
select l.sequence, l.line_id, l.revision, l.content_hash, l.upc, l.quantity, l.unit_cost, l.value, l.effective_at,
       l.inserted_at, l.warnings, m.ocs_sku, m.upc as mapped_upc
  from outbox_items o
  join event_lines l on l.store_id = o.store_id and l.sequence = o.sequence
  join known_mappings m on m.tenant_id = l.tenant_id and m.pos_sku = l.pos_sku
 where o.store_id = %(store_id)s and o.kind = 'events' and o.parked_cause = 'sku_unmapped'
 order by l.sequence

-- name: fill_in_item
-- purpose: says of a line what item it is, once the POS's SKU is mapped: the one thing of a revision that is told later
update event_lines
   set ocs_sku = %(ocs_sku)s, upc = %(upc)s, unit_cost = %(unit_cost)s, value = %(value)s, warnings = %(warnings)s
 where store_id = %(store_id)s and sequence = %(sequence)s and ocs_sku is null
