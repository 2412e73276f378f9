-- fetch.py -----------------------------------------------------------------------------------------------------------

-- name: ask_usual_fetch
-- purpose: makes the usual reading due for one reporting store or all; one that is due already reaches up to now
insert into shipping_fetches as f (store_id, tenant_id, usual, window_from, window_to, asked_by)
select s.store_id, s.tenant_id, true,
       least(%(now)s - %(usual)s,
             (select max(d.window_to) from shipping_fetches d
               where d.store_id = s.store_id and d.usual and d.state = 'done') - %(overlap)s),
       %(now)s, %(asked_by)s
  from reporting_stores s
 where s.reporting and (%(store_id)s::uuid is null or s.store_id = %(store_id)s)
on conflict (store_id, usual) where state in ('due', 'running') do update
   set window_to = case f.state when 'due' then greatest(f.window_to, excluded.window_to) else f.window_to end,
       due_at = case when %(by_hand)s then least(f.due_at, clock_timestamp()) else f.due_at end,
       asked_by = case when %(by_hand)s then excluded.asked_by else f.asked_by end
returning f.fetch_id

-- name: ask_fetch
-- purpose: makes a reading of a window that a person named due, or gives the one of this store that is not done yet
insert into shipping_fetches as f (store_id, tenant_id, usual, window_from, window_to, asked_by)
values (%(store_id)s, %(tenant_id)s, false, %(window_from)s, %(window_to)s, %(asked_by)s)
on conflict (store_id, usual) where state in ('due', 'running') do update set due_at = least(f.due_at, clock_timestamp())
returning f.fetch_id, f.window_from, f.window_to

-- name: claim_fetch
-- purpose: takes the reading that has been due longest, those that a person waits for first; also one whose worker died
update shipping_fetches f
   set state = 'running', tries = f.tries + 1, lease_until = clock_timestamp() + %(lease)s
  from (select d.fetch_id
          from shipping_fetches d
          join reporting_stores s using (store_id)
         where s.reporting
           and ((d.state = 'due' and d.due_at <= clock_timestamp())
                or (d.state = 'running' and d.lease_until < clock_timestamp()))
         order by d.asked_by = %(timer)s, d.due_at
         limit 1 for update of d skip locked) as next
 where f.fetch_id = next.fetch_id
returning f.fetch_id, f.store_id, f.tenant_id, f.usual, f.window_from, f.window_to, f.tries, f.failures

-- name: hold_fetch
-- purpose: locks a reading for its worker; gives nothing when another one has taken over
select fetch_id from shipping_fetches
 where fetch_id = %(fetch_id)s and state = 'running' and tries = %(tries)s
   for update

-- name: finish_fetch
-- purpose: notes what a reading came to
update shipping_fetches
   set state = 'done', finished_at = clock_timestamp(), lease_until = null, said = %(said)s, shipments = %(shipments)s,
       lines = %(lines)s, added = %(added)s, changed = %(changed)s
 where fetch_id = %(fetch_id)s

-- name: put_off_fetch
-- purpose: notes why a reading did not succeed, and when it is tried again
update shipping_fetches
   set state = 'due', lease_until = null, failures = %(failures)s, said = %(said)s,
       due_at = clock_timestamp() + %(wait)s
 where fetch_id = %(fetch_id)s

-- name: fail_fetch
-- purpose: gives a reading up that the platform refuses
update shipping_fetches
   set state = 'failed', finished_at = clock_timestamp(), lease_until = null, failures = %(failures)s, said = %(said)s
 where fetch_id = %(fetch_id)s

-- name: slow_connection_down
-- purpose: lets all readings of a connection wait that the platform has told to slow down
update shipping_fetches f
   set due_at = greatest(f.due_at, clock_timestamp() + %(wait)s)
  from reporting_stores s
 where s.store_id = f.store_id and s.connection_id = %(connection_id)s and f.state = 'due'

