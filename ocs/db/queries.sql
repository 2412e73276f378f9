-- name: schema_version
-- purpose: the newest migration that the database has seen
select version_num from alembic_version

-- name: stand_behind_the_wall
-- purpose: makes this transaction one of the staff's: row-level security shows it the named tenants' rows only
select set_config('role', 'ocs_staff', true), set_config('ocs.tenants', %(tenants)s, true)
