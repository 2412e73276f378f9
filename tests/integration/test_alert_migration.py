"""The alerts of before are kept by the migration: open ones stay open, once, and closed ones are history."""

from uuid import uuid4

import psycopg
import pytest
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from devstack.postgres import Postgres
from ocs.db.migrate import alembic_config, migrate


def test_the_alerts_of_before_are_kept(postgres: Postgres) -> None:
    name = f"alerts_{uuid4().hex}"
    url = postgres.create_database(name)
    config = alembic_config()
    with create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    ).begin() as one:
        config.attributes["connection"] = one
        command.upgrade(config, "0002")
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into tenants (crol, name) values ('CROL1234567', 'x');"
            "insert into connections (tenant_id, name, environment, base_url, token_url, scope, client_id,"
            " client_secret_name) select tenant_id, 'uat', 'uat', 'b', 't', 's', 'c', 'n' from tenants;"
            "insert into stores (tenant_id, connection_id, crsa, name, time_zone, pos_vendor, pos_vendor_version,"
            " hash_key_name) select tenant_id, connection_id, 'CRSA1111111', 'x', 'America/Toronto', 'v', '1', 'h'"
            " from connections;"
            "insert into alerts (tenant_id, store_id, cause, message, opened_at, closed_at)"
            " select tenant_id, store_id, 'position_missing', 'old', now() - interval '2 h', now() - interval '1 h'"
            " from stores;"
            "insert into alerts (tenant_id, store_id, cause, message, opened_at)"
            " select tenant_id, store_id, 'undeliverable', 'new', now() - interval '2 h' from stores"
        )
    migrate(url)
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select cause, severity, state, message, last_seen_at = coalesce(closed_at, opened_at)"
            " from alert_states order by alert_id"
        ).fetchall()
        assert found == [
            ("position_missing", "critical", "closed", "old", True),
            ("undeliverable", "warning", "open", "new", True),
        ]
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(
                "insert into alerts (tenant_id, store_id, cause, message)"
                " select tenant_id, store_id, 'undeliverable', 'again' from stores"
            )
    postgres.drop_database(name)
