-- room: db -----------------------------------------------------------------------------------------------------------
-- Row-level security: the second wall between tenants. The app's own work runs as the tables' owner, or as a role that
-- has ocs_app, and sees all; while staff are served it runs as ocs_staff (ocs/db/wall.py) and sees their tenants' rows.

do $$
begin
    if (select count(*) from pg_roles where rolname in ('ocs_app', 'ocs_staff')) < 2 then
        raise exception 'the roles ocs_app and ocs_staff are not there'
            using hint = 'they belong to the server, not to a database: an administrator makes both (create role … nologin) '
                         'and grants both to the role as which the app signs in';
    end if;
end $$;

grant usage on schema public to ocs_app, ocs_staff;
grant select, insert, update, delete on all tables in schema public to ocs_app, ocs_staff;
grant usage, select on all sequences in schema public to ocs_app, ocs_staff;
grant execute on all functions in schema public to ocs_app, ocs_staff;

do $$
declare
    one record;
begin
    for one in
        select c.oid::regclass as name
          from pg_class c
          join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
         where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
    loop
        execute format('alter table %s enable row level security', one.name);
        execute format('create policy all_for_the_app on %s to ocs_app using (true) with check (true)', one.name);
        -- The setting is read once a statement, not once a row: that is what the inner selects are for.
        execute format(
            'create policy own_for_staff on %s to ocs_staff using ('
            '(select current_setting(''ocs.tenants'', true)) = ''*'' or tenant_id = any (('
            'select nullif(nullif(current_setting(''ocs.tenants'', true), ''*''), '''')::uuid[])::uuid[]))', one.name);
    end loop;
    -- These belong to a tenant through its connection, which a policy finds behind the same wall.
    for one in select unnest(array['transaction_mappings', 'call_slots']) as name
    loop
        execute format('alter table %I enable row level security', one.name);
        execute format('create policy all_for_the_app on %I to ocs_app using (true) with check (true)', one.name);
        execute format(
            'create policy own_for_staff on %I to ocs_staff using ('
            'exists (select from connections c where c.connection_id = %I.connection_id))', one.name, one.name);
    end loop;
    -- A view asks with its owner's rights, which see everything, unless it is told to ask with the caller's.
    for one in
        select c.oid::regclass as name from pg_class c
         where c.relkind = 'v' and c.relnamespace = 'public'::regnamespace
    loop
        execute format('alter view %s set (security_invoker = true)', one.name);
    end loop;
end $$;
