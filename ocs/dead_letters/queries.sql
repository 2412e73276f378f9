-- name: bury
-- purpose: keeps a message whole with the reason; the same message buried again changes nothing
insert into dead_letters (queue, message_id, tenant_id, store_id, body, cause, reason, due_at, inserted_at)
values (%(queue)s, %(message_id)s, %(tenant_id)s, %(store_id)s, %(body)s, %(cause)s, %(reason)s,
        clock_timestamp() + %(wait)s, %(inserted_at)s)
on conflict (queue, message_id) do nothing
returning letter_id

-- name: addressee
-- purpose: the tenant that a message names, by id or CROL, and its store, by id or CRSA, where they are known
select t.tenant_id, s.store_id
  from known_tenants t
  left join reporting_stores s
    on s.tenant_id = t.tenant_id and (s.crsa = %(store)s::text or s.store_id = %(store_id)s::uuid)
 where t.crol = %(tenant)s or t.tenant_id = %(tenant_id)s

-- name: claim_due
-- purpose: takes the letters whose next try has come and moves that try on, so that a death loses none and doubles none
update dead_letters
   set tries = tries + 1,
       due_at = clock_timestamp() + make_interval(secs => least(%(first)s * 4.0 ^ (tries + 1), %(longest)s)::float8)
 where letter_id in (select letter_id from dead_letters
                      where queue = %(queue)s and state = 'open' and due_at <= clock_timestamp()
                      order by due_at limit %(most)s for update skip locked)
returning letter_id, queue, message_id, body, cause, reason, tries, inserted_at

-- name: find_letter
-- purpose: one open letter, to be driven again by a person
select letter_id, queue, message_id, body, cause, reason, tries, inserted_at
  from dead_letters where letter_id = %(letter_id)s and state = 'open'

-- name: settle_letter
-- purpose: ends a letter: taken in after all
update dead_letters set state = 'redriven', due_at = null, settled_at = now()
 where letter_id = %(letter_id)s and state = 'open'

-- name: keep_letter
-- purpose: leaves a letter open with the newest reason, and says when it is tried again, if by itself
update dead_letters
   set cause = %(cause)s, reason = %(reason)s, due_at = clock_timestamp() + %(wait)s
 where letter_id = %(letter_id)s and state = 'open'

-- name: open_letters
-- purpose: what lies there, oldest first
select letter_id, queue, message_id, cause, reason, tries, due_at, inserted_at, buried_at, body
  from dead_letters where state = 'open'
 order by buried_at, letter_id limit %(most)s

-- name: dismiss_letter
-- purpose: ends a letter that a person has looked at and that is not wanted; it is kept
update dead_letters
   set state = 'dismissed', due_at = null, settled_at = now(), dismissed_by = %(by)s, dismissed_why = %(why)s
 where letter_id = %(letter_id)s and state = 'open'
returning letter_id

-- name: letters
-- purpose: the letters of some tenants, or of all and of nobody, the newest first, from a key on
select letter_id, queue, message_id, tenant_id, store_id, cause, reason, state, tries, due_at, inserted_at, buried_at,
       settled_at, dismissed_by, dismissed_why, left(body, %(shown)s) as beginning, length(body) as characters
  from dead_letters
 where (%(tenant_ids)s::uuid[] is null or tenant_id = any(%(tenant_ids)s))
   and (%(store_id)s::uuid is null or store_id = %(store_id)s)
   and (%(state)s::text is null or state = %(state)s)
   and (%(cause)s::text is null or cause = %(cause)s)
   and (%(queue)s::text is null or queue = %(queue)s)
   and (buried_at, letter_id) < (%(after_at)s, %(after_letter)s)
 order by buried_at desc, letter_id desc
 limit %(most)s

-- name: letter
-- purpose: one letter whole, whatever became of it
select letter_id, queue, message_id, tenant_id, store_id, cause, reason, state, tries, due_at, inserted_at, buried_at,
       settled_at, dismissed_by, dismissed_why, body
  from dead_letters where letter_id = %(letter_id)s