-- name: forget_old_fetches
-- purpose: drops readings that ended long ago, but for each store's last one that succeeded
delete from shipping_fetches f
 where f.finished_at < clock_timestamp() - %(kept)s
   and not (f.usual and f.state = 'done'
            and not exists (select from shipping_fetches newer
                             where newer.store_id = f.store_id and newer.usual and newer.state = 'done'
                               and newer.window_to > f.window_to))

-- name: fetch
-- purpose: one reading with its state and counts
select fetch_id, store_id, tenant_id, state, window_from, window_to, asked_by, asked_at, due_at, tries, failures, said,
       shipments, lines, added, changed, finished_at
  from shipping_fetches where fetch_id = %(fetch_id)s

-- take.py ------------------------------------------------------------------------------------------------------------

-- name: last_covered
-- purpose: the window of a store's last usual reading that succeeded
select window_from, window_to from shipping_fetches
 where store_id = %(store_id)s and usual and state = 'done'
 order by window_to desc limit 1

-- name: notice_shipments
-- purpose: keeps shipments that were not known; gives those
insert into shipments (store_id, shipment_id, tenant_id, noticed_after, seen_to)
select %(store_id)s, given.shipment_id, %(tenant_id)s, %(noticed_after)s, %(seen_to)s
  from unnest(%(shipment_ids)s::text[]) as given (shipment_id)
 order by given.shipment_id
on conflict do nothing
returning shipment_id

-- name: lock_shipments
-- purpose: locks the shipments of a notice, always in the same order
select shipment_id, state, elsewhere, noticed_after, seen_to
  from shipments
 where store_id = %(store_id)s and shipment_id = any(%(shipment_ids)s)
 order by shipment_id for update

-- name: see_shipments
-- purpose: notes that shipments were in a notice again
update shipments set last_seen_at = clock_timestamp(), seen_to = greatest(seen_to, %(seen_to)s)
 where store_id = %(store_id)s and shipment_id = any(%(shipment_ids)s)

-- name: lines_of_shipments
-- purpose: the lines on record of some shipments of a store
select * from shipment_lines where store_id = %(store_id)s and shipment_id = any(%(shipment_ids)s)

-- name: save_line
-- purpose: keeps a line of a shipment as the newest notice has it
insert into shipment_lines (store_id, line_id, shipment_id, tenant_id, container_id, ocs_sku, batch_lot, case_gtin,
                            packaged_on, occurrence, item_name, vendor, brand, each_gtin, quantity, uom, uom_conversion,
                            uom_conversion_quantity, unit_price, unit_cost, barcode, barcode_gtin, barcode_expires_on,
                            barcode_lot, barcode_note, warnings)
values (%(store_id)s, %(line_id)s, %(shipment_id)s, %(tenant_id)s, %(container_id)s, %(ocs_sku)s, %(batch_lot)s,
        %(case_gtin)s, %(packaged_on)s, %(occurrence)s, %(item_name)s, %(vendor)s, %(brand)s, %(each_gtin)s,
        %(quantity)s, %(uom)s, %(uom_conversion)s, %(uom_conversion_quantity)s, %(unit_price)s, %(unit_cost)s,
        %(barcode)s, %(barcode_gtin)s, %(barcode_expires_on)s, %(barcode_lot)s, %(barcode_note)s, %(warnings)s)
on conflict (store_id, line_id) do update
   set item_name = excluded.item_name, vendor = excluded.vendor, brand = excluded.brand, each_gtin = excluded.each_gtin,
       quantity = excluded.quantity, uom = excluded.uom, uom_conversion = excluded.uom_conversion,
       uom_conversion_quantity = excluded.uom_conversion_quantity, unit_price = excluded.unit_price,
       unit_cost = excluded.unit_cost, barcode = excluded.barcode, barcode_gtin = excluded.barcode_gtin,
       barcode_expires_on = excluded.barcode_expires_on, barcode_lot = excluded.barcode_lot,
       barcode_note = excluded.barcode_note, warnings = excluded.warnings, in_notice = true,
       changed_at = clock_timestamp()

-- name: drop_from_notice
-- purpose: notes that the newest notice does not have a line any more
update shipment_lines set in_notice = false, changed_at = clock_timestamp()
 where store_id = %(store_id)s and line_id = %(line_id)s

