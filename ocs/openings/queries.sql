-- upload.py ----------------------------------------------------------------------------------------------------------

-- name: upload_of_message
-- purpose: the upload that a queue's message made before
select upload_id from inventory_uploads where store_id = %(store_id)s and message_id = %(message_id)s

-- name: in_effect
-- purpose: what the newest upload of each item at one instant says, and when its sender sent it
select distinct on (item.ocs_sku, item.upc)
       u.upload_id, u.inserted_at, item.ocs_sku, item.upc, item.quantity, item.value
  from inventory_uploads u
 cross join lateral unnest(u.ocs_skus, u.upcs, u.quantities, u.amounts) as item (ocs_sku, upc, quantity, value)
 where u.store_id = %(store_id)s and u.as_of = %(as_of)s
 order by item.ocs_sku, item.upc, u.upload_id desc

-- name: newest_at
-- purpose: the newest upload of a store at one instant
select max(upload_id) as upload_id from inventory_uploads where store_id = %(store_id)s and as_of = %(as_of)s

-- name: record_upload
-- purpose: keeps an upload as it was given, and what was written of it
insert into inventory_uploads (store_id, tenant_id, as_of, rest, source, uploaded_by, message_id, inserted_at, content_type,
                               content, lines, lines_left, ocs_skus, upcs, quantities, amounts)
values (%(store_id)s, %(tenant_id)s, %(as_of)s, %(rest)s, %(source)s, %(uploaded_by)s, %(message_id)s,
        coalesce(%(inserted_at)s, clock_timestamp()), %(content_type)s, %(content)s, %(lines)s, %(lines_left)s,
        %(ocs_skus)s, %(upcs)s, %(quantities)s, %(amounts)s)
returning upload_id

-- name: has_reported
-- purpose: whether the platform has accepted an event or a position of a store already
select exists (select from reported_lines where store_id = %(store_id)s and state = 'accepted')
    or exists (select from reported_positions where store_id = %(store_id)s and state = 'accepted') as reported

-- admin.py -----------------------------------------------------------------------------------------------------------

-- name: opened_at
-- purpose: from when on a store's levels are known by a count
select opened_at from opened_stores where store_id = %(store_id)s

-- name: uploads
-- purpose: a store's uploads, newest first, from one on
select upload_id, as_of, rest, source, uploaded_by, message_id, inserted_at, recorded_at, lines, lines_left,
       cardinality(ocs_skus) as items, (select coalesce(sum(q), 0) from unnest(quantities) as q) as quantity,
       (select coalesce(sum(a), 0) from unnest(amounts) as a) as value
  from inventory_uploads
 where store_id = %(store_id)s and upload_id < %(before)s
 order by upload_id desc limit %(most)s

-- name: upload
-- purpose: one upload of a store, with what was given and what was written
select upload_id, as_of, rest, source, uploaded_by, message_id, inserted_at, recorded_at, lines, lines_left,
       content_type, content, ocs_skus, upcs, quantities, amounts
  from inventory_uploads where store_id = %(store_id)s and upload_id = %(upload_id)s
