-- sync.py ------------------------------------------------------------------------------------------------------------

-- name: environments
-- purpose: the environments that some store reports to
select distinct environment from reporting_stores where reporting order by environment

-- name: ask_sync
-- purpose: notes that an environment's catalogue is to be read; where it is being read already, that waits no longer
insert into catalogue_syncs as running (environment, asked_by, accepts_short)
values (%(environment)s, %(asked_by)s, %(accepts_short)s)
on conflict (environment) where state = 'running' do update
   set due_at = least(running.due_at, clock_timestamp()), accepts_short = running.accepts_short or excluded.accepts_short
returning sync_id

-- name: ask_sync_when_old
-- purpose: has a catalogue read again whose reading was asked for some time ago, or never
insert into catalogue_syncs (environment, asked_by)
select s.environment, 'timer'
  from (select distinct environment from reporting_stores where reporting) s
  left join (select environment, max(asked_at) as asked_at from catalogue_syncs group by environment) newest using (environment)
 where coalesce(newest.asked_at < clock_timestamp() - %(older_than)s, true)
on conflict (environment) where state = 'running' do nothing
returning sync_id

-- name: give_up_old
-- purpose: ends readings that were asked for too long ago: their first pages say nothing of today
update catalogue_syncs
   set state = 'failed', lease_until = null, finished_at = clock_timestamp(),
       said = 'not read to its end in time, page ' || next_page || coalesce(': ' || said, '')
 where state = 'running' and asked_at < clock_timestamp() - %(older_than)s
returning sync_id, environment, said

-- name: claim_sync
-- purpose: takes the lease of the reading that has been due longest, or of a named one, and counts a try of its next page
update catalogue_syncs
   set fence = fence + 1, failures = failures + 1, lease_until = clock_timestamp() + %(lease)s
 where sync_id = (
       select sync_id from catalogue_syncs
        where state = 'running' and coalesce(lease_until, 'epoch') <= clock_timestamp()
          and case when %(sync_id)s::bigint is null then due_at <= clock_timestamp() else sync_id = %(sync_id)s end
        order by due_at
        limit 1
          for update skip locked)
returning *

-- name: hold_sync
-- purpose: locks a reading for writing a page, if this worker still has it
select * from catalogue_syncs where sync_id = %(sync_id)s and fence = %(fence)s and state = 'running' for update

-- name: turn_page
-- purpose: notes what a page came to and goes to the next one; prolongs the lease
update catalogue_syncs
   set next_page = next_page + 1, first_digest = coalesce(first_digest, %(digest)s), last_digest = %(digest)s,
       items = items + %(items)s, added = added + %(added)s, changed = changed + %(changed)s, back = back + %(back)s,
       unusable = unusable + case look when 1 then %(unusable)s else 0 end, failures = 0, said = null, lease_until = clock_timestamp() + %(lease)s
 where sync_id = %(sync_id)s
returning *

-- name: look_again
-- purpose: goes back to the first page, for what a first look has not seen; prolongs the lease
update catalogue_syncs
   set look = 2, next_page = 1, first_digest = null, last_digest = null, failures = 0, said = null,
       lease_until = clock_timestamp() + %(lease)s
 where sync_id = %(sync_id)s
returning *

-- name: put_down
-- purpose: gives a reading's lease back, to be gone on with after a wait
update catalogue_syncs
   set lease_until = null, due_at = clock_timestamp() + %(wait)s, failures = %(failures)s, said = %(said)s
 where sync_id = %(sync_id)s and fence = %(fence)s and state = 'running'

-- name: end_sync
-- purpose: ends a reading
update catalogue_syncs
   set state = %(state)s, gone = %(gone)s, said = %(said)s, failures = 0, lease_until = null, finished_at = clock_timestamp()
 where sync_id = %(sync_id)s
returning *

-- name: seen_again
-- purpose: how many items were in the catalogue before a reading began, and how many of them it has seen
select count(*) as before, count(*) filter (where i.seen_in = %(sync_id)s) as seen
  from catalogue_items i
 where i.environment = %(environment)s and i.gone_at is null
   and not exists (select from catalogue_changes c
                    where c.environment = i.environment and c.ocs_sku = i.ocs_sku and c.sync_id = %(sync_id)s
                      and c.change in ('added', 'back'))

-- name: let_unseen_go
-- purpose: notes which items a reading has not seen, with a record of each
with unseen as (
    update catalogue_items set gone_at = clock_timestamp()
     where environment = %(environment)s and gone_at is null and seen_in <> %(sync_id)s
    returning ocs_sku)
insert into catalogue_changes (environment, ocs_sku, sync_id, change)
select %(environment)s, ocs_sku, %(sync_id)s, 'gone' from unseen order by ocs_sku

-- name: drop_old_barcodes
-- purpose: deletes the barcodes that items in the catalogue do not have any more; an item that is gone keeps its own
delete from catalogue_barcodes b
 using catalogue_items i
 where i.environment = b.environment and i.ocs_sku = b.ocs_sku
   and b.environment = %(environment)s and i.seen_in = %(sync_id)s and b.seen_in <> %(sync_id)s

-- name: store_that_asks
-- purpose: a store with whose connection an environment is asked; after each failure that of the next connection
with signing as (
    select distinct on (connection_id) * from reporting_stores
     where environment = %(environment)s and reporting
     order by connection_id, created_at)
select * from signing
 order by connection_id
offset mod(%(failures)s, greatest(1, (select count(*) from signing)))
 limit 1

-- name: sync
-- purpose: one reading as it stands
select * from catalogue_syncs where sync_id = %(sync_id)s