-- name: record_change
-- purpose: keeps what a notice that came again said differently
insert into notice_changes (store_id, shipment_id, line_id, tenant_id, kind, before, after, after_receipt)
values (%(store_id)s, %(shipment_id)s, %(line_id)s, %(tenant_id)s, %(kind)s, %(before)s, %(after)s, %(after_receipt)s)

-- name: open_notice_error
-- purpose: keeps a notice that changed after the receipt as a difference, with what was received of the line
insert into receiving_errors (store_id, shipment_id, line_id, tenant_id, kind, shipped, received, reason, note, noted_by)
values (%(store_id)s, %(shipment_id)s, %(line_id)s, %(tenant_id)s, 'notice', %(shipped)s,
        (select coalesce((select l.received from receipt_lines l
                           where l.store_id = r.store_id and l.shipment_id = r.shipment_id and l.number = r.number
                             and l.line_id = %(line_id)s), 0)
           from receipts r
          where r.store_id = %(store_id)s and r.shipment_id = %(shipment_id)s
          order by r.number desc limit 1),
        %(reason)s, %(note)s, %(noted_by)s)

-- name: reopen_shipments
-- purpose: takes back that shipments agree, since something about them has changed
update shipments set state = 'received', reconciled_at = null
 where store_id = %(store_id)s and shipment_id = any(%(shipment_ids)s) and state = 'reconciled'

-- receive.py ---------------------------------------------------------------------------------------------------------

-- name: lock_shipment
-- purpose: locks one shipment of a store, so that two clicks come one after the other
select shipment_id, state, elsewhere, received_at, received_by
  from shipments where store_id = %(store_id)s and shipment_id = %(shipment_id)s
   for update

-- name: newest_receipt
-- purpose: the newest receipt of a shipment
select number, received_on, occurred_at, made_by, made_at
  from receipts
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s
 order by number desc limit 1

-- name: lines_of_receipt
-- purpose: the lines of one receipt
select line_id, transaction_id, upc, unit_cost, shipped, received, sent
  from receipt_lines
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s and number = %(number)s

-- name: untaken_lines
-- purpose: which of several lines of a store have not been taken in as event lines yet
select given.line_id
  from unnest(%(line_ids)s::uuid[]) as given (line_id)
 where not exists (select from reported_lines r where r.store_id = %(store_id)s and r.line_id = given.line_id)

-- name: record_receipt
-- purpose: keeps a receipt or a correction of one
insert into receipts (store_id, shipment_id, number, tenant_id, received_on, occurred_at, made_by)
values (%(store_id)s, %(shipment_id)s, %(number)s, %(tenant_id)s, %(received_on)s, %(occurred_at)s, %(made_by)s)

-- name: record_receipt_line
-- purpose: keeps what was received of a line
insert into receipt_lines (store_id, shipment_id, number, line_id, tenant_id, transaction_id, upc, unit_cost, shipped,
                           received, sent)
values (%(store_id)s, %(shipment_id)s, %(number)s, %(line_id)s, %(tenant_id)s, %(transaction_id)s, %(upc)s,
        %(unit_cost)s, %(shipped)s, %(received)s, %(sent)s)

-- name: record_message
-- purpose: keeps a receipt's transaction, which is then put on the queue
insert into receipt_messages (store_id, shipment_id, number, transaction_id, tenant_id, message)
values (%(store_id)s, %(shipment_id)s, %(number)s, %(transaction_id)s, %(tenant_id)s, %(message)s)

-- name: mark_received
-- purpose: notes that a shipment was received, by the first who said so
update shipments
   set state = 'received', elsewhere = %(elsewhere)s, reconciled_at = null,
       received_at = coalesce(received_at, clock_timestamp()), received_by = coalesce(received_by, %(received_by)s)
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s

