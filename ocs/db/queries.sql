-- name: schema_version
-- purpose: the newest migration that the database has seen
select version_num from alembic_version
