-- room: tenants ------------------------------------------------------------------------------------------------------

create view known_tenants as
select tenant_id, crol, name from tenants;
-- room: dead_letters -------------------------------------------------------------------------------------------------

alter table dead_letters drop constraint dead_letters_state_check;
alter table dead_letters
    add constraint dead_letters_state_check check (state in ('open', 'redriven', 'dismissed')),
    add dismissed_by  text,
    add dismissed_why text,
    add check ((state = 'dismissed') = (dismissed_by is not null and dismissed_why is not null));

-- A tenant's letters, and everybody's, the newest first.
create index dead_letters_of_tenant on dead_letters (tenant_id, buried_at, letter_id);
create index dead_letters_newest on dead_letters (buried_at, letter_id);
