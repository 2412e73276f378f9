-- runs.py ------------------------------------------------------------------------------------------------------------

-- name: ask_read_back
-- purpose: notes that a store is to be read back; gives nothing while one of it is running
insert into read_backs (store_id, tenant_id, connection_id, window_from, window_to, asked_by, due_at)
values (%(store_id)s, %(tenant_id)s, %(connection_id)s, %(window_from)s, %(window_to)s, %(asked_by)s,
        clock_timestamp() + %(wait)s)
on conflict (store_id) where state = 'running' do nothing
returning read_back_id

-- name: claim_read_back
-- purpose: takes the lease of the read-back that has been due longest, or of a named one, and counts a try of its next page
update read_backs
   set fence = fence + 1, failures = failures + 1, lease_until = clock_timestamp() + %(lease)s
 where read_back_id = (
       select read_back_id from read_backs
        where state = 'running' and coalesce(lease_until, 'epoch') <= clock_timestamp()
          and case when %(read_back_id)s::uuid is null then due_at <= clock_timestamp()
                   else read_back_id = %(read_back_id)s end
        order by due_at
        limit 1
          for update skip locked)
returning *

-- name: hold_read_back
-- purpose: locks a read-back for writing a page, if this worker still has it
select * from read_backs
 where read_back_id = %(read_back_id)s and fence = %(fence)s and state = 'running'
   for update

-- name: turn_page
-- purpose: notes that a page was compared, which one is next, and how many differences were kept; prolongs the lease
update read_backs
   set subject = %(subject)s, look = %(look)s, page = %(page)s, last_digest = %(digest)s, pages_read = pages_read + 1,
       failures = 0, said = null, kept = kept + %(kept)s, lease_until = clock_timestamp() + %(lease)s
 where read_back_id = %(read_back_id)s
returning *

-- name: put_down
-- purpose: gives a read-back's lease back, to be gone on with after a wait
update read_backs
   set lease_until = null, due_at = clock_timestamp() + %(wait)s, failures = %(failures)s, said = %(said)s
 where read_back_id = %(read_back_id)s and fence = %(fence)s and state = 'running'

-- name: end_read_back
-- purpose: ends a read-back, done or failed with the reason
update read_backs
   set state = %(state)s, said = %(said)s, lease_until = null, finished_at = clock_timestamp()
 where read_back_id = %(read_back_id)s and fence = %(fence)s and state = 'running'
returning read_back_id

-- name: forget_found
-- purpose: deletes the notes of what was found, which only a running read-back needs
delete from read_back_found where read_back_id = %(read_back_id)s

-- pages.py -----------------------------------------------------------------------------------------------------------

-- name: sent_lines
-- purpose: all revisions of some lines of a store that were accepted or are under way, as they were sent
select line_id, revision, state, transaction_id, transaction_type, ocs_type, wire_sign, ocs_sku, upc, quantity, value,
       unit_price, counterparty_crsa, reason, occurred_at, process_on
  from reported_lines
 where store_id = %(store_id)s and line_id = any(%(line_ids)s) and state in ('accepted', 'frozen')

-- name: sent_positions
-- purpose: what a store's snapshots of some times or dates, accepted or under way, say of some items
select p.snapshot_id, p.revision, p.state, p.as_of, l.ocs_sku, l.upc, l.quantity, l.value
  from reported_positions p
  join snapshot_lines l using (snapshot_id)
 where p.store_id = %(store_id)s and p.state in ('accepted', 'frozen')
   and (p.as_of = any(%(as_of)s) or p.business_date = any(%(dates)s))
   and l.ocs_sku = any(%(ocs_skus)s)

-- name: found_before
-- purpose: which of some of our lines were there already in a read-back, and whether in their newest revision
select key, newest from read_back_found
 where read_back_id = %(read_back_id)s and subject = %(subject)s and key = any(%(keys)s)

-- name: note_found
-- purpose: notes which of our lines were there
insert into read_back_found as f (read_back_id, subject, key, tenant_id, newest)
select %(read_back_id)s, %(subject)s, n.key, %(tenant_id)s, bool_or(n.newest)
  from unnest(%(keys)s::text[], %(newest)s::boolean[]) as n (key, newest)
 group by n.key
on conflict (read_back_id, subject, key) do update set newest = f.newest or excluded.newest

-- name: count_outcomes
-- purpose: adds to the numbers of lines by what became of them
insert into read_back_counts as c (read_back_id, subject, outcome, tenant_id, lines)
select %(read_back_id)s, %(subject)s, n.outcome, %(tenant_id)s, n.lines
  from unnest(%(outcomes)s::text[], %(lines)s::integer[]) as n (outcome, lines)
on conflict (read_back_id, subject, outcome) do update set lines = c.lines + excluded.lines

-- name: count_way
-- purpose: adds to the number of lines that came back in one way
insert into read_back_meanings as m (read_back_id, transaction_type, sent_type, wire_sign, there_type, sent_sign, ledger_sign,
                                     there_sign, tenant_id, lines, sent, there)
values (%(read_back_id)s, %(transaction_type)s, %(sent_type)s, %(wire_sign)s, %(there_type)s, %(sent_sign)s, %(ledger_sign)s,
        %(there_sign)s, %(tenant_id)s, %(lines)s, %(sent)s, %(there)s)
on conflict (read_back_id, transaction_type, sent_type, wire_sign, there_type, sent_sign, ledger_sign, there_sign)
   do update set lines = m.lines + excluded.lines

