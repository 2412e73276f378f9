-- room: audit --------------------------------------------------------------------------------------------------------
-- After the wall has granted the same rights on everything: the audit is read and added to, no more.

revoke update, delete, truncate on audit_acts, audit_calls from ocs_app, ocs_staff;
grant delete on audit_acts, audit_calls to ocs_app;  -- the retention; the trigger lets nothing else delete
revoke insert, update, delete, truncate on audit_chains, audit_checkpoints, audit_timers from ocs_staff;
revoke insert, update, delete, truncate on audit_chains from ocs_app;  -- only linking moves a chain's end
revoke execute on function audit_link_calls(integer) from public, ocs_staff;
grant execute on function audit_link_calls(integer) to ocs_app;