-- name: open_count_error
-- purpose: keeps that something else was received of a line than was shipped
insert into receiving_errors (store_id, shipment_id, line_id, tenant_id, kind, shipped, received, reason, note, noted_by)
values (%(store_id)s, %(shipment_id)s, %(line_id)s, %(tenant_id)s, 'count', %(shipped)s, %(received)s, %(reason)s,
        %(note)s, %(noted_by)s)

-- name: settle_corrected_errors
-- purpose: closes the differences that a correction answers: those of lines it changes, and changes of the notice
update receiving_errors
   set resolved_at = clock_timestamp(), resolved_by = %(resolved_by)s, how = %(how)s
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s and resolved_at is null
   and (kind = 'notice' or line_id = any(%(line_ids)s))

-- put.py -------------------------------------------------------------------------------------------------------------

-- name: claim_message
-- purpose: takes a receipt's message that is not on the queue yet; a correction only well after what it corrects
update receipt_messages m
   set lease_until = clock_timestamp() + %(lease)s
  from (select n.store_id, n.shipment_id, n.number, n.transaction_id
          from receipt_messages n
         where n.queued_at is null and (n.lease_until is null or n.lease_until < clock_timestamp())
           and (%(shipment_id)s::text is null or (n.store_id = %(store_id)s and n.shipment_id = %(shipment_id)s))
           and not exists (select from receipt_messages earlier
                            where earlier.store_id = n.store_id and earlier.shipment_id = n.shipment_id
                              and earlier.number < n.number
                              and (earlier.queued_at is null or earlier.queued_at > clock_timestamp() - %(apart)s))
         order by n.store_id, n.shipment_id, n.number
         limit 1 for update of n skip locked) as next
 where m.store_id = next.store_id and m.shipment_id = next.shipment_id and m.number = next.number
   and m.transaction_id = next.transaction_id
returning m.store_id, m.tenant_id, m.shipment_id, m.number, m.transaction_id, m.message, m.lease_until

-- name: mark_queued
-- purpose: notes that a receipt's message is on the queue
update receipt_messages set queued_at = clock_timestamp(), lease_until = null
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s and number = %(number)s
   and transaction_id = %(transaction_id)s and queued_at is null

-- name: let_message_go
-- purpose: gives a message back that the queue did not take
update receipt_messages set lease_until = null
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s and number = %(number)s
   and transaction_id = %(transaction_id)s and lease_until = %(lease_until)s

-- differences.py -----------------------------------------------------------------------------------------------------

-- name: reconcile
-- purpose: finds the received shipments that agree: every line accepted as it was received, no difference open
update shipments s
   set state = 'reconciled', reconciled_at = clock_timestamp()
 where s.state = 'received' and not s.elsewhere
   and not exists (select from receiving_errors e
                    where e.store_id = s.store_id and e.shipment_id = s.shipment_id and e.resolved_at is null)
   and not exists (
        select from receipt_lines l
          left join lateral (select r.state, r.quantity, r.unit_cost
                               from reported_lines r
                              where r.store_id = l.store_id and r.line_id = l.line_id
                              order by r.revision desc limit 1) as reported on true
         where l.store_id = s.store_id and l.shipment_id = s.shipment_id and l.sent
           and l.number = (select max(n.number) from receipts n
                            where n.store_id = s.store_id and n.shipment_id = s.shipment_id)
           and (reported.state is distinct from 'accepted' or abs(reported.quantity) <> l.received
                or reported.unit_cost <> l.unit_cost))
returning s.store_id, s.shipment_id

-- name: receiving_errors
-- purpose: the differences of a store, oldest first, from one on
select error_id, shipment_id, line_id, kind, shipped, received, reason, note, noted_by, noted_at, resolved_at,
       resolved_by, how
  from receiving_errors
 where store_id = %(store_id)s and error_id > %(after)s
   and (%(open)s::boolean is null or (resolved_at is null) = %(open)s)
 order by error_id limit %(most)s

-- name: receiving_error
-- purpose: one difference, locked, so that two people do not settle it at once
select error_id, store_id, tenant_id, resolved_at, resolved_by, how
  from receiving_errors where error_id = %(error_id)s for update