-- name: note_differences
-- purpose: keeps the differences of a page
insert into read_back_differences (read_back_id, tenant_id, subject, kind, reference, ocs_sku, upc, field, ours, theirs)
select %(read_back_id)s, %(tenant_id)s, %(subject)s, d.kind, d.reference, d.ocs_sku, d.upc, d.field, d.ours, d.theirs
  from unnest(%(kinds)s::text[], %(references)s::text[], %(ocs_skus)s::text[], %(upcs)s::text[], %(fields)s::text[],
              %(ours)s::text[], %(theirs)s::text[]) as d (kind, reference, ocs_sku, upc, field, ours, theirs)

-- name: missing_events
-- purpose: counts the lines that should be there and are not (newest revision, accepted in the window), and keeps the first ones
-- Both sides are sorted together: a join would be planned on what is known of a table that has only just been filled.
with missing as materialized (
    select max(line) as reference, max(sequence) as sequence, max(ocs_sku) as ocs_sku, max(upc) as upc, max(told) as told
      from (select l.line_id::text as line, l.sequence, l.ocs_sku, l.upc, false as found,
                   l.ocs_type || ' ' || case l.wire_sign when 'absolute' then abs(l.quantity) else l.quantity end as told
              from reported_lines l
             where l.store_id = %(store_id)s and l.state = 'accepted'
               and l.settled_at >= %(window_from)s and l.settled_at < %(window_to)s
               and not exists (select from reported_lines newer
                                where newer.store_id = l.store_id and newer.line_id = l.line_id
                                  and newer.revision > l.revision and newer.state in ('accepted', 'frozen'))
            union all
            select f.key, null, null, null, true, null from read_back_found f
             where f.read_back_id = %(read_back_id)s and f.subject = 'event') both_sides
     group by line
    having not bool_or(found)),
kept as (
    insert into read_back_differences (read_back_id, tenant_id, subject, kind, reference, ocs_sku, upc, field, ours, theirs)
    select %(read_back_id)s, %(tenant_id)s, 'event', 'missing_there', reference, ocs_sku, upc, '', told, ''
      from missing
     order by sequence
     limit %(most)s
    returning difference_id)
select 'missing_there' as outcome, count(*) as lines, (select count(*) from kept) as kept from missing

-- name: missing_positions
-- purpose: the same for lines of positions, among them those that are there in an older snapshot only
with missing as materialized (
    select case when bool_or(older) then 'not_newest' else 'missing_there' end as kind, max(business_date) as reference,
           max(as_of) as as_of, max(ocs_sku) as ocs_sku, max(upc) as upc, max(told) as told
      from (select p.snapshot_id || ' ' || l.ocs_sku || ' ' || l.upc as key, p.business_date, p.as_of, l.ocs_sku, l.upc,
                   l.quantity || ' on hand' as told, false as newest, false as older
              from reported_positions p
              join snapshot_lines l using (snapshot_id)
             where p.store_id = %(store_id)s and p.state = 'accepted'
               and p.settled_at >= %(window_from)s and p.settled_at < %(window_to)s
               and not exists (select from reported_positions newer
                                where newer.store_id = p.store_id and newer.as_of = p.as_of
                                  and newer.revision > p.revision and newer.state in ('accepted', 'frozen'))
            union all
            select f.key, null, null, null, null, null, f.newest, not f.newest from read_back_found f
             where f.read_back_id = %(read_back_id)s and f.subject = 'position') both_sides
     group by key
    having not bool_or(newest) and count(as_of) > 0),
kept as (
    insert into read_back_differences (read_back_id, tenant_id, subject, kind, reference, ocs_sku, upc, field, ours, theirs)
    select %(read_back_id)s, %(tenant_id)s, 'position', kind, reference, ocs_sku, upc, '', told,
           case kind when 'not_newest' then 'an older one' else '' end
      from missing
     order by as_of, ocs_sku, upc
     limit %(most)s
    returning difference_id)
select kind as outcome, count(*) as lines, (select count(*) from kept) as kept from missing group by kind

-- read_back.py and admin.py ------------------------------------------------------------------------------------------------------------

-- name: read_back
-- purpose: one read-back with its store
select r.read_back_id, r.store_id, r.tenant_id, r.connection_id, s.crol, s.crsa, r.window_from, r.window_to, r.asked_by,
       r.asked_at, r.state, r.subject, r.look, r.page, r.pages_read, r.said, r.due_at, r.kept, r.finished_at
  from read_backs r join reporting_stores s using (store_id)
 where r.read_back_id = %(read_back_id)s

-- name: read_backs_of_store
-- purpose: a store's read-backs, newest first, going on after the last one of a page
select read_back_id, window_from, window_to, asked_by, asked_at, state, pages_read, said, finished_at
  from read_backs
 where store_id = %(store_id)s and tenant_id = %(tenant_id)s
   and (%(after)s::uuid is null
        or (asked_at, read_back_id) < (select asked_at, read_back_id from read_backs
                                        where read_back_id = %(after)s and store_id = %(store_id)s))
 order by asked_at desc, read_back_id desc
 limit %(most)s

-- name: counts
-- purpose: how many lines came to what in a read-back
select subject, outcome, lines from read_back_counts
 where read_back_id = %(read_back_id)s
 order by subject, outcome

-- name: ways
-- purpose: in which ways the lines of each transaction type came back
select transaction_type, sent_type, wire_sign, there_type, sent_sign, ledger_sign, there_sign, lines, sent, there
  from read_back_meanings
 where read_back_id = %(read_back_id)s

-- name: differences
-- purpose: the differences of a read-back, in the order they were found, going on after the last one of a page
select difference_id, subject, kind, reference, ocs_sku, upc, field, ours, theirs
  from read_back_differences
 where read_back_id = %(read_back_id)s and tenant_id = %(tenant_id)s and difference_id > %(after)s
   and (%(kind)s::text is null or kind = %(kind)s)
 order by difference_id
 limit %(most)s
