"""Brings the database's schema forward, one migrator at a time; there is no way back but a restore."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.conninfo import make_conninfo
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK = 6_271_902
"""The advisory lock's number: any, as long as it stays the same. Alembic takes no lock of its own."""


def alembic_config() -> Config:
    """Point Alembic at this package's migrations, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def migrate(database_url: str, password: str | None = None) -> None:
    """Apply every migration that the database has not seen, in one transaction; a second run changes nothing.

    `password` is an Entra token where the URL carries none. Connect straight to Postgres, not through PgBouncer.
    """
    target = database_url if password is None else make_conninfo(database_url, password=password)
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(target), poolclass=NullPool)
    config = alembic_config()
    with engine.begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