-- name: resolve_error
-- purpose: notes how a person settled a difference
update receiving_errors set resolved_at = clock_timestamp(), resolved_by = %(resolved_by)s, how = %(how)s
 where error_id = %(error_id)s and tenant_id = %(tenant_id)s
returning error_id, resolved_at, resolved_by, how

-- admin.py -----------------------------------------------------------------------------------------------------------

-- name: shipments_of_store
-- purpose: a store's shipments, newest first, behind a named one
select s.shipment_id, s.state, s.elsewhere, s.first_seen_at, s.last_seen_at, s.received_at, s.received_by, s.reconciled_at,
       (select count(*) from shipment_lines l
         where l.store_id = s.store_id and l.shipment_id = s.shipment_id and l.in_notice) as lines,
       (select coalesce(sum(l.quantity), 0) from shipment_lines l
         where l.store_id = s.store_id and l.shipment_id = s.shipment_id and l.in_notice) as eaches,
       (select count(*) from receiving_errors e
         where e.store_id = s.store_id and e.shipment_id = s.shipment_id and e.resolved_at is null) as open_differences
  from shipments s
 where s.store_id = %(store_id)s and (%(state)s::text is null or s.state = %(state)s)
   and (%(after)s::text is null
        or (s.first_seen_at, s.shipment_id) < (select a.first_seen_at, a.shipment_id from shipments a
                                                where a.store_id = %(store_id)s and a.shipment_id = %(after)s))
 order by s.first_seen_at desc, s.shipment_id desc limit %(most)s

-- name: stores_of_shipment
-- purpose: the stores that have a shipment of this number
select s.store_id, s.tenant_id, r.crsa
  from shipments s join reporting_stores r using (store_id)
 where s.shipment_id = %(shipment_id)s
 order by r.crsa

-- name: shipment
-- purpose: one shipment of a store
select shipment_id, state, elsewhere, first_seen_at, last_seen_at, received_at, received_by, reconciled_at
  from shipments where store_id = %(store_id)s and shipment_id = %(shipment_id)s

-- name: shown_lines
-- purpose: the lines of a shipment, what was received of each, and how each stands at the platform
select l.line_id, l.container_id, l.ocs_sku, l.item_name, l.vendor, l.brand, l.case_gtin, l.each_gtin,
       l.quantity as shipped, l.uom, l.uom_conversion, l.uom_conversion_quantity, l.unit_price, l.unit_cost, l.batch_lot,
       l.packaged_on, l.barcode, l.barcode_gtin, l.barcode_expires_on, l.barcode_lot, l.barcode_note, l.warnings,
       l.in_notice, c.received, c.transaction_id, reported.state as reported_state,
       reported.parked_cause, reported.parked_reason, reported.settled_at
  from shipment_lines l
  left join receipt_lines c
    on c.store_id = l.store_id and c.line_id = l.line_id and c.shipment_id = l.shipment_id and c.number = %(number)s
  left join lateral (select r.state, r.parked_cause, r.parked_reason, r.settled_at
                       from reported_lines r
                      where r.store_id = l.store_id and r.line_id = l.line_id
                      order by r.revision desc limit 1) as reported on true
 where l.store_id = %(store_id)s and l.shipment_id = %(shipment_id)s
 order by l.container_id, l.ocs_sku, l.batch_lot, l.line_id

-- name: messages_of_receipt
-- purpose: the transactions of a receipt, and whether each is on the queue
select transaction_id, queued_at
  from receipt_messages
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s and number = %(number)s
 order by transaction_id

-- name: differences_of_shipment
-- purpose: the differences of a shipment, settled ones too
select error_id, line_id, kind, shipped, received, reason, note, noted_by, noted_at, resolved_at, resolved_by, how
  from receiving_errors
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s
 order by error_id

-- name: changes_of_shipment
-- purpose: what later notices said differently, oldest first
select line_id, kind, before, after, after_receipt, seen_at
  from notice_changes
 where store_id = %(store_id)s and shipment_id = %(shipment_id)s
 order by change_id limit %(most)s
