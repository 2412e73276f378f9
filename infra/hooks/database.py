# ruff: noqa: INP001 - a script beside other hooks, no package
"""Makes the database `ocs`, its roles and the app's own sign-in on a server; a second run changes nothing.

Connects as the server's Entra administrator by libpq's own variables (PGHOST, PGUSER, PGPASSWORD with a token). The
database belongs to that role, and so do the tables that `python -m ocs migrate` makes as the same role. The app's
identity may act as `ocs_app` and `ocs_staff` and owns nothing (docs/decisions/0020).

A death between two steps leaves what was done; the next run goes on.
"""

import argparse
import uuid

import psycopg
from psycopg import sql

GROUPS = ("ocs_app", "ocs_staff")
DATABASE = "ocs"
MAINTENANCE = "postgres"
"""Microsoft's functions for principals are in this database only."""


def prepare(server: psycopg.Connection, identity: str, object_id: uuid.UUID) -> None:
    """Make on a server, in autocommit, what is missing there; raises psycopg.Error."""
    for group in GROUPS:
        if not _found(server, "select 1 from pg_roles where rolname = %s", group):
            server.execute(sql.SQL("create role {} nologin").format(sql.Identifier(group)))
    if not _found(server, "select 1 from pg_roles where rolname = %s", identity):
        # Microsoft Learn, "Manage Microsoft Entra roles": neither an administrator nor asked for a second factor.
        server.execute(
            "select pgaadauth_create_principal_with_oid(%s, %s, 'service', false, false)", (identity, str(object_id))
        )
    groups = sql.SQL(", ").join(map(sql.Identifier, GROUPS))
    server.execute(sql.SQL("grant {} to {}").format(groups, sql.Identifier(identity)))
    if not _found(server, "select 1 from pg_database where datname = %s", DATABASE):
        server.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _found(server: psycopg.Connection, question: str, name: str) -> bool:
    return server.execute(question.encode(), (name,)).fetchone() is not None


def main() -> None:
    """Prepare the server that libpq's variables name."""
    parser = argparse.ArgumentParser(description="make the database, its roles and the app's sign-in")
    parser.add_argument("--identity", required=True, help="name of the app's managed identity, and so of its role")
    parser.add_argument("--object-id", required=True, type=uuid.UUID, help="the identity's object id in Entra")
    given = parser.parse_args()
    with psycopg.connect(dbname=MAINTENANCE, autocommit=True) as server:
        prepare(server, given.identity, given.object_id)
    print(f"the database {DATABASE} is there, and {given.identity} may sign in")  # noqa: T201 - a hook's only voice


if __name__ == "__main__":
    main()
