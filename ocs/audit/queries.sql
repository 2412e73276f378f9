-- acts.py ------------------------------------------------------------------------------------------------------------

-- name: note_act
-- purpose: notes what one of the staff did
insert into audit_acts (who_subject, who_name, what, tenant_id, store_id, subject, before, after, why, way)
values (%(who_subject)s, %(who_name)s, %(what)s, %(tenant_id)s, %(store_id)s, %(subject)s, %(before)s, %(after)s,
        %(why)s, %(way)s)