-- pages.py -----------------------------------------------------------------------------------------------------------

-- name: items_before
-- purpose: what is known of the items of a page
select ocs_sku, content, gone_at, seen_in from catalogue_items
 where environment = %(environment)s and ocs_sku = any(%(ocs_skus)s)

-- name: save_item
-- purpose: writes an item as the catalogue has it now
insert into catalogue_items as kept (environment, ocs_sku, name, brand, size, item_number, barcode, words, content, seen_in)
values (%(environment)s, %(ocs_sku)s, %(name)s, %(brand)s, %(size)s, %(item_number)s, %(barcode)s, %(words)s, %(content)s,
        %(sync_id)s)
on conflict (environment, ocs_sku) do update
   set name = excluded.name, brand = excluded.brand, size = excluded.size, item_number = excluded.item_number,
       barcode = excluded.barcode, words = excluded.words, content = excluded.content, seen_in = excluded.seen_in,
       changed_at = case when kept.content is distinct from excluded.content or kept.gone_at is not null
                         then clock_timestamp() else kept.changed_at end,
       gone_at = null

-- name: save_barcode
-- purpose: writes that a barcode stands on an item; the first line of a reading says on what
insert into catalogue_barcodes as kept (environment, barcode, ocs_sku, kind, seen_in)
values (%(environment)s, %(barcode)s, %(ocs_sku)s, %(kind)s, %(sync_id)s)
on conflict (environment, barcode, ocs_sku) do update
   set kind = case when kept.seen_in = excluded.seen_in then kept.kind else excluded.kind end, seen_in = excluded.seen_in

-- name: record_change
-- purpose: keeps what was different about an item; never changed
insert into catalogue_changes (environment, ocs_sku, sync_id, change, before, after)
values (%(environment)s, %(ocs_sku)s, %(sync_id)s, %(change)s, %(before)s, %(after)s)

-- preflight.py -------------------------------------------------------------------------------------------------------

-- name: facts
-- purpose: what the catalogue says of some SKUs with barcodes, and whether it was ever read to its end
select given.ocs_sku, given.upc,
       exists (select from catalogue_syncs where environment = %(environment)s and state = 'done') as synced,
       i.ocs_sku is not null as has_sku, i.gone_at is not null as is_gone,
       exists (select from catalogue_barcodes b
                where b.environment = %(environment)s and b.barcode = given.padded) as has_barcode,
       exists (select from catalogue_barcodes b
                where b.environment = %(environment)s and b.barcode = given.padded and b.ocs_sku = given.ocs_sku) as is_pair
  from unnest(%(skus)s::text[], %(upcs)s::text[], %(padded)s::text[]) as given (ocs_sku, upc, padded)
  left join catalogue_items i on i.environment = %(environment)s and i.ocs_sku = given.ocs_sku

-- items.py -----------------------------------------------------------------------------------------------------------

-- name: item
-- purpose: one item whole, with its barcodes
select i.ocs_sku, i.name, i.brand, i.size, i.item_number, i.barcode, i.content, i.first_seen_at, i.changed_at, i.gone_at,
       coalesce((select jsonb_object_agg(b.barcode, b.kind) from catalogue_barcodes b
                  where b.environment = i.environment and b.ocs_sku = i.ocs_sku), '{}') as barcodes
  from catalogue_items i
 where i.environment = %(environment)s and i.ocs_sku = %(ocs_sku)s

-- name: items
-- purpose: a page of the items that are in the catalogue now, by words, barcode, or all of them
select i.ocs_sku, i.name, i.brand, i.size, i.item_number, i.barcode, i.content ->> 'category' as category, i.changed_at
  from catalogue_items i
 where i.environment = %(environment)s and i.gone_at is null and i.ocs_sku > %(after)s
   and (%(search)s::text is null or to_tsvector('simple', i.words) @@ to_tsquery('simple', %(search)s))
   and (%(barcodes)s::text[] is null
        or exists (select from catalogue_barcodes b
                    where b.environment = i.environment and b.ocs_sku = i.ocs_sku and b.barcode = any(%(barcodes)s)))
 order by i.ocs_sku
 limit %(most)s

-- name: items_of_barcodes
-- purpose: the items in the catalogue now that have one of some barcodes
select b.barcode as scanned, i.ocs_sku, i.barcode, i.name, i.brand, i.size
  from catalogue_barcodes b
  join catalogue_items i using (environment, ocs_sku)
 where b.environment = %(environment)s and b.barcode = any(%(barcodes)s) and i.gone_at is null
 order by i.ocs_sku

-- name: named_items
-- purpose: all items in the catalogue now
select ocs_sku, barcode, name, brand, size from catalogue_items
 where environment = %(environment)s and gone_at is null
 order by ocs_sku

-- admin.py -----------------------------------------------------------------------------------------------------------

-- name: changes
-- purpose: a page of what was added, changed, gone or back in a catalogue, in its order
select c.change_id, c.ocs_sku, i.name, c.change, c.before, c.after, c.changed_at, c.sync_id
  from catalogue_changes c
  join catalogue_items i using (environment, ocs_sku)
 where c.environment = %(environment)s and c.change_id > %(after)s
   and (%(ocs_sku)s::text is null or c.ocs_sku = %(ocs_sku)s)
 order by c.change_id
 limit %(most)s

-- name: syncs
-- purpose: a page of a catalogue's readings, newest first
select sync_id, state, asked_by, asked_at, look, next_page, items, added, changed, back, gone, unusable, failures, said, due_at,
       finished_at
  from catalogue_syncs
 where environment = %(environment)s and sync_id < %(before)s
 order by sync_id desc
 limit %(most)s
